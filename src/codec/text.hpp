#pragma once

#include <array>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"

namespace tacenda::codec {

std::string base64_encode(ByteView bytes);           // RFC 4648 section 4, padded
Result<Bytes> base64_decode(std::string_view text);  // strict: padding, no white space, zero trailing bits
std::string base64url_encode(ByteView bytes);        // section 5, unpadded
Result<Bytes> base64url_decode(std::string_view text);
std::string hex_encode(ByteView bytes);  // lower case
Result<Bytes> hex_decode(std::string_view text);
std::string base32_encode(ByteView bytes);  // section 6, unpadded (TOTP secrets)

bool is_utf8(std::string_view text);  // RFC 3629: no surrogates, no overlong forms

/// FHIR instant in UTC with milliseconds: "2026-11-23T04:05:06.789Z".
std::string format_instant(Time time);
/// RFC 3339 with any offset up to 14:00, or a date alone (start of the day, UTC); years 1 to 9999. What is
/// finer than a millisecond is cut off. A leap second (:60) is the second after it. Errors: kInvalid.
Result<Time> parse_instant(std::string_view text);
/// HTTP date of RFC 9110 section 5.6.7: "Mon, 23 Nov 2026 04:05:06 GMT".
std::string format_http_date(Time time);
/// All three forms of RFC 9110 section 5.6.7, as a recipient must; two-digit years are 1970 to 2069. The day
/// of the week must be right. Errors: kInvalid.
Result<Time> parse_http_date(std::string_view text);

/// Decodes %XX; '+' stays. Errors: kInvalid (bad escape, NUL, not UTF-8).
Result<std::string> percent_decode(std::string_view text);
std::string percent_encode(std::string_view text);  // all but unreserved characters of RFC 3986

/// Splits "a=1&b=2" and decodes both sides ('+' is a space). Errors: kInvalid.
Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query);

/// A random UUID (version 4, RFC 9562) from 16 random bytes, lower case.
std::string format_uuid_v4(std::array<std::byte, 16> random);

}  // namespace tacenda::codec
