#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "core/bytes.hpp"
#include "core/secret.hpp"
#include "crypto/password.hpp"
#include "crypto/random.hpp"
#include "crypto/secret_sharing.hpp"
#include "vault/key_slots.hpp"

/// The slots file: who may open the store. Each slot wraps the same Root Key (docs/data-file.md, "Slots"),
/// format 3:
///
///   "TCNDSLOT" | version(2) = 3 | generation(8) | store id(16) | next id(4) | count(2) | slots | MAC(32)
///   slot: id(4) | kind(1) | first(4) | second(4) | salt(16) | commitment(32) | nonce(24) | wrapped(48)
///         | created(8) | opened(8)
///
/// first | second: memory KiB | passes of a passphrase, threshold | number of shares. Times are Unix ms, 0
/// when it is not known or did not happen.
///
/// HKDF-SHA-512(slot secret, salt, "tacenda/slot/1" | store id | id | kind | first | second) gives 64 bytes:
/// the AES key and the commitment. The commitment makes the wrap key-committing: no ciphertext opens under
/// two passphrases, so the file is no partitioning oracle, and shares that do not belong together open
/// nothing. The associated data binds store, id, kind, parameters and salt.
///
/// MAC: HMAC-SHA-256 over everything before it, under HKDF(Root Key, "tacenda/slots/1"). It tells a whole
/// copy from one with a damaged slot, and only after a slot has opened. Format 2 has no times and no next id,
/// format 1 neither generation nor MAC.
namespace tacenda::vault {

using RootKey = Secret<struct RootKeyTag, 32>;

struct Slot {
  std::uint32_t id = 0;
  SlotKind kind = SlotKind::kKeyFile;
  crypto::Argon2idCost cost{0, 0};  // kPassphrase only
  crypto::ShareCounts counts;       // kShares only
  std::array<std::byte, 16> salt{};
  Digest commitment{};
  Bytes wrapped;              // nonce | ciphertext | tag
  std::uint64_t created = 0;  // Unix ms; 0: before format 3
  std::uint64_t opened = 0;   // when it opened the store, to a day; 0: not since format 3
};

struct Slots {
  std::uint64_t generation = 0;
  std::array<std::byte, 16> store_id{};
  std::uint32_t next_id = 0;  // ids are given once: shares of a slot that is gone must fit no other
  std::vector<Slot> slots;
  std::optional<Digest> mac;  // nullopt: format 1
  std::uint16_t version = 3;  // of the signed file that it was read from
};

/// Makes it a file of format 3 as it stands now.
void sign_slots(Slots& slots, RootKey const& root);
/// True when whoever wrote it had the Root Key, and nothing changed since.
bool is_signed(Slots const& slots, RootKey const& root);

/// In the format that it was read from; without a MAC in format 1.
Bytes encode_slots(Slots const& slots);
/// Errors: kCorrupt, kUnsupported (written by a newer version).
Result<Slots> decode_slots(ByteView file);

/// What is to open a new slot: 32 bytes of a key file, a typed passphrase, or what shares give together.
struct NewSlot {
  SlotKind kind = SlotKind::kKeyFile;
  ByteView secret;
  crypto::Argon2idCost cost{0, 0};  // kPassphrase only
  crypto::ShareCounts counts{};     // kShares only
  std::uint64_t created = 0;        // Unix ms
};
/// Errors: kTooLarge (there are 32), kUnavailable (no randomness).
Result<void> add_slot(Slots& slots, NewSlot const& fresh, RootKey const& root, crypto::Random& random);

struct OpenedSlot {
  RootKey root;
  std::uint32_t id = 0;
  Digest commitment{};
};
/// Tries every slot of the kind. Errors: kUnauthenticated (none opens).
Result<OpenedSlot> open_slots(Slots const& slots, SlotKind kind, ByteView secret);

}  // namespace tacenda::vault
