#pragma once

#include <string_view>

/// Words in HTTP field values. Source: RFC 9110 section 5.6.
namespace tacenda::codec {

/// Without spaces and tabs at both ends (OWS).
std::string_view trim(std::string_view text);

/// ASCII letters of either case are the same; no others.
bool equal_ignoring_case(std::string_view a, std::string_view b);

/// The part of a field before its parameters: "text/plain" of "text/plain; charset=utf-8".
std::string_view media_type_of(std::string_view field);

}  // namespace tacenda::codec
