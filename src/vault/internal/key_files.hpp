#pragma once

#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "storage/files.hpp"
#include "vault/internal/keyring.hpp"
#include "vault/internal/slots.hpp"
#include "vault/vault.hpp"

/// The small files that lead from a key to the purpose keys: slots and keyring. Each lies in the data folder
/// and once more beside the key file, so that no single damaged or lost file takes the store along
/// (docs/data-file.md).
///
/// Reading changes nothing: the folder may be another process's. `heal` does, and is for whoever holds the
/// folder's lock.
namespace tacenda::vault {

inline constexpr std::size_t kKeyFileBytes = 32;

/// `<key file><suffix>`.
std::filesystem::path beside(Places const& places, std::string_view suffix);
/// A key file that others could read is no secret. Errors: kNotFound, kForbidden.
Result<void> check_key_file(storage::Files& files, std::filesystem::path const& path);

struct OpenedSlots {
  Slots slots;
  RootKey root;
  std::uint32_t opened = 0;  // id of the slot that was opened
};
/// The newest copy that can be read. What it says is not authenticated. Errors: kNotFound (no store),
/// kCorrupt, kUnsupported.
Result<Slots> newest_slots(storage::Files& files, Places const& places);
/// The slots of the copy with the highest generation whose MAC is right; when there is none, of the one that
/// opened, and then no other slot counts as one that has opened the store: nobody vouches for what is left of
/// it. A slot that only an older copy has was removed and opens nothing. Errors: kNotFound (no store, or
/// no key file), kForbidden, kUnauthenticated, kCorrupt, kUnsupported.
Result<OpenedSlots> open_slot_files(storage::Files& files, Places const& places, Unlock const& unlock);
/// The slot that leads to `root` with the key file as it lies there now; nullopt: none does.
std::optional<std::uint32_t> slot_of_key_file(storage::Files& files, Places const& places, Slots const& slots,
                                              RootKey const& root);
/// Makes `slots` the next generation, in both copies.
Result<void> write_slot_files(storage::Files& files, Places const& places, Slots& slots, RootKey const& root);
/// Notes that a slot opened the store, once a day. A full disk, or copies that nobody vouches for, keep it
/// from being noted and not from being used.
Result<void> note_opened(storage::Files& files, Places const& places, RootKey const& root, std::uint32_t slot,
                         Time now);

/// The newest keyring that opens. Errors: kCorrupt, kUnsupported.
Result<Keyring> read_keyring(storage::Files& files, Places const& places, RootKey const& root,
                             StoreId const& store_id);
/// Both copies of the keyring; the generation before stays as the previous file. Where `keyring` has a key
/// destroyed that the one before holds, it takes the place of that, too, and first: when both copies are
/// written, no file holds the key any more.
Result<void> write_keyring(storage::Files& files, Places const& places, Keyring const& keyring,
                           RootKey const& root, StoreId const& store_id, crypto::Random& random);

/// Writes copies of slots and keyring anew that are missing, damaged or older than the newest one.
/// Errors: kUnavailable when `keyring` is not the newest any more: it was read before the lock was held.
Result<void> heal_key_files(storage::Files& files, Places const& places, Keyring const& keyring,
                            RootKey const& root, StoreId const& store_id, crypto::Random& random);
/// Errors: kCorrupt (a copy is missing, damaged or old).
Result<void> verify_key_files(storage::Files& files, Places const& places, Keyring const& keyring,
                              RootKey const& root, StoreId const& store_id);

/// 16 hexadecimal digits that name a Root Key and tell nothing of it.
std::string root_id(RootKey const& root);
/// The newest slots that the holder of the Root Key made. Errors: kCorrupt (no copy is whole).
Result<Slots> read_signed_slots(storage::Files& files, Places const& places, RootKey const& root);
/// Replaces the generation before when it holds keys that are destroyed by now, or does not open: then it may
/// lie under a Root Key of before. One of a newer version stays.
Result<void> forget_destroyed(storage::Files& files, Places const& places, Keyring const& keyring,
                              RootKey const& root, StoreId const& store_id, crypto::Random& random);

// Steps of a change of the Root Key (root_rotation.cpp).
enum class Rewrap : std::uint8_t { kRefuseOthers, kDropOthers };
/// Slots that lead to `next`, of the same generation as those in force: the one that the key file opens.
/// Errors: kConflict (there are others, and none may be dropped), kNotFound, kForbidden, kUnauthenticated
/// (the key file).
Result<Slots> slots_for(storage::Files& files, Places const& places, RootKey const& root, RootKey const& next,
                        Rewrap others, crypto::Random& random);
Result<void> write_next_keyring(storage::Files& files, Places const& places, Keyring const& keyring,
                                RootKey const& next, StoreId const& store_id, crypto::Random& random);
/// Puts `keyring` in the place of all that lies under the key before.
Result<void> finish_root_key(storage::Files& files, Places const& places, Keyring const& keyring,
                             RootKey const& root, StoreId const& store_id, crypto::Random& random);

}  // namespace tacenda::vault
