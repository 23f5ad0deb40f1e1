#include "vault/subject.hpp"

#include <algorithm>

#include "core/process.hpp"
#include "crypto/hash.hpp"
#include "vault/internal/envelope.hpp"

namespace tacenda::vault {

SubjectKeys::SubjectKeys(Alias alias, std::uint32_t generation, crypto::AeadKey dek,
                         crypto::AeadKey audit_key, crypto::Random& random)
    : alias_(alias),
      generation_(generation),
      dek_(std::move(dek)),
      audit_key_(std::move(audit_key)),
      audit_commitment_(
          crypto::sha256({as_bytes("tacenda/audit-key-commitment/1"), ByteView(audit_key_.reveal())})),
      record_aead_(dek_),
      audit_aead_(audit_key_),
      record_nonces_(derive_mac_key(dek_.reveal(), "tacenda/nonce/record/1"), random),
      audit_nonces_(derive_mac_key(audit_key_.reveal(), "tacenda/nonce/audit/1"), random) {}

Result<void> SubjectKeys::seal_record(ByteView associated_data, ByteView plaintext, Bytes& out) const {
  ByteWriter(out).u8(kEnvelopeVersion).u8(kXaes256Gcm).u32(generation_);
  return seal_with(record_aead_, record_nonces_, associated_data, plaintext, out);
}

Result<void> SubjectKeys::open_record(ByteView associated_data, ByteView envelope, Bytes& plaintext) const {
  ByteReader reader(envelope);
  TACENDA_TRY_VOID(check_envelope(reader));
  if (TACENDA_TRY(reader.u32()) != generation_)
    return fail(ErrorKind::kCorrupt, "an envelope is of another key generation");
  return open_with(record_aead_, associated_data, reader.rest(), plaintext);
}

Result<void> SubjectKeys::seal_audit(ByteView associated_data, ByteView plaintext, Bytes& out) const {
  ByteWriter(out).u8(kEnvelopeVersion).u8(kXaes256Gcm);
  return seal_with(audit_aead_, audit_nonces_, associated_data, plaintext, out);
}

Result<void> SubjectKeys::open_audit(ByteView associated_data, ByteView envelope, Bytes& plaintext) const {
  ByteReader reader(envelope);
  TACENDA_TRY_VOID(check_envelope(reader));
  return open_with(audit_aead_, associated_data, reader.rest(), plaintext);
}

Result<std::shared_ptr<SubjectKeys const>> SubjectKeys::combine(
    std::vector<std::shared_ptr<SubjectKeys const>> const& all, SubjectKeys const& tenant,
    crypto::Random& random) {
  TACENDA_ASSERT(all.size() > 1);
  SecretBuffer input(all.size() * crypto::AeadKey::kSize);
  Bytes aliases;
  auto out = input.reveal_mutable().begin();
  std::uint32_t generation = 0;
  for (auto const& keys : all) {
    out = std::ranges::copy(keys->dek_.reveal(), out).out;
    append(aliases, keys->alias_);
    generation = std::max(generation, keys->generation_);
  }
  Digest const names = crypto::sha256({as_bytes("tacenda/combined-alias/1"), ByteView(aliases)});
  Alias alias;
  std::copy_n(names.begin(), alias.size(), alias.begin());
  auto dek = derive_aead_key(input.reveal(), "tacenda/combined-dek/1");
  crypto::AeadKey audit_key;
  std::ranges::copy(tenant.audit_key_.reveal(), audit_key.reveal_mutable().begin());
  return std::make_shared<SubjectKeys const>(alias, generation, std::move(dek), std::move(audit_key), random);
}

KeyForAll SubjectKeys::for_all(crypto::AeadKey const& own,
                               std::span<std::shared_ptr<SubjectKeys const> const> all, ByteView salt) {
  std::vector<SubjectKeys const*> ordered;
  ordered.reserve(all.size());
  for (auto const& keys : all) ordered.push_back(keys.get());
  std::ranges::sort(ordered, {}, [](SubjectKeys const* keys) { return keys->alias_; });
  auto const repeated =
      std::ranges::unique(ordered, {}, [](SubjectKeys const* keys) { return keys->alias_; });
  ordered.erase(repeated.begin(), repeated.end());

  SecretBuffer input((1 + ordered.size()) * crypto::AeadKey::kSize);
  auto out = std::ranges::copy(own.reveal(), input.reveal_mutable().begin()).out;
  for (auto const* keys : ordered) out = std::ranges::copy(keys->audit_key_.reveal(), out).out;
  auto const bytes = crypto::hkdf(crypto::HkdfHash::kSha256, input.reveal(), salt,
                                  as_bytes("tacenda/for-all/1"), crypto::AeadKey::kSize + sizeof(Digest));
  TACENDA_ASSERT(bytes.has_value());  // 64 bytes are within what HKDF gives
  KeyForAll derived;
  std::ranges::copy(bytes->reveal().first(crypto::AeadKey::kSize), derived.key.reveal_mutable().begin());
  std::ranges::copy(bytes->reveal().last(sizeof(Digest)), derived.commitment.begin());
  return derived;
}

}  // namespace tacenda::vault
