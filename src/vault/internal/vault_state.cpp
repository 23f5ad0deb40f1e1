#include "vault/internal/vault_state.hpp"

#include <algorithm>

#include "crypto/fresh_key.hpp"

namespace tacenda::vault {

PurposeKeys::PurposeKeys(Term const& term, crypto::Random& random)
    : number(term.number),
      aead(term.key),
      nonces(derive_mac_key(term.key.reveal(), "tacenda/nonce/purpose/1"), random),
      share(derive_aead_key(term.key.reveal(), "tacenda/for-all-share/1")) {}

namespace {

/// Whether what a term sealed is still opened. What was handed out under a compromised term may be anybody's
/// making, and nothing of the store is under it.
bool opens(std::uint8_t purpose, Term const& term) {
  if (term.state == KeyState::kDestroyed) return false;
  return purpose != static_cast<std::uint8_t>(Purpose::kToken) || term.state != KeyState::kCompromised;
}

}  // namespace

// One after the other: who reads for long may hold on to a chain that no stack is deep enough for.
Readers::~Readers() {
  auto rest = std::move(next);
  while (rest != nullptr && rest.use_count() == 1) {
    auto after = std::move(rest->next);
    rest = std::move(after);
  }
}

Vault::State::State(storage::Files& the_files, Places the_places, Slots const& slots, RootKey root_key,
                    Keyring ring, crypto::Random& the_random, Clock const& the_clock)
    : files(the_files),
      places(std::move(the_places)),
      store_id(slots.store_id),
      tenant_id(ring.tenant_id),
      random(the_random),
      clock(the_clock),
      root(std::move(root_key)),
      keyring(std::move(ring)),
      root_file(files, beside(places, ".root"), root, store_id) {
  for (auto const& [purpose, all] : keyring.purposes) {
    for (auto const& each : all) {
      if (opens(purpose, each)) terms[purpose].push_back(std::make_shared<PurposeKeys>(each, random));
    }
  }
}

std::shared_ptr<PurposeKeys> Vault::State::newest(Purpose purpose) const {
  MutexLock const lock(terms_mutex);
  return terms.at(static_cast<std::uint8_t>(purpose)).back();
}

std::shared_ptr<PurposeKeys> Vault::State::term(Purpose purpose, std::uint32_t number) const {
  MutexLock const lock(terms_mutex);
  for (auto const& keys : terms.at(static_cast<std::uint8_t>(purpose))) {
    if (keys->number == number) return keys;
  }
  return nullptr;
}

std::shared_ptr<void const> Vault::State::reading() const {
  MutexLock const lock(reading_mutex);
  return readers;
}

Bytes Vault::State::purpose_data(Purpose purpose, ByteView associated_data) const {
  Bytes data;
  data.reserve(associated_data.size() + 64);
  ByteWriter(data).raw(store_id).raw(tenant_id).u8(static_cast<std::uint8_t>(purpose)).raw(associated_data);
  return data;
}

Result<Bytes> Vault::State::seal(PurposeKeys& keys, Purpose purpose, ByteView associated_data,
                                 ByteView plaintext) const {
  Bytes out;
  ByteWriter(out).u8(kEnvelopeVersion).u8(kXaes256Gcm).u32(keys.number);
  TACENDA_TRY_VOID(seal_with(keys.aead, keys.nonces, purpose_data(purpose, associated_data), plaintext, out));
  return out;
}

Result<Bytes> Vault::State::seal(Purpose purpose, ByteView associated_data, ByteView plaintext) const {
  auto const keys = newest(purpose);
  return seal(*keys, purpose, associated_data, plaintext);
}

Result<Bytes> Vault::State::open(Purpose purpose, ByteView associated_data, ByteView sealed) const {
  ByteReader reader(sealed);
  TACENDA_TRY_VOID(check_envelope(reader));
  auto const keys = term(purpose, TACENDA_TRY(reader.u32()));
  if (keys == nullptr)
    return fail(ErrorKind::kCorrupt, "an envelope names a term that the keyring does not have");
  Bytes plaintext;
  TACENDA_TRY_VOID(open_with(keys->aead, purpose_data(purpose, associated_data), reader.rest(), plaintext));
  return plaintext;
}

Result<void> Vault::State::check_settled() const {
  if (!unsettled) return {};
  return fail(ErrorKind::kUnavailable,
              "a change of the root key failed on its way to the disk: keys can be changed after a restart");
}

Result<void> Vault::State::finish_root() {
  if (!has_old_root_files) return {};
  TACENDA_TRY_VOID(finish_root_key(files, places, keyring, root, store_id, random));
  TACENDA_TRY_VOID(tree->finish_root_key());
  has_old_root_files = false;
  return {};
}

Result<void> Vault::State::begin_new_files() {
  auto const begun = engine->begin_new_files();
  if (begun.has_value()) return begun;
  MutexLock const lock(mutex);
  has_old_engine_files = true;
  return begun;
}

Result<void> Vault::State::change(Keyring next) {
  TACENDA_TRY_VOID(check_settled());
  // A keyring that stayed under the key before would keep what is destroyed from now on.
  TACENDA_TRY_VOID(finish_root());
  // Counted even when the write fails half-way: no two keyrings may bear one number.
  next.generation = ++keyring.generation;
  TACENDA_TRY_VOID(write_keyring(files, places, next, root, store_id, random));
  AllTerms ready;
  for (auto const& [purpose, all] : next.purposes) {
    for (auto const& each : all) {
      if (!opens(purpose, each)) continue;
      auto keys = term(static_cast<Purpose>(purpose), each.number);
      ready[purpose].push_back(keys ? std::move(keys) : std::make_shared<PurposeKeys>(each, random));
    }
  }
  keyring = std::move(next);
  MutexLock const lock(terms_mutex);
  std::swap(terms, ready);
  return {};
}

Result<storage::NewFileKey> Vault::State::make(storage::FileClass) {
  storage::NewFileKey fresh;
  // Chunks of a table are sealed under counted nonces: a key that comes twice would be the end of both files.
  TACENDA_TRY_VOID(crypto::fresh_key(random, clock, fresh.key.reveal_mutable()));
  fresh.wrapped = TACENDA_TRY(seal(Purpose::kFile, as_bytes("tacenda/file-key/1"), fresh.key.reveal()));
  return fresh;
}

Result<crypto::AeadKey> Vault::State::open(ByteView wrapped) {
  auto bytes =
      TACENDA_TRY(std::as_const(*this).open(Purpose::kFile, as_bytes("tacenda/file-key/1"), wrapped));
  if (bytes.size() != crypto::AeadKey::kSize)
    return fail(ErrorKind::kCorrupt, "a file key has another length");
  crypto::AeadKey key;
  std::ranges::copy(bytes, key.reveal_mutable().begin());
  ::explicit_bzero(bytes.data(), bytes.size());
  return key;
}

}  // namespace tacenda::vault
