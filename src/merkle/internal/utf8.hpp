#pragma once

#include <string_view>

namespace tacenda::merkle::internal {

/// Well-formed UTF-8: shortest form, no surrogates, at most U+10FFFF. Source: Unicode 15, table 3-7.
bool is_utf8(std::string_view text);
/// Has a character of the Unicode property White_Space. `text` must be UTF-8.
bool has_unicode_space(std::string_view text);

}  // namespace tacenda::merkle::internal
