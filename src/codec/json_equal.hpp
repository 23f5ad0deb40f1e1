#pragma once

#include "codec/json.hpp"

namespace tacenda::codec {

/// Tells whether two values are equal as the operation `test` has it: numbers by value (1.0 equals 1e0),
/// objects whatever the order of their members, all else by content. Numbers whose exponent has more than 18
/// digits are equal only when their texts are.
/// Source: RFC 6902 section 4.6.
bool equal_by_value(Json const& a, Json const& b);

}  // namespace tacenda::codec
