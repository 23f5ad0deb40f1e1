#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tacenda {

using Bytes = std::vector<std::byte>;
using ByteView = std::span<std::byte const>;
using Digest = std::array<std::byte, 32>;  // SHA-256

/// Views text as bytes; no copy.
inline ByteView as_bytes(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

/// Views bytes as text; no copy, no check that it is UTF-8.
inline std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<char const*>(bytes.data()), bytes.size()};
}

inline Bytes to_bytes(std::string_view text) {
  auto const view = as_bytes(text);
  return {view.begin(), view.end()};
}
inline Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}

inline void append(Bytes& out, ByteView bytes) {
  out.insert(out.end(), bytes.begin(), bytes.end());
}
inline void append(Bytes& out, std::string_view text) {
  append(out, as_bytes(text));
}

/// Lexicographic order by unsigned byte, the order of every key in storage.
bool less(ByteView a, ByteView b);
bool equal(ByteView a, ByteView b);

/// Appends fields of the product's binary formats. All integers are big-endian, so that encoded keys
/// sort like the numbers in them.
class ByteWriter {
 public:
  explicit ByteWriter(Bytes& out) : out_(out) {}

  ByteWriter& u8(std::uint8_t value);
  ByteWriter& u16(std::uint16_t value);
  ByteWriter& u32(std::uint32_t value);
  ByteWriter& u64(std::uint64_t value);
  ByteWriter& raw(ByteView bytes);
  /// A 32-bit length, then the bytes. Injective: what AAD is built from.
  ByteWriter& sized(ByteView bytes);
  ByteWriter& sized(std::string_view text) { return sized(as_bytes(text)); }

 private:
  Bytes& out_;
};

/// Reads what ByteWriter wrote, from bytes that may be hostile.
/// Errors of every read: kCorrupt when fewer bytes are left than asked for.
class ByteReader {
 public:
  explicit ByteReader(ByteView bytes) : rest_(bytes) {}

  Result<std::uint8_t> u8();
  Result<std::uint16_t> u16();
  Result<std::uint32_t> u32();
  Result<std::uint64_t> u64();
  Result<ByteView> raw(std::size_t size_bytes);
  Result<ByteView> sized();
  ByteView rest() const { return rest_; }
  bool done() const { return rest_.empty(); }

 private:
  ByteView rest_;
};

}  // namespace tacenda
