#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace tacenda::net {

/// The grammar of fields and targets, shared by HTTP/1.1, HTTP/2 and the check of our own responses.
/// All of it is stricter than or equal to the RFC; nothing here repairs.

/// Is `text` a token (RFC 9110 section 5.6.2)? Field names and methods are tokens.
bool is_token(std::string_view text);

/// Is `text` free of control bytes (tab excepted) and of blanks at its ends (RFC 9110 section 5.5)?
bool is_field_value(std::string_view text);

/// Is `text` visible ASCII without '#'? Wider than RFC 3986 on purpose: FHIR clients send a raw '|'.
bool is_target_text(std::string_view text);

/// Is `text` a host, name or address, with an optional port and without user information?
/// Source: RFC 3986 section 3.2.2; percent-encoded and empty hosts are refused.
bool is_authority(std::string_view text);

bool equals_ignoring_case(std::string_view a, std::string_view lower_case_b);
void make_lower(std::string& text);

/// Decimal digits only; nullopt when empty, signed, listed or over 2^63.
std::optional<std::uint64_t> parse_content_length(std::string_view text);

/// May a request carry this field once only? A second one would let two readers see two requests.
bool is_singleton(std::string_view lower_case_name);

/// Does the comma-separated list contain `lower_case_member`?
bool list_contains(std::string_view list, std::string_view lower_case_member);

/// Cuts blanks and tabs at both ends.
std::string_view trim_blanks(std::string_view text);

}  // namespace tacenda::net
