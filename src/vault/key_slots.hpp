#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "crypto/secret_sharing.hpp"
#include "vault/vault.hpp"

/// The ways to open a store: key file, passphrases, shares. Each of them opens it by itself
/// (docs/data-file.md, "Slots"; docs/operating/unseal.md).
namespace tacenda::vault {

enum class SlotKind : std::uint8_t { kKeyFile = 1, kPassphrase = 2, kShares = 3 };

constexpr std::string_view name_of(SlotKind kind) {
  return kind == SlotKind::kKeyFile ? "key file" : kind == SlotKind::kPassphrase ? "passphrase" : "shares";
}

/// More holders than this nobody brings together in a night, and each of them is one more who can lose a
/// share.
inline constexpr std::uint8_t kSharesMax = 16;

/// What is known of a slot without opening it.
struct SlotInfo {
  std::uint32_t id = 0;
  SlotKind kind = SlotKind::kKeyFile;
  crypto::ShareCounts counts;   // kShares only
  std::optional<Time> created;  // nullopt: by a version that did not note it
  std::optional<Time> opened;   // when it last opened the store, to a day; nullopt: never, as far as is known
};
/// What the newest readable copy of the slots says, which nobody vouches for until the store is opened.
/// Changes nothing. Errors: kNotFound (no store), kCorrupt, kUnsupported.
Result<std::vector<SlotInfo>> list_slots(storage::Files& files, Places const& places);

/// A slot that is added or removed, and the one that the store was opened with to do so.
struct SlotAct {
  SlotInfo slot;
  SlotInfo opened_with;
};

/// How the slots are changed. Whoever calls holds the lock of the store's folder: two changes at once could
/// lose one. A change that fails after `record` succeeded may be there all the same: its error says so.
struct SlotChange {
  storage::Files& files;
  Places const& places;
  Unlock const& unlock;  // one of the slots there are
  crypto::Random& random;
  Clock const& clock;
  /// Called when nothing but the writing is left to be done; when it fails, nothing is changed.
  std::function<Result<void>(SlotAct const&)> record;
};

/// A slot that a passphrase opens (Argon2id). Gives its id. Errors: those of opening; kInvalid (it begins
/// like a share), kTooLarge (there are 32 slots).
Result<std::uint32_t> add_passphrase(SlotChange const& change, SecretBuffer const& passphrase);

/// Gets all shares of a new slot as text, one for each holder, and gives them out.
using HandOut = std::function<Result<void>(std::span<SecretBuffer const> texts)>;
/// A slot that any `threshold` of its shares open. `hand_out` is called before the slot is there: when it
/// fails, nothing is changed, and its shares are of no use. Errors: as above; kInvalid (2 <= threshold <=
/// shares <= kSharesMax does not hold), those of `hand_out`.
Result<std::uint32_t> add_shares(SlotChange const& change, crypto::ShareCounts counts,
                                 HandOut const& hand_out);
/// Makes one file for each share, 0600 and durable, in `folder`, which is made when it is not there. When one
/// cannot be made, none stays. Errors: kConflict (one is there), kInvalid (inside the store), kUnavailable.
Result<void> write_share_files(storage::Files& files, Places const& places,
                               std::filesystem::path const& folder, std::span<SecretBuffer const> texts);

/// A slot that a new key file opens, which is made where the places say: for a store whose key file is lost,
/// or known to others. Errors: those of opening; kConflict (a file is there), kTooLarge.
Result<std::uint32_t> add_key_file(SlotChange const& change);

/// Takes a slot away. What is kept of it elsewhere, an older copy of the slots with its secret, still leads
/// to the same Root Key. Another one that is known to work stays: the one that this change is opened with,
/// the key file's when the file is there and opens it, or one that has opened the store before. Errors: those
/// of opening; kNotFound; kConflict (it is the last one, or no other is known to work).
Result<void> remove_slot(SlotChange const& change, std::uint32_t id);

}  // namespace tacenda::vault
