#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "codec/json.hpp"
#include "fhir/resource.hpp"
#include "operations/context.hpp"
#include "operations/write.hpp"

namespace tacenda::operations {

/// A change of a resource that says only what changes. Owner: one thread.
class Patch {
 public:
  /// From `application/json-patch+json`: RFC 6902. Errors: kInvalid (no JSON array), kTooLarge.
  static Result<Patch> parse_json_patch(std::string_view text);
  /// From a resource: a Parameters (FHIRPath Patch), or as an entry of a bundle has it a Binary that holds a
  /// JSON Patch. Errors: kInvalid, kTooLarge, kNotSupported (a Binary of another content type). Source: R4
  /// fhirpatch.html, http.html#patch.
  static Result<Patch> from_resource(fhir::Resource const& resource);

  /// The resource after the patch. Its id and type stay. Narrative that was generated from what the patch
  /// changes goes, unless the patch changes it too; it would say what the record no longer does. Errors:
  /// kInvalid (no patch), kUnprocessable (it does not fit the resource, a test fails, or what comes out is no
  /// resource), kTooLarge. Source: R4 http.html#patch.
  Result<fhir::Resource> apply(codec::Json const& resource) const;

 private:
  enum class Form : std::uint8_t { kJsonPatch, kFhirPathPatch };

  Patch(Form form, codec::Json content) : form_(form), content_(std::move(content)) {}

  Form form_;
  codec::Json content_;
};

/// patch: PATCH [base]/[type]/[id], with the version of If-Match. Needs the right to read the record beside
/// `permit`, the right to update it: the answer shows it, and a patch can ask what it holds. Source: R4
/// http.html#patch. Errors: kForbidden, kNotFound, kGone, kPrecondition (If-Match), and those of
/// Patch::apply.
Result<Outcome> patch(Context const& context, Permit const& permit, Patch const& patch, std::string_view type,
                      ResourceId const& id, std::optional<std::uint64_t> if_match);

/// Conditional patch: PATCH [base]/[type]?criteria, of the one resource that matches.
/// Errors: as patch; kInvalid (criteria), kNotFound (no match), kPrecondition (several).
Result<Outcome> patch_matching(Context const& context, Permit const& permit, Patch const& patch,
                               std::string_view type, Criteria const& criteria,
                               std::optional<std::uint64_t> if_match);

/// The resource as `patch` leaves it, from what `transaction` sees. Errors: as patch.
Result<fhir::Resource> patched(Context const& context, records::Transaction& transaction, Patch const& patch,
                               std::string_view type, ResourceId const& id,
                               std::optional<std::uint64_t> if_match);

}  // namespace tacenda::operations
