#include "vault/chunk_seal.hpp"

#include <algorithm>
#include <utility>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "vault/internal/envelope.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

struct ChunkSeal::State {
  State(Vault const& vault, Id const& content, crypto::AeadKey content_key)
      : id(content),
        key(std::move(content_key)),
        aead(key),
        nonce_mac(derive_mac_key(key.reveal(), "tacenda/nonce/content/1")) {
    ByteWriter(bound).sized("tacenda/content/1").raw(vault.store_id()).raw(vault.tenant_id()).raw(id);
  }

  Bytes associated_data(ChunkPlace place) const {
    Bytes data = bound;
    ByteWriter(data).u32(place.index).u8(place.is_last ? 1 : 0);
    return data;
  }

  Id id;
  crypto::AeadKey key;
  crypto::Xaes256Gcm aead;
  crypto::Hmac nonce_mac;
  Bytes bound;  // the associated data but for the place
  bool is_new = false;
};

ChunkSeal::ChunkSeal(std::unique_ptr<State> state) : state_(std::move(state)) {}
ChunkSeal::~ChunkSeal() = default;
ChunkSeal::ChunkSeal(ChunkSeal&&) noexcept = default;
ChunkSeal& ChunkSeal::operator=(ChunkSeal&&) noexcept = default;

Result<ChunkSeal> ChunkSeal::make(Vault const& vault) {
  auto const id = TACENDA_TRY(vault.random_bytes16());
  crypto::AeadKey key;
  auto out = key.reveal_mutable().begin();
  for (int half = 0; half < 2; ++half) out = std::ranges::copy(TACENDA_TRY(vault.random_bytes16()), out).out;
  auto state = std::make_unique<State>(vault, id, std::move(key));
  state->is_new = true;
  return ChunkSeal(std::move(state));
}

Result<ChunkSeal> ChunkSeal::restore(Vault const& vault, ByteView secret) {
  if (secret.size() != kSecretBytes)
    return fail(ErrorKind::kCorrupt, "the key of a content has another size");
  Id id;
  std::ranges::copy(secret.first(id.size()), id.begin());
  crypto::AeadKey key;
  std::ranges::copy(secret.last(crypto::AeadKey::kSize), key.reveal_mutable().begin());
  return ChunkSeal(std::make_unique<State>(vault, id, std::move(key)));
}

ChunkSeal::Id const& ChunkSeal::id() const {
  return state_->id;
}

bool ChunkSeal::is_new() const {
  return state_->is_new;
}

void ChunkSeal::put_secret(Bytes& out) const {
  append(out, state_->id);
  append(out, state_->key.reveal());
}

Bytes ChunkSeal::seal(ChunkPlace place, ByteView plaintext) const {
  auto const bound = state_->associated_data(place);
  auto const mac = state_->nonce_mac.sign({ByteView(bound), ByteView(crypto::sha256(plaintext))});
  crypto::XaesNonce nonce;
  std::copy_n(mac.begin(), nonce.size(), nonce.begin());
  Bytes out;
  out.reserve(2 + nonce.size() + plaintext.size() + crypto::kTagBytes);
  ByteWriter(out).u8(kEnvelopeVersion).u8(kXaes256Gcm).raw(nonce);
  state_->aead.seal(nonce, bound, plaintext, out);
  return out;
}

Result<void> ChunkSeal::open(ChunkPlace place, ByteView sealed, Bytes& out) const {
  ByteReader reader(sealed);
  TACENDA_TRY_VOID(check_envelope(reader));
  return open_with(state_->aead, state_->associated_data(place), reader.rest(), out);
}

Bytes chunk_key(ChunkSeal::Id const& id, std::uint32_t index) {
  Bytes key;
  ByteWriter(key).u8('B').raw(id).u32(index);
  return key;
}

}  // namespace tacenda::vault
