#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

namespace tacenda::fhir {

/// Whether a value set holds a code; kUnknown when whoever was asked does not know the set in whole.
enum class Membership : std::uint8_t { kIn, kOut, kUnknown };

/// A code where it is bound: `system` is nullopt where the value set implies it (an element of type code).
struct BoundCode {
  std::optional<std::string_view> system;
  std::string_view code;
};

/// The value sets that the base definitions of R4 bind, by number. Known in whole are those with a required
/// or extensible binding whose expansion is finite; languages (BCP 47) and media types (RFC 6838) are judged
/// by their grammar.
std::string_view base_value_set_url(std::uint16_t number);
/// `url` may carry a version (|4.0.1). nullopt: the base definitions do not bind it.
std::optional<std::uint16_t> find_base_value_set(std::string_view url);
Membership base_membership(std::uint16_t number, BoundCode const& code);
/// All codes of a base value set that is known by its codes, each with its system; else none.
std::vector<BoundCode> base_codes(std::uint16_t number);

/// A canonical URL without its version.
std::string_view without_version(std::string_view canonical);

}  // namespace tacenda::fhir
