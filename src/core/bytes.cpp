#include "core/bytes.hpp"

#include <algorithm>
#include <cstring>

namespace tacenda {
namespace {

template <typename T>
void put(Bytes& out, T value) {
  for (int shift = static_cast<int>(sizeof(T)) * 8 - 8; shift >= 0; shift -= 8) {
    out.push_back(static_cast<std::byte>((value >> shift) & 0xFFU));
  }
}

template <typename T>
Result<T> take(ByteView& rest) {
  if (rest.size() < sizeof(T)) return fail(ErrorKind::kCorrupt, "a stored integer is cut off");
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < sizeof(T); ++i) value = (value << 8U) | std::to_integer<std::uint64_t>(rest[i]);
  rest = rest.subspan(sizeof(T));
  return static_cast<T>(value);
}

}  // namespace

bool less(ByteView a, ByteView b) {
  std::size_t const common = std::min(a.size(), b.size());
  int const order = common == 0 ? 0 : std::memcmp(a.data(), b.data(), common);
  return order != 0 ? order < 0 : a.size() < b.size();
}

bool equal(ByteView a, ByteView b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size()) == 0);
}

ByteWriter& ByteWriter::u8(std::uint8_t value) {
  out_.push_back(static_cast<std::byte>(value));
  return *this;
}
ByteWriter& ByteWriter::u16(std::uint16_t value) {
  out_.push_back(static_cast<std::byte>(value >> 8U));
  out_.push_back(static_cast<std::byte>(value & 0xFFU));
  return *this;
}
ByteWriter& ByteWriter::u32(std::uint32_t value) {
  put(out_, value);
  return *this;
}
ByteWriter& ByteWriter::u64(std::uint64_t value) {
  put(out_, value);
  return *this;
}
ByteWriter& ByteWriter::raw(ByteView bytes) {
  append(out_, bytes);
  return *this;
}
ByteWriter& ByteWriter::sized(ByteView bytes) {
  u32(static_cast<std::uint32_t>(bytes.size()));
  return raw(bytes);
}

Result<std::uint8_t> ByteReader::u8() {
  return take<std::uint8_t>(rest_);
}
Result<std::uint16_t> ByteReader::u16() {
  return take<std::uint16_t>(rest_);
}
Result<std::uint32_t> ByteReader::u32() {
  return take<std::uint32_t>(rest_);
}
Result<std::uint64_t> ByteReader::u64() {
  return take<std::uint64_t>(rest_);
}

Result<ByteView> ByteReader::raw(std::size_t size_bytes) {
  if (rest_.size() < size_bytes) return fail(ErrorKind::kCorrupt, "a stored field is cut off");
  auto const field = rest_.first(size_bytes);
  rest_ = rest_.subspan(size_bytes);
  return field;
}

Result<ByteView> ByteReader::sized() {
  auto const size = TACENDA_TRY(u32());
  return raw(size);
}

}  // namespace tacenda
