#include "merkle/internal/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

namespace tacenda::merkle::internal {
namespace {

constexpr char32_t kMalformed = 0xffff'ffff;

struct Form {
  std::size_t size;
  char32_t lead;      // value bits of the first byte
  char32_t smallest;  // below it the form is not the shortest one
};

Form form_of(std::uint8_t first) {
  if (first < 0x80) return {1, first, 0};
  if (first >> 5U == 0b110) return {2, first & 0x1fU, 0x80};
  if (first >> 4U == 0b1110) return {3, first & 0x0fU, 0x800};
  if (first >> 3U == 0b11110) return {4, first & 0x07U, 0x1'0000};
  return {0, 0, 0};
}

// Takes the first character off `text`, which is not empty.
char32_t take_character(std::string_view& text) {
  Form const form = form_of(static_cast<std::uint8_t>(text.front()));
  if (form.size == 0 || text.size() < form.size) return kMalformed;
  char32_t value = form.lead;
  for (char const c : text.substr(1, form.size - 1)) {
    auto const byte = static_cast<std::uint8_t>(c);
    if (byte >> 6U != 0b10) return kMalformed;
    value = value << 6U | (byte & 0x3fU);
  }
  text.remove_prefix(form.size);
  bool const surrogate = value >= 0xd800 && value <= 0xdfff;
  return value < form.smallest || surrogate || value > 0x10'ffff ? kMalformed : value;
}

bool is_space(char32_t c) {
  constexpr std::array kSingles{U' ',      U'\u0085', U'\u00a0', U'\u1680', U'\u2028',
                                U'\u2029', U'\u202f', U'\u205f', U'\u3000'};
  return (c >= 0x09 && c <= 0x0d) || (c >= 0x2000 && c <= 0x200a) ||
         std::ranges::find(kSingles, c) != kSingles.end();
}

}  // namespace

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    if (take_character(text) == kMalformed) return false;
  }
  return true;
}

bool has_unicode_space(std::string_view text) {
  while (!text.empty()) {
    char32_t const c = take_character(text);
    if (c == kMalformed) return false;
    if (is_space(c)) return true;
  }
  return false;
}

}  // namespace tacenda::merkle::internal
