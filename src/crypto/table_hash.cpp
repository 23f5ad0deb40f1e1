#include "crypto/table_hash.hpp"

#include <algorithm>
#include <array>

#include <sodium.h>

#include "core/process.hpp"
#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {
namespace {

constexpr std::size_t kShortBytes = 512;  // what is longer is copied to the heap

using Key = std::array<unsigned char, crypto_shorthash_KEYBYTES>;

Key const& key_of_process() {
  static Key const key = [] {
    Key made;
    int const started = sodium_init();  // 0: done, 1: was done before
    TACENDA_ASSERT(started >= 0);
    crypto_shorthash_keygen(made.data());
    return made;
  }();
  return key;
}

std::uint64_t hash_of(ByteView text) {
  static_assert(crypto_shorthash_BYTES == sizeof(std::uint64_t));
  std::array<std::byte, crypto_shorthash_BYTES> out;
  crypto_shorthash(internal::out(out), internal::in(text), text.size(), key_of_process().data());
  return ByteReader(out).u64().value();  // it has eight bytes
}

}  // namespace

std::uint64_t table_hash(std::initializer_list<ByteView> parts) {
  std::size_t size = 0;
  for (auto const part : parts) size += part.size();
  if (size > kShortBytes) {
    Bytes text;
    text.reserve(size);
    for (auto const part : parts) text.insert(text.end(), part.begin(), part.end());
    return hash_of(text);
  }
  std::array<std::byte, kShortBytes> text;
  auto end = text.begin();
  for (auto const part : parts) end = std::ranges::copy(part, end).out;
  return hash_of(ByteView(text).first(size));
}

}  // namespace tacenda::crypto
