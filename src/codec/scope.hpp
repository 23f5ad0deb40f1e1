#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tacenda::codec {

inline constexpr std::size_t kScopeBytesMax = 4 * 1024;  // of a whole list
inline constexpr std::size_t kScopesMax = 200;

enum class ScopeLevel : std::uint8_t { kNone, kPatient, kUser, kSystem };

/// Letters of a SMART scope, in their order.
enum class ScopeVerb : std::uint8_t { kCreate = 1, kRead = 2, kUpdate = 4, kDelete = 8, kSearch = 16 };

/// One SMART scope: `patient/Observation.rs?category=laboratory`, or a word like `openid` (level kNone).
/// Source: SMART App Launch 2.2, scopes-and-launch-context.html.
struct Scope {
  std::string word;  // kNone: the whole text
  ScopeLevel level = ScopeLevel::kNone;
  std::string type;         // a resource type, or *
  std::uint8_t verbs = 0;   // bit set of ScopeVerb
  std::string constraints;  // what follows the '?', as it came; empty: none

  bool has(ScopeVerb verb) const { return (verbs & static_cast<std::uint8_t>(verb)) != 0; }
  auto operator<=>(Scope const&) const = default;
};

/// A list of scopes, separated by single spaces, in normal form: version 1 (`.read`, `.write`, `.*`) is made
/// version 2, verbs of scopes that differ in nothing else are joined, each stands once, sorted. Whether a
/// type exists is not looked at. Errors: kInvalid (a scope of a level that is none: `patient/Patient.sr`,
/// `user/observation.r`; characters that RFC 6749 section 3.3 has not), kTooLarge.
Result<std::vector<Scope>> parse_scopes(std::string_view text);

/// The text of one, and of a list, in version 2.
std::string write_scope(Scope const& scope);
std::string write_scopes(std::vector<Scope> const& scopes);
/// Sorts and joins, as parse_scopes does.
std::vector<Scope> normal_scopes(std::vector<Scope> scopes);

/// True when a list has this word.
bool has_word(std::vector<Scope> const& scopes, std::string_view word);

}  // namespace tacenda::codec
