#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "core/id.hpp"
#include "fhir/format.hpp"
#include "fhir/issues.hpp"

namespace tacenda::fhir {

enum class LinkKind : std::uint8_t;

/// A JSON document that is known to be a resource of R4 in its structure: a concrete resource type; only
/// elements that the definitions know, each in its JSON shape; every primitive in its grammar and range;
/// nothing empty; contained resources likewise, containing none themselves. What must be there, value sets,
/// invariants, slices and the targets of references are validation's questions: two of the specification's
/// own examples lack required elements. Move-only, because copies of records should be seen in the code.
/// Source: R4 json.html, resource.html, datatypes.html.
class Resource {
 public:
  /// Reports everything that is wrong.
  static Checked<Resource> check(codec::Json json);
  /// The same with the first issue as the error. Errors: kInvalid, kTooLarge (a text over its type's limit).
  static Result<Resource> parse(codec::Json json);

  Resource(Resource&&) noexcept = default;
  Resource& operator=(Resource&&) noexcept = default;
  Resource(Resource const&) = delete;
  Resource& operator=(Resource const&) = delete;
  ~Resource() = default;

  std::string_view type() const { return json_.text_of("resourceType"); }
  /// Empty when it has none.
  std::string_view id() const { return json_.text_of("id"); }
  codec::Json const& json() const { return json_; }
  codec::Json take_json() && { return std::move(json_); }
  Resource clone() const { return Resource(json_); }

  /// Replaces the id, or puts it behind resourceType.
  void set_id(ResourceId const& id);
  void strip_id();
  /// Removes what the server alone says: meta.versionId and meta.lastUpdated with their extensions, and meta
  /// when nothing is left of it (W-02).
  void strip_server_meta();

 private:
  friend class BundleReader;
  friend Result<void> rewrite_links(
      Resource& resource,
      std::function<std::optional<std::string>(std::string_view link, LinkKind kind)> const& resolve);

  explicit Resource(codec::Json json) : json_(std::move(json)) {}
  codec::Json json_;
};

/// Reports the elements with min 1 that are missing, in contained resources too.
Issues missing_elements(Resource const& resource);

/// Parses JSON or XML text of up to limits::kBodyBytes and reports everything that is wrong; a text that is
/// not JSON is one issue without a path. What XML alone can have wrong (see read_xml) is reported without the
/// rest.
Checked<Resource> check_resource(std::string_view text, Format format = Format::kJson);
/// The same with the first issue as the error. Errors: kInvalid, kTooLarge.
Result<Resource> parse_resource(std::string_view text, Format format = Format::kJson);

}  // namespace tacenda::fhir
