#pragma once

#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace tacenda::merkle::internal {

/// Standard alphabet with padding. Source: RFC 4648 section 4.
std::string base64_encode(ByteView bytes);
/// Accepts exactly what base64_encode writes: no line breaks, full padding, unused bits zero, so that one
/// note has one spelling. Errors: kInvalid.
Result<Bytes> base64_decode(std::string_view text);

}  // namespace tacenda::merkle::internal
