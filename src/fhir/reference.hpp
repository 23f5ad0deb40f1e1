#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

/// `Type/id` or `Type/id/_history/version` of a relative literal reference.
struct LocalReference {
  std::string_view type;
  std::string_view id;
};
/// nullopt: absolute, contained, a urn, conditional, or of another form.
std::optional<LocalReference> parse_local_reference(std::string_view text);

/// Where a link stands: Reference.reference, or another element that a transaction rewrites (R4
/// http.html#trules: uri, url, oid and uuid values, and href and src in narratives).
enum class LinkKind : std::uint8_t { kReference, kUri };

/// Calls `resolve` for every link in the resource, contained ones and extensions included, and puts what it
/// returns in the link's place; nullopt leaves it as it is. Of kUri only whole values that start with "urn:"
/// are offered, and those in narratives. Errors: none of its own; the signature leaves room for those of a
/// visitor to come.
Result<void> rewrite_links(
    Resource& resource,
    std::function<std::optional<std::string>(std::string_view link, LinkKind kind)> const& resolve);

}  // namespace tacenda::fhir
