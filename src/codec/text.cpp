#include "codec/text.hpp"

#include <array>
#include <cstdint>

#include <simdjson.h>

namespace tacenda::codec {
namespace {

constexpr std::string_view kBase64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
constexpr std::string_view kBase64Url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
constexpr std::string_view kHex = "0123456789abcdef";

/// Digits of `bits` bits each, most significant first; the last one filled up with zeros.
std::string encode(ByteView bytes, std::string_view alphabet, unsigned bits) {
  std::string out;
  out.reserve((bytes.size() * 8 + bits - 1) / bits + 4);
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (auto const byte : bytes) {
    buffer = buffer << 8U | std::to_integer<std::uint32_t>(byte);
    held += 8;
    while (held >= bits) {
      held -= bits;
      out.push_back(alphabet[buffer >> held & ((1U << bits) - 1U)]);
    }
    buffer &= (1U << held) - 1U;
  }
  if (held > 0) out.push_back(alphabet[buffer << (bits - held) & ((1U << bits) - 1U)]);
  return out;
}

std::array<std::int8_t, 256> values_of(std::string_view alphabet) {
  std::array<std::int8_t, 256> values{};
  values.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i)
    values[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  return values;
}

Result<Bytes> decode64(std::string_view text, std::array<std::int8_t, 256> const& values) {
  if (text.size() % 4 == 1) return fail(ErrorKind::kInvalid, "base64 of an impossible length");
  Bytes out;
  out.reserve(text.size() * 3 / 4);
  std::uint32_t buffer = 0;
  unsigned held = 0;
  for (char const c : text) {
    auto const value = values[static_cast<unsigned char>(c)];
    if (value < 0) return fail(ErrorKind::kInvalid, "base64 with a character outside its alphabet");
    buffer = buffer << 6U | static_cast<std::uint32_t>(value);
    held += 6;
    if (held >= 8) {
      held -= 8;
      out.push_back(static_cast<std::byte>(buffer >> held & 0xFFU));
    }
    buffer &= (1U << held) - 1U;
  }
  if (buffer != 0) return fail(ErrorKind::kInvalid, "base64 with bits beyond its end");
  return out;
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus_is_space) {
      out.push_back(' ');
    } else if (text[i] != '%') {
      out.push_back(text[i]);
    } else {
      int const high = i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
      int const low = i + 2 < text.size() ? hex_value(text[i + 2]) : -1;
      if (high < 0 || low < 0) return fail(ErrorKind::kInvalid, "a URL has a broken % escape");
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  if (out.contains('\0')) return fail(ErrorKind::kInvalid, "a URL has a NUL");
  if (!is_utf8(out)) return fail(ErrorKind::kInvalid, "a URL is not UTF-8");
  return out;
}

}  // namespace

std::string base64_encode(ByteView bytes) {
  std::string out = encode(bytes, kBase64, 6);
  while (out.size() % 4 != 0) out.push_back('=');
  return out;
}

Result<Bytes> base64_decode(std::string_view text) {
  static auto const values = values_of(kBase64);
  if (text.size() % 4 != 0) return fail(ErrorKind::kInvalid, "base64 without its padding");
  for (int i = 0; i < 2 && text.ends_with('='); ++i) text.remove_suffix(1);
  return decode64(text, values);
}

std::string base64url_encode(ByteView bytes) {
  return encode(bytes, kBase64Url, 6);
}

Result<Bytes> base64url_decode(std::string_view text) {
  static auto const values = values_of(kBase64Url);
  return decode64(text, values);
}

std::string hex_encode(ByteView bytes) {
  return encode(bytes, kHex, 4);
}

Result<Bytes> hex_decode(std::string_view text) {
  if (text.size() % 2 != 0) return fail(ErrorKind::kInvalid, "hex of an odd length");
  Bytes out;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    int const high = hex_value(text[i]);
    int const low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return fail(ErrorKind::kInvalid, "hex with a character outside its alphabet");
    out.push_back(static_cast<std::byte>(high * 16 + low));
  }
  return out;
}

std::string base32_encode(ByteView bytes) {
  return encode(bytes, kBase32, 5);
}

bool is_utf8(std::string_view text) {
  return simdjson::validate_utf8(text.data(), text.size());
}

Result<std::string> percent_decode(std::string_view text) {
  return percent_decode(text, false);
}

std::string percent_encode(std::string_view text) {
  std::string out;
  for (char const c : text) {
    bool const plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out.push_back(c);
    } else {
      auto const byte = static_cast<unsigned char>(c);
      out.append("%");
      out.push_back("0123456789ABCDEF"[byte >> 4U]);
      out.push_back("0123456789ABCDEF"[byte & 15U]);
    }
  }
  return out;
}

Result<std::vector<std::pair<std::string, std::string>>> parse_query(std::string_view query) {
  std::vector<std::pair<std::string, std::string>> parameters;
  while (!query.empty()) {
    auto const end = query.find('&');
    auto const part = query.substr(0, end);
    query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
    if (part.empty()) continue;
    auto const equals = part.find('=');
    auto name = TACENDA_TRY(percent_decode(part.substr(0, equals), true));
    std::string value;
    if (equals != std::string_view::npos) value = TACENDA_TRY(percent_decode(part.substr(equals + 1), true));
    parameters.emplace_back(std::move(name), std::move(value));
  }
  return parameters;
}

std::string format_uuid_v4(std::array<std::byte, 16> random) {
  random[6] = (random[6] & std::byte{0x0F}) | std::byte{0x40};
  random[8] = (random[8] & std::byte{0x3F}) | std::byte{0x80};
  std::string text = hex_encode(random);
  for (std::size_t const dash : {8U, 13U, 18U, 23U}) text.insert(dash, 1, '-');
  return text;
}

}  // namespace tacenda::codec
