#include "vault/internal/keyring.hpp"

#include <algorithm>

#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::string_view kMagic = "TCNDRING";
constexpr std::uint16_t kVersion = 1;
constexpr std::uint8_t kPurposes = 6;

Bytes header_of(std::uint64_t generation, std::array<std::byte, 16> const& store_id) {
  Bytes header;
  ByteWriter(header).raw(as_bytes(kMagic)).u16(kVersion).u64(generation).raw(store_id);
  return header;
}

std::size_t plaintext_size(Keyring const& keyring) {
  std::size_t size = 64;
  for (auto const& [purpose, terms] : keyring.purposes) size += 3 + terms.size() * 44;
  for (auto const& [name, secret] : keyring.secrets) size += 8 + name.size() + secret.size();
  return size;
}

Bytes encode(Keyring const& keyring) {
  Bytes plain;
  plain.reserve(plaintext_size(keyring));  // one allocation: growing would leave keys behind
  ByteWriter writer(plain);
  writer.raw(keyring.tenant_id).u8(static_cast<std::uint8_t>(keyring.purposes.size()));
  for (auto const& [purpose, terms] : keyring.purposes) {
    writer.u8(purpose).u16(static_cast<std::uint16_t>(terms.size()));
    for (auto const& term : terms)
      writer.u32(term.number).u64(to_unix_ms(term.created)).raw(term.key.reveal());
  }
  writer.u16(static_cast<std::uint16_t>(keyring.secrets.size()));
  for (auto const& [name, secret] : keyring.secrets) writer.sized(name).sized(secret.reveal());
  return plain;
}

Result<Keyring> decode(ByteView plain, std::uint64_t generation) {
  ByteReader reader(plain);
  Keyring keyring;
  keyring.generation = generation;
  std::ranges::copy(TACENDA_TRY(reader.raw(keyring.tenant_id.size())), keyring.tenant_id.begin());
  std::uint8_t const purposes = TACENDA_TRY(reader.u8());
  for (std::uint8_t i = 0; i < purposes; ++i) {
    auto& terms = keyring.purposes[TACENDA_TRY(reader.u8())];
    std::uint16_t const count = TACENDA_TRY(reader.u16());
    for (std::uint16_t t = 0; t < count; ++t) {
      Term term;
      term.number = TACENDA_TRY(reader.u32());
      term.created = from_unix_ms(TACENDA_TRY(reader.u64()));
      std::ranges::copy(TACENDA_TRY(reader.raw(crypto::AeadKey::kSize)), term.key.reveal_mutable().begin());
      terms.push_back(std::move(term));
    }
  }
  for (std::uint8_t purpose = 1; purpose <= kPurposes; ++purpose) {
    auto const found = keyring.purposes.find(purpose);
    if (found == keyring.purposes.end() || found->second.empty())
      return fail(ErrorKind::kCorrupt, "the keyring has a purpose without a key");
  }
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
  TACENDA_TRY_VOID(random.fill(keyring.tenant_id));
  for (std::uint8_t purpose = 1; purpose <= kPurposes; ++purpose) {
    Term term;
    term.number = 1;
    term.created = now;
    TACENDA_TRY_VOID(random.fill(term.key.reveal_mutable()));
    keyring.purposes[purpose].push_back(std::move(term));
  }
  return keyring;
}

Result<Bytes> seal_keyring(Keyring const& keyring, RootKey const& root,
                           std::array<std::byte, 16> const& store_id, crypto::Random& random) {
  Bytes file = header_of(keyring.generation, store_id);
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
  if (TACENDA_TRY(reader.u16()) != kVersion)
    return fail(ErrorKind::kUnsupported, "the keyring was made by a newer version");
  std::uint64_t const generation = TACENDA_TRY(reader.u64());
  if (!equal(TACENDA_TRY(reader.raw(store_id.size())), store_id))
    return fail(ErrorKind::kCorrupt, "the keyring is of another store");
  Bytes plain;
  plain.reserve(file.size());
  auto const key = derive_aead_key(root.reveal(), "tacenda/keyring/1");
  TACENDA_TRY_VOID(open_with(crypto::Xaes256Gcm(key), header_of(generation, store_id), reader.rest(), plain));
  auto keyring = decode(plain, generation);
  ::explicit_bzero(plain.data(), plain.size());
  return keyring;
}

}  // namespace tacenda::vault
