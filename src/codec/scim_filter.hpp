#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"

namespace tacenda::codec {

inline constexpr std::size_t kScimFilterBytes = 8 * 1024;
inline constexpr std::size_t kScimFilterParts = 64;  // comparisons and connectives of one filter
inline constexpr std::size_t kScimFilterDepth = 16;  // of parentheses, `not` and brackets

/// Where a value lies in a SCIM resource: `urn:...:User:name.familyName`. Names are compared without regard
/// to case (RFC 7643 section 2.1).
struct ScimAttribute {
  std::string schema;  // the URN before the last colon; empty: none was named
  std::string name;
  std::string sub;  // empty: the attribute itself
};

/// A filter taken apart. Owner: one thread.
struct ScimFilter {
  enum class Kind : std::uint8_t { kCompare, kPresent, kAnd, kOr, kNot, kInside };
  enum class Operator : std::uint8_t { kEq, kNe, kCo, kSw, kEw, kGt, kGe, kLt, kLe };

  Kind kind = Kind::kCompare;
  ScimAttribute attribute;           // of kCompare, kPresent, kInside
  Operator op = Operator::kEq;       // of kCompare
  Json value;                        // of kCompare: a string, number, boolean or null
  std::vector<ScimFilter> operands;  // two of kAnd and kOr, one of kNot and kInside
};

/// Parses `userName eq "ada" and (active eq true or emails[type eq "work"])`. `and` binds closer than `or`.
/// Errors: kInvalid (grammar, an operator that its value has no order for), kTooLarge (bytes, parts, depth).
/// Source: RFC 7644 section 3.4.2.2, figure 1.
Result<ScimFilter> parse_scim_filter(std::string_view text);

/// Does a resource meet a filter? An attribute that it does not have equals nothing but null, and `ne` is
/// true of it. Texts are compared without regard to the case of ASCII letters, except those of `id` and
/// `externalId`; ordered as times where both are. Of an attribute with several values one that fits is
/// enough; one that is an object counts by its `value`.
bool matches(ScimFilter const& filter, Json const& resource);

/// The target of one PATCH operation: `members[value eq "..."].display`.
struct ScimPath {
  ScimAttribute attribute;          // its `sub` also when a filter stands before it
  std::vector<ScimFilter> chooses;  // which of its values; none: all
};
/// Errors: as parse_scim_filter. Source: RFC 7644 section 3.5.2, figure 7.
Result<ScimPath> parse_scim_path(std::string_view text);

/// True when both are the same but for the case of ASCII letters.
bool same_scim_name(std::string_view a, std::string_view b);

/// The member of an object by a name in any case; nullptr: it has none. The first counts.
Json const* find_scim_member(Json const& object, std::string_view name);

}  // namespace tacenda::codec
