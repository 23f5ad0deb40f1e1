#include "crypto/signature.hpp"

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {

using internal::must;

struct Ed25519Signer::State {
  internal::Key key;
  Ed25519PublicKey public_key{};
};

Ed25519Signer::Ed25519Signer(std::unique_ptr<State> state) : state_(std::move(state)) {}
Ed25519Signer::~Ed25519Signer() = default;
Ed25519Signer::Ed25519Signer(Ed25519Signer&&) noexcept = default;
Ed25519Signer& Ed25519Signer::operator=(Ed25519Signer&&) noexcept = default;

namespace {

internal::Key private_key(ByteView seed) {
  return internal::Key(
      EVP_PKEY_new_raw_private_key_ex(nullptr, "ED25519", nullptr, internal::in(seed), seed.size()));
}

}  // namespace

Result<Ed25519Signer> Ed25519Signer::create(Ed25519Seed const& seed) {
  auto state = std::make_unique<State>(private_key(seed.reveal()));
  if (!state->key) return fail(ErrorKind::kInvalid, "Ed25519 seed was refused");
  std::size_t size = state->public_key.size();
  must(EVP_PKEY_get_raw_public_key(state->key.get(), internal::out(state->public_key), &size));
  return Ed25519Signer(std::move(state));
}

Result<Ed25519Signer> Ed25519Signer::create(SecretBuffer const& seed) {
  if (seed.size() != Ed25519Seed::kSize) return fail(ErrorKind::kInvalid, "Ed25519 seed is not 32 bytes");
  Ed25519Seed fixed;
  std::ranges::copy(seed.reveal(), fixed.reveal_mutable().begin());
  return create(fixed);
}

Ed25519PublicKey Ed25519Signer::public_key() const {
  return state_->public_key;
}

Result<Ed25519Signature> Ed25519Signer::sign(ByteView message) const {
  // Not the thread's context: it would keep a reference to the private key.
  internal::MdContext const context(must(EVP_MD_CTX_new()));
  Ed25519Signature signature;
  std::size_t size = signature.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, state_->key.get(), nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), internal::out(signature), &size, internal::in(message), message.size()) !=
          1) {
    return fail(ErrorKind::kUnavailable, "Ed25519 signature could not be made");
  }
  return signature;
}

bool ed25519_verify(Ed25519PublicKey const& key, ByteView message, ByteView signature) {
  internal::Key const public_key(
      EVP_PKEY_new_raw_public_key_ex(nullptr, "ED25519", nullptr, internal::in(key), key.size()));
  if (!public_key) return false;
  internal::MdContext const context(must(EVP_MD_CTX_new()));
  return EVP_DigestVerifyInit_ex(context.get(), nullptr, nullptr, nullptr, nullptr, public_key.get(),
                                 nullptr) == 1 &&
         EVP_DigestVerify(context.get(), internal::in(signature), signature.size(), internal::in(message),
                          message.size()) == 1;
}

}  // namespace tacenda::crypto
