#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/secret.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"

/// The slots file: who may open the store. Each slot wraps the same Root Key (docs/data-file.md, "Slots"),
/// format 2:
///
///   "TCNDSLOT" | version(2) = 2 | generation(8) | store id(16) | count(2) | slots | MAC(32)
///   slot: id(4) | kind(1) | memory KiB(4) | passes(4) | salt(16) | commitment(32) | nonce(24) | wrapped(48)
///
/// HKDF-SHA-512(slot secret, salt, "tacenda/slot/1" | store id | id | kind | costs) gives 64 bytes: the AES
/// key and the commitment. The commitment makes the wrap key-committing: no ciphertext opens under two
/// passphrases, so the file is no partitioning oracle. The associated data binds store, id, kind, costs and
/// salt.
///
/// MAC: HMAC-SHA-256 over everything before it, under HKDF(Root Key, "tacenda/slots/1"). It tells a whole
/// copy from one with a damaged slot, and only after a slot has opened. Format 1 has neither generation nor
/// MAC.
namespace tacenda::vault {

using RootKey = Secret<struct RootKeyTag, 32>;

enum class SlotKind : std::uint8_t { kKeyFile = 1, kPassphrase = 2 };

constexpr std::string_view name_of(SlotKind kind) {
  return kind == SlotKind::kKeyFile ? "key file" : "passphrase";
}

struct Slot {
  std::uint32_t id = 0;
  SlotKind kind = SlotKind::kKeyFile;
  crypto::Argon2idCost cost{0, 0};  // kPassphrase only
  std::array<std::byte, 16> salt{};
  Digest commitment{};
  Bytes wrapped;  // nonce | ciphertext | tag
};

struct Slots {
  std::uint64_t generation = 0;
  std::array<std::byte, 16> store_id{};
  std::vector<Slot> slots;
  std::optional<Digest> mac;  // nullopt: format 1
};

/// Makes it a file of format 2 as it stands now.
void sign_slots(Slots& slots, RootKey const& root);
/// True when whoever wrote it had the Root Key, and nothing changed since.
bool is_signed(Slots const& slots, RootKey const& root);

Bytes encode_slots(Slots const& slots);
/// Errors: kCorrupt, kUnsupported (written by a newer version).
Result<Slots> decode_slots(ByteView file);

/// Adds a slot that `secret` (32 bytes of a key file, or a typed passphrase) opens.
Result<void> add_slot(Slots& slots, SlotKind kind, ByteView secret, crypto::Argon2idCost cost,
                      RootKey const& root, crypto::Random& random);
/// Tries every slot of the kind. Errors: kUnauthenticated (none opens).
Result<RootKey> open_slots(Slots const& slots, SlotKind kind, ByteView secret);

}  // namespace tacenda::vault
