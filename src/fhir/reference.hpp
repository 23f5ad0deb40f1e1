#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "fhir/elements.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

enum class ReferenceKind : std::uint8_t {
  kLocal,        // Type/id on this server, with or without a version
  kAbsolute,     // another server's URL, or no RESTful one
  kUuid,         // urn:uuid:
  kOid,          // urn:oid:
  kContained,    // #id, or # for the resource that contains
  kConditional,  // Type?criteria
  kOther,        // nothing that R4 knows, or a URL of this server that names no resource
};

/// The text of Reference.reference, taken apart. The views are parts of the text that was parsed.
struct ParsedReference {
  ReferenceKind kind = ReferenceKind::kOther;
  std::string_view type;      // kLocal, kConditional
  std::string_view id;        // kLocal; kContained: without #, may be empty
  std::string_view version;   // kLocal: empty when it names none
  std::string_view criteria;  // kConditional: behind the question mark
};

/// An absolute URL below one of `base_urls` ("https://host/fhir", with or without a slash at its end) is
/// local: scheme and host are compared without case, and http and https are one (R4 http.html#root). Source:
/// R4 references.html#literal, http.html#trules.
ParsedReference parse_reference(std::string_view text, std::span<std::string const> base_urls = {});

/// `Type/id` or `Type/id/_history/version` of a relative literal reference.
struct LocalReference {
  std::string_view type;
  std::string_view id;
};
/// nullopt: absolute, contained, a urn, conditional, or of another form.
std::optional<LocalReference> parse_local_reference(std::string_view text);

/// One Reference.reference of a resource.
struct FoundReference {
  std::string_view text;
  std::string path;        // "Observation.subject.reference"
  Element const& element;  // whose type is Reference: its targets say what it may lead to
};
/// Calls `visit` for every literal reference in document order: in contained resources, extensions and
/// resources within (Bundle.entry) too. Reference.identifier and canonical elements are no literal
/// references.
void for_each_reference(Resource const& resource, std::function<void(FoundReference const&)> const& visit);

/// The same of one resource or one that stands within another, without those of the resources within it.
void for_each_own_reference(codec::Json const& resource,
                            std::function<void(std::string_view text)> const& visit);

/// Where a link stands: Reference.reference, or another element that a transaction rewrites (R4
/// http.html#trules: uri, url, oid and uuid values, and href and src in narratives).
enum class LinkKind : std::uint8_t { kReference, kUri };

/// Calls `resolve` for every link in the resource, contained ones and extensions included, and puts what it
/// returns in the link's place; nullopt leaves it as it is. "Elements of type canonical are not replaced" (R4
/// http.html#trules); Extension.url, which names a definition, is not offered either, nor are anchors (#x) of
/// narratives. Errors: kInvalid (an empty text, or one with white space, came back for a link).
Result<void> rewrite_links(
    Resource& resource,
    std::function<std::optional<std::string>(std::string_view link, LinkKind kind)> const& resolve);

}  // namespace tacenda::fhir
