#include "vault/internal/envelope.hpp"

#include <algorithm>

#include "core/process.hpp"
#include "crypto/hash.hpp"

namespace tacenda::vault {
namespace {

template <typename Key>
Key derive(ByteView key, std::string_view label) {
  auto const bytes = crypto::hkdf(crypto::HkdfHash::kSha256, key, {}, as_bytes(label), Key::kSize);
  TACENDA_ASSERT(bytes.has_value());  // 32 bytes are within what HKDF gives
  Key derived;
  std::ranges::copy(bytes->reveal(), derived.reveal_mutable().begin());
  return derived;
}

}  // namespace

Result<void> seal_with(crypto::Xaes256Gcm const& aead, crypto::HedgedNonces& nonces, ByteView associated_data,
                       ByteView plaintext, Bytes& out) {
  auto const nonce = TACENDA_TRY(nonces.next(associated_data, plaintext));
  out.reserve(out.size() + nonce.size() + plaintext.size() + crypto::kTagBytes);
  append(out, nonce);
  aead.seal(nonce, associated_data, plaintext, out);
  return {};
}

Result<void> seal_once(crypto::AeadKey const& key, crypto::Random& random, ByteView associated_data,
                       ByteView plaintext, Bytes& out) {
  crypto::HedgedNonces nonces(derive_mac_key(key.reveal(), "tacenda/nonce/once/1"), random);
  return seal_with(crypto::Xaes256Gcm(key), nonces, associated_data, plaintext, out);
}

Result<void> open_with(crypto::Xaes256Gcm const& aead, ByteView associated_data, ByteView sealed,
                       Bytes& plaintext) {
  ByteReader reader(sealed);
  crypto::XaesNonce nonce;
  std::ranges::copy(TACENDA_TRY(reader.raw(nonce.size())), nonce.begin());
  return aead.open(nonce, associated_data, reader.rest(), plaintext);
}

Result<void> check_envelope(ByteReader& reader) {
  if (TACENDA_TRY(reader.u8()) != kEnvelopeVersion || TACENDA_TRY(reader.u8()) != kXaes256Gcm) {
    return fail(ErrorKind::kCorrupt, "an envelope has an unknown version or algorithm");
  }
  return {};
}

crypto::MacKey derive_mac_key(ByteView key, std::string_view label) {
  return derive<crypto::MacKey>(key, label);
}
crypto::AeadKey derive_aead_key(ByteView key, std::string_view label) {
  return derive<crypto::AeadKey>(key, label);
}

}  // namespace tacenda::vault
