#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace tacenda::fhir {

/// Rewrites `href` of <a> and `src` of <img> in an XHTML text: `resolve` gets the value with its entities
/// resolved and returns what stands in its place, or nullopt to leave it. nullopt when nothing changed. Reads
/// leniently: what is not well-formed XML is passed over, never rewritten.
std::optional<std::string> rewrite_narrative(
    std::string_view xhtml, std::function<std::optional<std::string>(std::string_view)> const& resolve);

}  // namespace tacenda::fhir
