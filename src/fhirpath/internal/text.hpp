#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace tacenda::fhirpath {

void append_utf8(std::string& out, char32_t code_point);
/// Four hexadecimal digits at the front.
std::optional<char32_t> read_hex4(std::string_view text);

/// Texts are UTF-8 (parse_json and compile hold to it); a character is a code point.
std::size_t length_of_character(std::string_view text, std::size_t at);  // in bytes, at least 1
std::size_t count_characters(std::string_view text);
/// Where character number `index` begins, or the size of the text.
std::size_t offset_of_character(std::string_view text, std::size_t index);

std::string upper(std::string_view text);
std::string lower(std::string_view text);
/// As equivalence (~) compares: case folded, white space at the ends gone and within made one blank.
std::string folded(std::string_view text);
std::string_view trimmed(std::string_view text);  // without white space of ASCII at its ends

/// Where `part` begins in `text` from `from` on; npos when nowhere. Linear, whatever the texts.
std::size_t find_text(std::string_view text, std::string_view part, std::size_t from = 0);
std::size_t find_last_text(std::string_view text, std::string_view part);

}  // namespace tacenda::fhirpath
