#include "merkle/internal/base64.hpp"

#include <array>

namespace tacenda::merkle::internal {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::uint8_t kNone = 0xff;

constexpr auto kValues = [] {
  std::array<std::uint8_t, 256> values{};
  values.fill(kNone);
  for (std::size_t i = 0; i < kAlphabet.size(); ++i) {
    values[static_cast<std::uint8_t>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return values;
}();

}  // namespace

std::string base64_encode(ByteView bytes) {
  std::string text;
  text.reserve((bytes.size() + 2) / 3 * 4);
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    auto const group = bytes.subspan(i, std::min<std::size_t>(3, bytes.size() - i));
    std::uint32_t bits = 0;
    for (std::size_t j = 0; j < 3; ++j) {
      bits = bits << 8U | (j < group.size() ? std::to_integer<std::uint32_t>(group[j]) : 0);
    }
    for (std::size_t j = 0; j < 4; ++j) {
      text.push_back(j <= group.size() ? kAlphabet[bits >> (18 - 6 * j) & 0x3fU] : '=');
    }
  }
  return text;
}

Result<Bytes> base64_decode(std::string_view text) {
  if (text.size() % 4 != 0) return fail(ErrorKind::kInvalid, "base64 is not a multiple of four characters");
  std::size_t const padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string_view const digits = text.substr(0, text.size() - padding);
  Bytes bytes;
  bytes.reserve(text.size() / 4 * 3);
  std::uint32_t bits = 0;
  unsigned held = 0;
  for (char const c : digits) {
    std::uint8_t const value = kValues[static_cast<std::uint8_t>(c)];
    if (value == kNone) return fail(ErrorKind::kInvalid, "not a character of base64");
    bits = bits << 6U | value;
    held += 6;
    if (held < 8) continue;
    held -= 8;
    bytes.push_back(static_cast<std::byte>(bits >> held & 0xffU));
    bits &= (1U << held) - 1;
  }
  if (bits != 0) return fail(ErrorKind::kInvalid, "unused bits of base64 are not zero");
  return bytes;
}

}  // namespace tacenda::merkle::internal
