#include "crypto/aead.hpp"

#include <algorithm>

#include "core/mutex.hpp"
#include "core/process.hpp"
#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {

using internal::must;

namespace {

constexpr std::size_t kBlockBytes = 16;
using Block = std::array<std::byte, kBlockBytes>;

EVP_CIPHER const* gcm_algorithm() {
  static EVP_CIPHER const* const algorithm = must(EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr));
  return algorithm;
}

EVP_CIPHER const* ecb_algorithm() {
  static EVP_CIPHER const* const algorithm = must(EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr));
  return algorithm;
}

// Wipes the key schedule when a message is done, so that no key outlives its owner in the context of some
// thread (80 ns a message).
class ThreadCipher {
 public:
  ThreadCipher() = default;
  ThreadCipher(ThreadCipher const&) = delete;
  ThreadCipher& operator=(ThreadCipher const&) = delete;
  ~ThreadCipher() { must(EVP_CIPHER_CTX_reset(context_)); }
  EVP_CIPHER_CTX* get() const { return context_; }

 private:
  EVP_CIPHER_CTX* context_ = internal::thread_cipher_context();
};

// `context` has key and nonce. An empty part is skipped: a null output pointer means associated data.
void absorb_and_crypt(EVP_CIPHER_CTX* context, ByteView associated_data, ByteView input,
                      std::span<std::byte> output) {
  int written = 0;
  if (!associated_data.empty()) {
    must(EVP_CipherUpdate(context, nullptr, &written, internal::in(associated_data),
                          internal::int_size(associated_data)));
  }
  if (!input.empty()) {
    must(EVP_CipherUpdate(context, internal::out(output), &written, internal::in(input),
                          internal::int_size(input)));
  }
}

void gcm_seal(EVP_CIPHER_CTX* context, ByteView associated_data, ByteView plaintext,
              std::span<std::byte> out) {
  auto const ciphertext = out.first(plaintext.size());
  absorb_and_crypt(context, associated_data, plaintext, ciphertext);
  int written = 0;
  unsigned char nothing = 0;
  must(EVP_CipherFinal_ex(context, &nothing, &written));
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, kTagBytes, internal::out(out.last(kTagBytes))));
}

Result<void> gcm_open(EVP_CIPHER_CTX* context, ByteView associated_data, ByteView sealed,
                      std::span<std::byte> out) {
  ByteView const tag = sealed.last(kTagBytes);
  absorb_and_crypt(context, associated_data, sealed.first(sealed.size() - kTagBytes), out);
  must(EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, kTagBytes,
                           const_cast<unsigned char*>(internal::in(tag))));
  int written = 0;
  unsigned char nothing = 0;
  if (EVP_CipherFinal_ex(context, &nothing, &written) != 1) {
    std::ranges::fill(out, std::byte{0});  // nobody may read a plaintext that was not authenticated
    return fail(ErrorKind::kCorrupt, "authentication of sealed bytes failed");
  }
  return {};
}

enum Direction : int { kOpen = 0, kSeal = 1 };

}  // namespace

// --- XAES-256-GCM -----------------------------------------------------------------------------------

// The input key's schedule serves two blocks a message (15 ns), so one context under a lock beats a copy
// per thread, and it dies with the object.
struct Xaes256Gcm::State {
  using MessageKey = Secret<struct MessageKeyTag, 32>;

  explicit State(AeadKey const& key) {
    must(EVP_EncryptInit_ex2(context.get(), ecb_algorithm(), internal::in(key.reveal()), nullptr, nullptr));
    must(EVP_CIPHER_CTX_set_padding(context.get(), 0));
    Block const zero{};
    encrypt(zero, subkey.reveal_mutable());
    double_in_field(subkey.reveal_mutable());
  }

  // NIST SP 800-108r1 in counter mode over CMAC-AES256, label "X", context nonce[:12]: two single blocks.
  MessageKey message_key(XaesNonce const& nonce) {
    std::array<std::byte, 2 * kBlockBytes> blocks{};
    for (std::size_t i = 0; i < 2; ++i) {
      auto const block = std::span(blocks).subspan(i * kBlockBytes, kBlockBytes);
      block[1] = static_cast<std::byte>(i + 1);
      block[2] = std::byte{'X'};
      std::ranges::copy(std::span(nonce).first<kGcmNonceBytes>(), block.subspan(4).begin());
      for (std::size_t j = 0; j < kBlockBytes; ++j) block[j] ^= subkey.reveal()[j];
    }
    MessageKey derived;
    MutexLock const lock(mutex);
    encrypt(blocks, derived.reveal_mutable());
    return derived;
  }

  void encrypt(ByteView blocks, std::span<std::byte> result) {
    int written = 0;
    must(EVP_EncryptUpdate(context.get(), internal::out(result), &written, internal::in(blocks),
                           internal::int_size(blocks)));
  }

  // K1 of CMAC: doubling in GF(2^128), NIST SP 800-38B section 6.1; without a branch on the key.
  static void double_in_field(std::span<std::byte> block) {
    auto const overflow = std::to_integer<unsigned>(block[0] >> 7U);
    for (std::size_t i = 0; i + 1 < block.size(); ++i) block[i] = (block[i] << 1U) | (block[i + 1] >> 7U);
    block.back() = (block.back() << 1U) ^ static_cast<std::byte>(0x87U * overflow);
  }

  Mutex mutex;  // guards the use of context
  internal::CipherContext context{must(EVP_CIPHER_CTX_new())};
  Secret<struct CmacSubkeyTag, kBlockBytes> subkey;
};

namespace {

void start(EVP_CIPHER_CTX* context, ByteView key, ByteView nonce, Direction direction) {
  must(EVP_CipherInit_ex2(context, gcm_algorithm(), internal::in(key), internal::in(nonce), direction,
                          nullptr));
}

}  // namespace

Xaes256Gcm::Xaes256Gcm(AeadKey const& key) : state_(std::make_unique<State>(key)) {}
Xaes256Gcm::~Xaes256Gcm() = default;
Xaes256Gcm::Xaes256Gcm(Xaes256Gcm&&) noexcept = default;
Xaes256Gcm& Xaes256Gcm::operator=(Xaes256Gcm&&) noexcept = default;

void Xaes256Gcm::seal(XaesNonce const& nonce, ByteView associated_data, ByteView plaintext,
                      Bytes& out) const {
  auto const key = state_->message_key(nonce);
  std::size_t const before = out.size();
  out.resize(before + plaintext.size() + kTagBytes);
  ThreadCipher const cipher;
  start(cipher.get(), key.reveal(), ByteView(nonce).last(kGcmNonceBytes), kSeal);
  gcm_seal(cipher.get(), associated_data, plaintext, std::span(out).subspan(before));
}

Result<void> Xaes256Gcm::open(XaesNonce const& nonce, ByteView associated_data, ByteView sealed,
                              Bytes& out) const {
  if (sealed.size() < kTagBytes) return fail(ErrorKind::kCorrupt, "sealed bytes are shorter than a tag");
  auto const key = state_->message_key(nonce);
  std::size_t const before = out.size();
  out.resize(before + sealed.size() - kTagBytes);
  ThreadCipher const cipher;
  start(cipher.get(), key.reveal(), ByteView(nonce).last(kGcmNonceBytes), kOpen);
  auto const opened = gcm_open(cipher.get(), associated_data, sealed, std::span(out).subspan(before));
  if (!opened) out.resize(before);
  return opened;
}

// --- AES-256-GCM ------------------------------------------------------------------------------------

// Two contexts with the key set, one for each direction, that are only ever copied: copying costs a third
// of setting a key.
struct Aes256Gcm::State {
  explicit State(AeadKey const& key) {
    for (auto const& [context, direction] :
         {std::pair{sealing.get(), kSeal}, std::pair{opening.get(), kOpen}}) {
      must(EVP_CipherInit_ex2(context, gcm_algorithm(), internal::in(key.reveal()), nullptr, direction,
                              nullptr));
    }
  }
  internal::CipherContext sealing{must(EVP_CIPHER_CTX_new())};
  internal::CipherContext opening{must(EVP_CIPHER_CTX_new())};
};

namespace {

void start_copy(EVP_CIPHER_CTX* context, EVP_CIPHER_CTX const* keyed, ByteView nonce, Direction direction) {
  must(EVP_CIPHER_CTX_copy(context, keyed));
  must(EVP_CipherInit_ex2(context, nullptr, nullptr, internal::in(nonce), direction, nullptr));
}

}  // namespace

Aes256Gcm::Aes256Gcm(AeadKey const& key) : state_(std::make_unique<State>(key)) {}
Aes256Gcm::~Aes256Gcm() = default;
Aes256Gcm::Aes256Gcm(Aes256Gcm&&) noexcept = default;
Aes256Gcm& Aes256Gcm::operator=(Aes256Gcm&&) noexcept = default;

void Aes256Gcm::seal(GcmNonce const& nonce, ByteView associated_data, ByteView plaintext,
                     std::span<std::byte> out) const {
  TACENDA_ASSERT(out.size() == plaintext.size() + kTagBytes);
  ThreadCipher const cipher;
  start_copy(cipher.get(), state_->sealing.get(), nonce, kSeal);
  gcm_seal(cipher.get(), associated_data, plaintext, out);
}

Result<void> Aes256Gcm::open(GcmNonce const& nonce, ByteView associated_data, ByteView sealed,
                             std::span<std::byte> out) const {
  if (sealed.size() < kTagBytes) return fail(ErrorKind::kCorrupt, "sealed bytes are shorter than a tag");
  TACENDA_ASSERT(out.size() == sealed.size() - kTagBytes);
  ThreadCipher const cipher;
  start_copy(cipher.get(), state_->opening.get(), nonce, kOpen);
  return gcm_open(cipher.get(), associated_data, sealed, out);
}

}  // namespace tacenda::crypto
