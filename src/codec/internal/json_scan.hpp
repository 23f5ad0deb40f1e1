#pragma once

#include <bit>
#include <cstdint>
#include <cstring>

/// What the reader and the writer of JSON both look for in a text.
namespace tacenda::codec::internal {

/// Tells whether a character cannot stand for itself inside a string (RFC 8259 section 7).
inline bool is_special(char c) {
  return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20U;
}

/// The first special character, or `end`. Eight bytes at a time: most strings have none.
inline char const* find_special(char const* at, char const* end) {
  constexpr std::uint64_t kOnes = 0x0101010101010101U;
  constexpr std::uint64_t kHighs = 0x8080808080808080U;
  while (end - at >= 8) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    std::uint64_t const quote = word ^ (kOnes * '"');
    std::uint64_t const backslash = word ^ (kOnes * '\\');
    // A byte's high bit is set where the byte is zero (below 0x20 for the control characters). A borrow
    // can only mark bytes above a true hit, and the lowest mark decides.
    std::uint64_t const marks =
        (((quote - kOnes) & ~quote) | ((backslash - kOnes) & ~backslash) | ((word - kOnes * 0x20U) & ~word)) &
        kHighs;
    if (marks != 0) {
      if constexpr (std::endian::native == std::endian::little) return at + std::countr_zero(marks) / 8;
      break;
    }
    at += 8;
  }
  while (at != end && !is_special(*at)) ++at;
  return at;
}

inline bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

/// The end of the longest number of RFC 8259 section 6 that starts at `at`; `at` when there is none.
inline char const* scan_number(char const* const at, char const* const end) {
  auto const digits = [end](char const* from) {
    while (from != end && is_digit(*from)) ++from;
    return from;
  };
  char const* p = at;
  if (p != end && *p == '-') ++p;
  if (p == end || !is_digit(*p)) return at;
  p = *p == '0' ? p + 1 : digits(p);
  if (p != end && *p == '.') {
    char const* const fraction_end = digits(p + 1);
    if (fraction_end == p + 1) return at;
    p = fraction_end;
  }
  if (p != end && (*p == 'e' || *p == 'E')) {
    char const* exponent = p + 1;
    if (exponent != end && (*exponent == '+' || *exponent == '-')) ++exponent;
    char const* const exponent_end = digits(exponent);
    if (exponent_end == exponent) return at;
    p = exponent_end;
  }
  return p;
}

}  // namespace tacenda::codec::internal
