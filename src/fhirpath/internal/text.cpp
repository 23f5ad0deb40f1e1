#include "fhirpath/internal/text.hpp"

#include <string.h>

#include <algorithm>

#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace tacenda::fhirpath {
namespace {

constexpr std::string_view kBlanks = " \t\r\n\f\v";

char32_t character_at(std::string_view text, std::size_t& at) {
  auto const* bytes = reinterpret_cast<std::uint8_t const*>(text.data());
  UChar32 c = 0;
  U8_NEXT(bytes, at, text.size(), c);  // NOLINT(bugprone-inc-dec-in-conditions): the library's macro
  return c < 0 ? char32_t{0xFFFD} : static_cast<char32_t>(c);
}

template <typename Change>
std::string changed(std::string_view text, Change change) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    if (static_cast<unsigned char>(text[at]) < 0x80) {
      out.push_back(static_cast<char>(change(text[at])));
      ++at;
    } else {
      append_utf8(out, static_cast<char32_t>(change(static_cast<UChar32>(character_at(text, at)))));
    }
  }
  return out;
}

}  // namespace

void append_utf8(std::string& out, char32_t code_point) {
  auto const push = [&out](char32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (code_point < 0x80) {
    push(code_point);
  } else if (code_point < 0x800) {
    push(0xC0 | (code_point >> 6U));
    push(0x80 | (code_point & 0x3F));
  } else if (code_point < 0x10000) {
    push(0xE0 | (code_point >> 12U));
    push(0x80 | ((code_point >> 6U) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  } else {
    push(0xF0 | (code_point >> 18U));
    push(0x80 | ((code_point >> 12U) & 0x3F));
    push(0x80 | ((code_point >> 6U) & 0x3F));
    push(0x80 | (code_point & 0x3F));
  }
}

std::optional<char32_t> read_hex4(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  char32_t value = 0;
  for (char const c : text.substr(0, 4)) {
    int digit = -1;
    if (c >= '0' && c <= '9') digit = c - '0';
    if (c >= 'a' && c <= 'f') digit = c - 'a' + 10;
    if (c >= 'A' && c <= 'F') digit = c - 'A' + 10;
    if (digit < 0) return std::nullopt;
    value = value * 16 + static_cast<char32_t>(digit);
  }
  return value;
}

std::size_t length_of_character(std::string_view text, std::size_t at) {
  std::size_t length = 1;
  while (at + length < text.size() && (static_cast<unsigned char>(text[at + length]) & 0xC0U) == 0x80U)
    ++length;
  return length;
}

std::size_t count_characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

std::size_t offset_of_character(std::string_view text, std::size_t index) {
  std::size_t at = 0;
  for (; index > 0 && at < text.size(); --index) at += length_of_character(text, at);
  return at;
}

std::string upper(std::string_view text) {
  return changed(text, [](UChar32 c) { return u_toupper(c); });
}

std::string lower(std::string_view text) {
  return changed(text, [](UChar32 c) { return u_tolower(c); });
}

std::string folded(std::string_view text) {
  std::string out = changed(trimmed(text), [](UChar32 c) {
    return c < 0x80 && kBlanks.contains(static_cast<char>(c)) ? UChar32{' '}
                                                              : u_foldCase(c, U_FOLD_CASE_DEFAULT);
  });
  auto const repeated = std::ranges::unique(out, [](char a, char b) { return a == ' ' && b == ' '; });
  out.erase(repeated.begin(), repeated.end());
  return out;
}

std::string_view trimmed(std::string_view text) {
  std::size_t const start = std::min(text.find_first_not_of(kBlanks), text.size());
  std::size_t const end = text.find_last_not_of(kBlanks);
  return end == std::string_view::npos ? std::string_view() : text.substr(start, end - start + 1);
}

std::size_t find_text(std::string_view text, std::string_view part, std::size_t from) {
  if (from > text.size()) return std::string_view::npos;
  if (part.empty()) return from;
  // std::string_view::find is quadratic for texts made for it; memmem is linear.
  void const* const found = ::memmem(text.data() + from, text.size() - from, part.data(), part.size());
  if (found == nullptr) return std::string_view::npos;
  return static_cast<std::size_t>(static_cast<char const*>(found) - text.data());
}

std::size_t find_last_text(std::string_view text, std::string_view part) {
  std::string const reversed_text(text.rbegin(), text.rend());
  std::string const reversed_part(part.rbegin(), part.rend());
  std::size_t const at = find_text(reversed_text, reversed_part);
  return at == std::string_view::npos ? at : text.size() - at - part.size();
}

}  // namespace tacenda::fhirpath
