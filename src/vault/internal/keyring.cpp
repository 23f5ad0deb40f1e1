#include "vault/internal/keyring.hpp"

#include <algorithm>

#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::string_view kMagic = "TCNDRING";
constexpr std::uint16_t kVersion = 2;
constexpr std::uint16_t kVersionWithoutStates = 1;
constexpr std::uint8_t kToBeDestroyed = 1;
constexpr std::uint8_t kDerivesStill = 2;

Bytes header_of(std::uint16_t version, std::uint64_t generation, std::array<std::byte, 16> const& store_id) {
  Bytes header;
  ByteWriter(header).raw(as_bytes(kMagic)).u16(version).u64(generation).raw(store_id);
  return header;
}

std::size_t plaintext_size(Keyring const& keyring) {
  std::size_t size = 64;
  for (auto const& [purpose, terms] : keyring.purposes) size += 3 + terms.size() * 87;
  for (auto const& [name, secret] : keyring.secrets) size += 8 + name.size() + secret.size();
  return size;
}

void encode_term(ByteWriter& writer, Term const& term) {
  unsigned const flags =
      (term.is_to_be_destroyed ? kToBeDestroyed : 0U) | (term.derivation ? kDerivesStill : 0U);
  writer.u32(term.number)
      .u8(kXaes256Gcm)
      .u8(static_cast<std::uint8_t>(term.state))
      .u8(static_cast<std::uint8_t>(flags))
      .u64(to_unix_ms(term.created))
      .u64(to_unix_ms(term.changed));
  if (term.state != KeyState::kDestroyed) writer.raw(term.key.reveal());
  if (term.derivation) writer.raw(term.derivation->reveal());
}

Bytes encode(Keyring const& keyring) {
  Bytes plain;
  plain.reserve(plaintext_size(keyring));  // one allocation: growing would leave keys behind
  ByteWriter writer(plain);
  writer.raw(keyring.tenant_id)
      .u64(to_unix_ms(keyring.root_made))
      .u8(static_cast<std::uint8_t>(keyring.purposes.size()));
  for (auto const& [purpose, terms] : keyring.purposes) {
    writer.u8(purpose).u16(static_cast<std::uint16_t>(terms.size()));
    for (auto const& term : terms) encode_term(writer, term);
  }
  writer.u16(static_cast<std::uint16_t>(keyring.secrets.size()));
  for (auto const& [name, secret] : keyring.secrets) writer.sized(name).sized(secret.reveal());
  return plain;
}

Result<Term> decode_term(ByteReader& reader) {
  Term term;
  term.number = TACENDA_TRY(reader.u32());
  if (TACENDA_TRY(reader.u8()) != kXaes256Gcm)
    return fail(ErrorKind::kUnsupported, "the keyring has a key for an algorithm this version does not know");
  std::uint8_t const state = TACENDA_TRY(reader.u8());
  std::uint8_t const flags = TACENDA_TRY(reader.u8());
  if (state < 1 || state > static_cast<std::uint8_t>(KeyState::kDestroyed) || flags > 3)
    return fail(ErrorKind::kUnsupported, "the keyring has a state of a key that this version does not know");
  term.state = static_cast<KeyState>(state);
  term.is_to_be_destroyed = (flags & kToBeDestroyed) != 0;
  term.created = from_unix_ms(TACENDA_TRY(reader.u64()));
  term.changed = from_unix_ms(TACENDA_TRY(reader.u64()));
  bool const is_destroyed = term.state == KeyState::kDestroyed;
  if (!is_destroyed) std::ranges::copy(TACENDA_TRY(reader.raw(crypto::AeadKey::kSize)), term.key.reveal_mutable().begin());
  if ((flags & kDerivesStill) != 0) {
    if (!is_destroyed) return fail(ErrorKind::kCorrupt, "the keyring has a key twice");
    std::ranges::copy(
        TACENDA_TRY(reader.raw(crypto::MacKey::kSize)), term.derivation.emplace().reveal_mutable().begin());
  }
  return term;
}

/// Of format 1: number, time and key.
Result<Term> decode_plain_term(ByteReader& reader) {
  Term term;
  term.number = TACENDA_TRY(reader.u32());
  term.created = term.changed = from_unix_ms(TACENDA_TRY(reader.u64()));
  std::ranges::copy(TACENDA_TRY(reader.raw(crypto::AeadKey::kSize)), term.key.reveal_mutable().begin());
  return term;
}

/// What everything above relies on: one active term, the newest, and something to derive from.
Result<void> check_terms(std::vector<Term> const& terms) {
  for (std::size_t i = 0; i < terms.size(); ++i) {
    bool const is_last = i + 1 == terms.size();
    if ((terms[i].state == KeyState::kActive) != is_last)
      return fail(ErrorKind::kCorrupt, "the keyring has another active key than the newest");
    if (!is_last && terms[i].number >= terms[i + 1].number)
      return fail(ErrorKind::kCorrupt, "the keyring has its terms in no order");
    if (terms[i].is_to_be_destroyed && (is_last || terms[i].state == KeyState::kDestroyed))
      return fail(ErrorKind::kCorrupt, "the keyring has a key to be destroyed that cannot be");
  }
  if (terms.front().state == KeyState::kDestroyed && !terms.front().derivation)
    return fail(ErrorKind::kCorrupt, "the keyring lacks what other keys are derived from");
  return {};
}

Result<void> decode_purposes(ByteReader& reader, std::uint16_t version, Keyring& keyring) {
  std::uint8_t const purposes = TACENDA_TRY(reader.u8());
  for (std::uint8_t i = 0; i < purposes; ++i) {
    auto& terms = keyring.purposes[TACENDA_TRY(reader.u8())];
    std::uint16_t const count = TACENDA_TRY(reader.u16());
    for (std::uint16_t t = 0; t < count; ++t) {
      auto term = version == kVersionWithoutStates ? TACENDA_TRY(decode_plain_term(reader)) : TACENDA_TRY(decode_term(reader));
      if (version == kVersionWithoutStates && !terms.empty()) {
        terms.back().state = KeyState::kDeactivated;
        terms.back().changed = term.created;
      }
      terms.push_back(std::move(term));
    }
  }
  for (auto const each : kPurposes) {
    auto const purpose = static_cast<std::uint8_t>(each);
    auto const found = keyring.purposes.find(purpose);
    if (found == keyring.purposes.end() || found->second.empty())
      return fail(ErrorKind::kCorrupt, "the keyring has a purpose without a key");
  }
  for (auto const& [purpose, terms] : keyring.purposes) {
    if (terms.empty()) return fail(ErrorKind::kCorrupt, "the keyring has a purpose without a key");
    TACENDA_TRY_VOID(check_terms(terms));
  }
  return {};
}

Result<Keyring> decode(ByteView plain, std::uint16_t version, std::uint64_t generation) {
  ByteReader reader(plain);
  Keyring keyring;
  keyring.generation = generation;
  std::ranges::copy(TACENDA_TRY(reader.raw(keyring.tenant_id.size())), keyring.tenant_id.begin());
  if (version != kVersionWithoutStates) keyring.root_made = from_unix_ms(TACENDA_TRY(reader.u64()));
  TACENDA_TRY_VOID(decode_purposes(reader, version, keyring));
  // The first terms are made with the store, and with it the Root Key that format 1 knows alone.
  if (version == kVersionWithoutStates) keyring.root_made = keyring.purposes.begin()->second.front().created;
  std::uint16_t const secrets = TACENDA_TRY(reader.u16());
  for (std::uint16_t i = 0; i < secrets; ++i) {
    std::string name(as_text(TACENDA_TRY(reader.sized())));
    keyring.secrets.insert_or_assign(std::move(name), SecretBuffer(TACENDA_TRY(reader.sized())));
  }
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "the keyring is longer than its keys");
  return keyring;
}

}  // namespace

Result<Keyring> make_keyring(crypto::Random& random, Time now) {
  Keyring keyring;
  keyring.generation = 1;
  keyring.root_made = now;
  TACENDA_TRY_VOID(random.fill(keyring.tenant_id));
  for (auto const each : kPurposes) {
    auto const purpose = static_cast<std::uint8_t>(each);
    Term term;
    term.number = 1;
    term.created = term.changed = now;
    TACENDA_TRY_VOID(random.fill(term.key.reveal_mutable()));
    keyring.purposes[purpose].push_back(std::move(term));
  }
  return keyring;
}

Result<Bytes> seal_keyring(Keyring const& keyring, RootKey const& root,
                           std::array<std::byte, 16> const& store_id, crypto::Random& random) {
  Bytes file = header_of(kVersion, keyring.generation, store_id);
  Bytes const header = file;
  Bytes plain = encode(keyring);
  auto const sealed =
      seal_once(derive_aead_key(root.reveal(), "tacenda/keyring/1"), random, header, plain, file);
  ::explicit_bzero(plain.data(), plain.size());
  TACENDA_TRY_VOID(sealed);
  return file;
}

Result<Keyring> open_keyring(ByteView file, RootKey const& root, std::array<std::byte, 16> const& store_id) {
  ByteReader reader(file);
  if (as_text(TACENDA_TRY(reader.raw(kMagic.size()))) != kMagic)
    return fail(ErrorKind::kCorrupt, "the keyring is something else");
  std::uint16_t const version = TACENDA_TRY(reader.u16());
  if (version != kVersion && version != kVersionWithoutStates)
    return fail(ErrorKind::kUnsupported, "the keyring was made by a newer version");
  std::uint64_t const generation = TACENDA_TRY(reader.u64());
  if (!equal(TACENDA_TRY(reader.raw(store_id.size())), store_id))
    return fail(ErrorKind::kCorrupt, "the keyring is of another store");
  Bytes plain;
  plain.reserve(file.size());
  auto const key = derive_aead_key(root.reveal(), "tacenda/keyring/1");
  TACENDA_TRY_VOID(
      open_with(crypto::Xaes256Gcm(key), header_of(version, generation, store_id), reader.rest(), plain));
  auto keyring = decode(plain, version, generation);
  ::explicit_bzero(plain.data(), plain.size());
  return keyring;
}

Keyring Keyring::clone() const {
  Keyring copy;
  copy.generation = generation;
  copy.tenant_id = tenant_id;
  copy.root_made = root_made;
  for (auto const& [purpose, terms] : purposes) {
    auto& to = copy.purposes[purpose];
    to.reserve(terms.size() + 1);  // one more may come: growing would move keys about
    for (auto const& term : terms) {
      Term same;
      same.number = term.number;
      same.state = term.state;
      same.is_to_be_destroyed = term.is_to_be_destroyed;
      same.created = term.created;
      same.changed = term.changed;
      std::ranges::copy(term.key.reveal(), same.key.reveal_mutable().begin());
      if (term.derivation)
        std::ranges::copy(term.derivation->reveal(), same.derivation.emplace().reveal_mutable().begin());
      to.push_back(std::move(same));
    }
  }
  for (auto const& [name, secret] : secrets) copy.secrets.emplace(name, SecretBuffer(secret.reveal()));
  return copy;
}

crypto::MacKey derivation_seed(Term const& term) {
  crypto::MacKey seed;
  // RFC 5869 section 2.2: without a salt, the extract is an HMAC under zeros.
  auto digest = crypto::Hmac(crypto::MacKey()).sign({term.key.reveal()});
  std::ranges::copy(digest, seed.reveal_mutable().begin());
  ::explicit_bzero(digest.data(), digest.size());
  return seed;
}

crypto::MacKey derive_from_seed(crypto::MacKey const& seed, std::string_view label) {
  crypto::MacKey derived;
  constexpr std::array<std::byte, 1> kFirstBlock{std::byte{1}};  // section 2.3: one block is all
  auto digest = crypto::Hmac(seed).sign({as_bytes(label), kFirstBlock});
  std::ranges::copy(digest, derived.reveal_mutable().begin());
  ::explicit_bzero(digest.data(), digest.size());
  return derived;
}

}  // namespace tacenda::vault
