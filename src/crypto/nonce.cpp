#include "crypto/nonce.hpp"

#include <algorithm>
#include <atomic>

namespace tacenda::crypto {

struct HedgedNonces::State {
  State(MacKey const& nonce_key, Random& source) : hmac(nonce_key), random(&source) {}

  Hmac hmac;
  Random* random;  // made in main, outlives every key
  std::atomic<std::uint64_t> counter{0};
};

HedgedNonces::HedgedNonces(MacKey const& nonce_key, Random& random)
    : state_(std::make_unique<State>(nonce_key, random)) {}
HedgedNonces::~HedgedNonces() = default;
HedgedNonces::HedgedNonces(HedgedNonces&&) noexcept = default;
HedgedNonces& HedgedNonces::operator=(HedgedNonces&&) noexcept = default;

Result<XaesNonce> HedgedNonces::next(ByteView associated_data, ByteView plaintext) {
  std::array<std::byte, kXaesNonceBytes> random{};
  TACENDA_TRY_VOID(state_->random->fill(random));
  std::array<std::byte, 8> counter{};
  std::uint64_t rest = state_->counter.fetch_add(1, std::memory_order_relaxed);
  for (std::size_t i = counter.size(); i-- > 0; rest >>= 8U)
    counter[i] = static_cast<std::byte>(rest & 0xffU);

  // Both texts enter as digests of fixed length: concatenated as they are, a byte could move from one to
  // the other without changing the input.
  Digest const mac = state_->hmac.sign({random, counter, sha256(associated_data), sha256(plaintext)});
  XaesNonce nonce;
  std::ranges::copy(std::span(mac).first<kXaesNonceBytes>(), nonce.begin());
  return nonce;
}

}  // namespace tacenda::crypto
