#include "crypto/lthash.hpp"

#include <bit>
#include <cstring>

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {

using internal::must;

namespace {

EVP_CIPHER const* ctr_algorithm() {
  static EVP_CIPHER const* const algorithm = must(EVP_CIPHER_fetch(nullptr, "AES-256-CTR", nullptr));
  return algorithm;
}

// Lanes are little-endian on disk, which is how they lie in memory on every machine the product runs on.
static_assert(std::endian::native == std::endian::little);

}  // namespace

Result<LtHashSum> LtHashSum::parse(ByteView bytes) {
  if (bytes.size() != kLtHashBytes) return fail(ErrorKind::kCorrupt, "multiset hash is not 2,048 bytes");
  LtHashSum sum;
  std::memcpy(sum.lanes_.data(), bytes.data(), kLtHashBytes);
  return sum;
}

Bytes LtHashSum::serialise() const {
  return to_bytes(std::as_bytes(std::span(lanes_)));
}

// Both work on a copy: the compiler makes vector instructions of a loop only if it sees that the operands
// are not the same memory.
LtHashSum& LtHashSum::operator+=(LtHashSum const& other) {
  auto const addends = other.lanes_;
  for (std::size_t i = 0; i < kLanes; ++i) lanes_[i] = static_cast<std::uint16_t>(lanes_[i] + addends[i]);
  return *this;
}

LtHashSum& LtHashSum::operator-=(LtHashSum const& other) {
  auto const addends = other.lanes_;
  for (std::size_t i = 0; i < kLanes; ++i) lanes_[i] = static_cast<std::uint16_t>(lanes_[i] - addends[i]);
  return *this;
}

LtHashSum LtHash::expand(ByteView item) const {
  static constexpr std::array<std::byte, kLtHashBytes> kZeros{};
  Digest const key = hmac_.sign({item});
  LtHashSum expanded;
  EVP_CIPHER_CTX* const context = internal::thread_cipher_context();
  int written = 0;
  // The counter starts at zero: the key is used for this one item.
  must(EVP_EncryptInit_ex2(context, ctr_algorithm(), internal::in(key),
                           internal::in(ByteView(kZeros).first(16)), nullptr));
  must(EVP_EncryptUpdate(context, internal::out(std::as_writable_bytes(std::span(expanded.lanes_))), &written,
                         internal::in(kZeros), kLtHashBytes));
  must(EVP_CIPHER_CTX_reset(context));
  return expanded;
}

}  // namespace tacenda::crypto
