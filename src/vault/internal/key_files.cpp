#include "vault/internal/key_files.hpp"

#include <algorithm>
#include <iterator>

#include "core/log.hpp"
#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr std::size_t kFileBytesMax = 1 << 20U;

Result<SecretBuffer> read_key_file(storage::Files& files, std::filesystem::path const& path) {
  auto bytes = TACENDA_TRY(files.read(path, kKeyFileBytes));
  SecretBuffer key{ByteView(bytes)};
  ::explicit_bzero(bytes.data(), bytes.size());
  if (key.size() != kKeyFileBytes)
    return fail(ErrorKind::kInvalid, "the key file has another length than 32 bytes");
  return key;
}

/// Where a file of that name in the data folder lies twice.
std::vector<std::filesystem::path> copies_of(Places const& places, std::string_view name) {
  std::vector<std::filesystem::path> copies{places.data / name};
  if (!places.key_file.empty()) copies.push_back(beside(places, "." + std::string(name)));
  return copies;
}

/// The copies of the slots that can be read, newest first. What they say is not authenticated.
Result<std::vector<Slots>> read_slot_files(storage::Files& files, Places const& places) {
  std::vector<Slots> found;
  std::optional<Error> error;
  for (auto const& path : copies_of(places, "slots")) {
    auto const file = files.read(path, kFileBytesMax);
    auto slots = file.has_value() ? decode_slots(*file) : std::unexpected(file.error());
    if (slots.has_value()) {
      found.push_back(std::move(*slots));
    } else if (!error || error->kind() == ErrorKind::kNotFound) {
      error = slots.error();
    }
  }
  if (found.empty()) {
    return error->kind() == ErrorKind::kNotFound
               ? fail(ErrorKind::kNotFound, "there is no store in the data folder")
               : std::unexpected(*error);
  }
  if (found.size() > 1 && found[1].generation > found[0].generation) std::swap(found[0], found[1]);
  return found;
}

/// The copy of one beside a key file must not make a store of a folder that holds none.
Result<void> check_store(storage::Files& files, Places const& places) {
  for (auto const* name : {"slots", "keyring", "keyring.previous"}) {
    if (TACENDA_TRY(files.exists(places.data / name))) return {};
  }
  return fail(ErrorKind::kNotFound, "there is no store in the data folder");
}

/// The newest copy that the holder of the Root Key made; null when there is none.
Slots const* newest_signed(std::vector<Slots> const& copies, RootKey const& root) {
  auto const found = std::ranges::find_if(copies, [&](Slots const& copy) { return is_signed(copy, root); });
  return found == copies.end() ? nullptr : &*found;
}

void forget_times_of_others(Slots& slots, std::uint32_t id) {
  for (auto& slot : slots.slots) {
    if (slot.id != id) slot.opened = 0;
  }
}

Result<Keyring> read_keyring_file(storage::Files& files, std::filesystem::path const& path,
                                  RootKey const& root, StoreId const& store_id) {
  return open_keyring(TACENDA_TRY(files.read(path, kFileBytesMax)), root, store_id);
}

Result<void> heal_keyring(storage::Files& files, Places const& places, Keyring const& keyring,
                          RootKey const& root, StoreId const& store_id, crypto::Random& random) {
  for (auto const& path : copies_of(places, "keyring")) {
    auto const ring = read_keyring_file(files, path, root, store_id);
    if (ring.has_value() && ring->generation == keyring.generation) continue;
    log(LogLevel::kWarning, "a copy of the keyring was missing, damaged or old and is written anew");
    TACENDA_TRY_VOID(files.replace(path, TACENDA_TRY(seal_keyring(keyring, root, store_id, random))));
  }
  return {};
}

Result<void> heal_slots(storage::Files& files, Places const& places, RootKey const& root) {
  auto copies = TACENDA_TRY(read_slot_files(files, places));
  auto const* newest = newest_signed(copies, root);
  if (newest == nullptr) {
    if (copies.front().mac) {
      // Its own slot opened, another one is damaged: signed anew, the damage would look like the truth.
      log(LogLevel::kError,
          "no copy of the slots is whole: another way to unseal than the one used may be lost");
      return {};
    }
    return write_slot_files(files, places, copies.front(), root);  // of the format that had one copy
  }
  Bytes const content = encode_slots(*newest);
  for (auto const& path : copies_of(places, "slots")) {
    auto const file = files.read(path, kFileBytesMax);
    if (file.has_value() && *file == content) continue;
    log(LogLevel::kWarning, "a copy of the slots was missing, damaged or old and is written anew");
    TACENDA_TRY_VOID(files.replace(path, content));
  }
  return {};
}

/// Those of a change of the Root Key that was cut off: the other copies are whole by now.
Result<void> remove_next_keyring(storage::Files& files, Places const& places) {
  for (auto const& path : copies_of(places, "keyring.next")) {
    if (TACENDA_TRY(files.exists(path))) TACENDA_TRY_VOID(files.remove(path));
  }
  return {};
}

bool holds_destroyed(Keyring const& old, Keyring const& now) {
  for (auto const& [purpose, terms] : now.purposes) {
    auto const before = old.purposes.find(purpose);
    if (before == old.purposes.end()) continue;
    for (auto const& term : terms) {
      if (term.state != KeyState::kDestroyed) continue;
      if (std::ranges::any_of(before->second, [&term](Term const& other) {
            return other.number == term.number && other.state != KeyState::kDestroyed;
          }))
        return true;
    }
  }
  return false;
}

}  // namespace

std::filesystem::path beside(Places const& places, std::string_view suffix) {
  return places.key_file.string() + std::string(suffix);
}

Result<void> check_key_file(storage::Files& files, std::filesystem::path const& path) {
  auto const is_private = files.is_private(path);
  if (!is_private.has_value() && is_private.error().kind() == ErrorKind::kNotFound)
    return fail(ErrorKind::kNotFound, "the key file is not there");
  if (!TACENDA_TRY(is_private)) {
    return fail(ErrorKind::kForbidden,
                "the key file is a link or no regular file, or others can read it: chmod 600");
  }
  return {};
}

Result<Slots> newest_slots(storage::Files& files, Places const& places) {
  TACENDA_TRY_VOID(check_store(files, places));
  return std::move(TACENDA_TRY(read_slot_files(files, places)).front());
}

Result<OpenedSlots> open_slot_files(storage::Files& files, Places const& places, Unlock const& unlock) {
  TACENDA_TRY_VOID(check_store(files, places));
  auto copies = TACENDA_TRY(read_slot_files(files, places));
  SecretBuffer key;
  if (!unlock.passphrase && !unlock.share_secret) {
    TACENDA_TRY_VOID(check_key_file(files, places.key_file));
    key = TACENDA_TRY(read_key_file(files, places.key_file));
  }
  auto const kind = unlock.share_secret ? SlotKind::kShares
                    : unlock.passphrase ? SlotKind::kPassphrase
                                        : SlotKind::kKeyFile;
  ByteView const secret = unlock.share_secret ? unlock.share_secret->reveal()
                          : unlock.passphrase ? unlock.passphrase->reveal()
                                              : key.reveal();
  Result<OpenedSlot> found = fail(ErrorKind::kUnauthenticated, "no slot of the store opens with this key");
  std::size_t opened = 0;
  for (; opened < copies.size(); ++opened) {
    // A passphrase costs a second each time it is tried: not twice on the same slots.
    if (opened > 0 && encode_slots(copies[opened]) == encode_slots(copies[opened - 1])) continue;
    found = open_slots(copies[opened], kind, secret);
    if (kind == SlotKind::kPassphrase && unlock.passphrase_as_typed && !found.has_value() &&
        found.error().kind() == ErrorKind::kUnauthenticated)
      found = open_slots(copies[opened], kind, unlock.passphrase_as_typed->reveal());
    if (found.has_value() || found.error().kind() == ErrorKind::kUnavailable) break;
  }
  if (!found.has_value()) return std::unexpected(found.error());
  auto const* newest = newest_signed(copies, found->root);
  if (newest == nullptr) newest = &copies[opened];
  auto const is_it = [&](Slot const& slot) {
    return slot.id == found->id && slot.commitment == found->commitment;
  };
  if (std::ranges::none_of(newest->slots, is_it))
    return fail(ErrorKind::kUnauthenticated, "no slot of the store opens with this key");
  OpenedSlots result{*newest, std::move(found->root), found->id};
  // The next change signs all of it: a slot that is damaged by now would be taken for one that works.
  if (newest->mac && !is_signed(*newest, result.root)) forget_times_of_others(result.slots, result.opened);
  return result;
}

std::optional<std::uint32_t> slot_of_key_file(storage::Files& files, Places const& places, Slots const& slots,
                                              RootKey const& root) {
  if (!check_key_file(files, places.key_file).has_value()) return std::nullopt;
  auto const key = read_key_file(files, places.key_file);
  if (!key.has_value()) return std::nullopt;
  auto const opened = open_slots(slots, SlotKind::kKeyFile, key->reveal());
  if (!opened.has_value() || !(opened->root == root)) return std::nullopt;
  return opened->id;
}

Result<void> write_slot_files(storage::Files& files, Places const& places, Slots& slots,
                              RootKey const& root) {
  ++slots.generation;
  sign_slots(slots, root);
  Bytes const content = encode_slots(slots);
  for (auto const& path : copies_of(places, "slots")) TACENDA_TRY_VOID(files.replace(path, content));
  return {};
}

Result<void> note_opened(storage::Files& files, Places const& places, RootKey const& root, std::uint32_t id,
                         Time now) {
  constexpr std::uint64_t kDayMs = 24ULL * 60 * 60 * 1000;
  auto copies = TACENDA_TRY(read_slot_files(files, places));
  auto const* newest = newest_signed(copies, root);
  if (newest == nullptr) return {};
  Slots slots = *newest;
  auto const slot = std::ranges::find(slots.slots, id, &Slot::id);
  auto const now_ms = to_unix_ms(now);
  if (slot == slots.slots.end() || (slot->opened != 0 && now_ms - slot->opened < kDayMs)) return {};
  slot->opened = now_ms;
  auto written = write_slot_files(files, places, slots, root);
  if (written.has_value() || written.error().kind() != ErrorKind::kNoSpace) return written;
  log(LogLevel::kWarning, "the disk is full: it is not noted which slot opened the store");
  return {};
}

Result<Keyring> read_keyring(storage::Files& files, Places const& places, RootKey const& root,
                             StoreId const& store_id) {
  std::optional<Keyring> best;
  bool newer = false;
  auto paths = copies_of(places, "keyring");
  // Of a change of the Root Key that was cut off: under the key that the slots lead to there may be no other.
  std::ranges::copy(copies_of(places, "keyring.next"), std::back_inserter(paths));
  for (auto const& path : paths) {
    auto ring = read_keyring_file(files, path, root, store_id);
    newer = newer || (!ring.has_value() && ring.error().kind() == ErrorKind::kUnsupported);
    if (ring.has_value() && (!best || ring->generation > best->generation)) best = std::move(*ring);
  }
  if (best) return std::move(*best);
  // All copies are of a newer version: putting the generation before in their place would lose keys.
  if (newer) return fail(ErrorKind::kUnsupported, "the keyring was made by a newer version");
  auto previous = read_keyring_file(files, places.data / "keyring.previous", root, store_id);
  if (!previous.has_value()) return fail(ErrorKind::kCorrupt, "no copy of the keyring opens");
  log(LogLevel::kError, "no copy of the keyring opens: the generation before is used");
  return previous;
}

Result<void> write_keyring(storage::Files& files, Places const& places, Keyring const& keyring,
                           RootKey const& root, StoreId const& store_id, crypto::Random& random) {
  auto const sealed = TACENDA_TRY(seal_keyring(keyring, root, store_id, random));
  auto const old = files.read(places.data / "keyring", kFileBytesMax);
  auto const before = old.has_value() ? open_keyring(*old, root, store_id) : std::unexpected(old.error());
  if (before.has_value()) {
    TACENDA_TRY_VOID(
        files.replace(places.data / "keyring.previous", holds_destroyed(*before, keyring) ? sealed : *old));
  } else {
    // A damaged one must not take the place of a good one.
    TACENDA_TRY_VOID(forget_destroyed(files, places, keyring, root, store_id, random));
  }
  for (auto const& path : copies_of(places, "keyring")) TACENDA_TRY_VOID(files.replace(path, sealed));
  return {};
}

Result<void> heal_key_files(storage::Files& files, Places const& places, Keyring const& keyring,
                            RootKey const& root, StoreId const& store_id, crypto::Random& random) {
  if (TACENDA_TRY(read_keyring(files, places, root, store_id)).generation != keyring.generation) {
    return fail(ErrorKind::kUnavailable, "another process changed the keyring meanwhile: try again");
  }
  TACENDA_TRY_VOID(heal_keyring(files, places, keyring, root, store_id, random));
  TACENDA_TRY_VOID(heal_slots(files, places, root));
  TACENDA_TRY_VOID(forget_destroyed(files, places, keyring, root, store_id, random));
  return remove_next_keyring(files, places);
}

Result<void> verify_key_files(storage::Files& files, Places const& places, Keyring const& keyring,
                              RootKey const& root, StoreId const& store_id) {
  for (auto const& path : copies_of(places, "keyring")) {
    auto const ring = read_keyring_file(files, path, root, store_id);
    if (!ring.has_value() || ring->generation != keyring.generation)
      return fail(ErrorKind::kCorrupt, "a copy of the keyring is missing, damaged or old");
  }
  std::optional<Bytes> first;
  for (auto const& path : copies_of(places, "slots")) {
    auto const file = files.read(path, kFileBytesMax);
    auto const slots = file.has_value() ? decode_slots(*file) : std::unexpected(file.error());
    if (!slots.has_value() || !is_signed(*slots, root) || (first && *first != *file))
      return fail(ErrorKind::kCorrupt, "a copy of the slots is missing, damaged or old");
    first = *file;
  }
  return {};
}

std::string root_id(RootKey const& root) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  auto const derived = derive_mac_key(root.reveal(), "tacenda/root-id/1");
  std::string id;
  for (auto const byte : derived.reveal().first(8)) {
    id += kDigits[std::to_integer<unsigned>(byte) >> 4U];
    id += kDigits[std::to_integer<unsigned>(byte) & 15U];
  }
  return id;
}

Result<Slots> read_signed_slots(storage::Files& files, Places const& places, RootKey const& root) {
  auto const copies = TACENDA_TRY(read_slot_files(files, places));
  auto const* newest = newest_signed(copies, root);
  if (newest == nullptr) return fail(ErrorKind::kCorrupt, "no copy of the slots is whole");
  return *newest;
}

Result<void> forget_destroyed(storage::Files& files, Places const& places, Keyring const& keyring,
                              RootKey const& root, StoreId const& store_id, crypto::Random& random) {
  auto const path = places.data / "keyring.previous";
  auto const previous = read_keyring_file(files, path, root, store_id);
  if (previous.has_value() ? !holds_destroyed(*previous, keyring)
                           : previous.error().kind() == ErrorKind::kNotFound ||
                                 previous.error().kind() == ErrorKind::kUnsupported)
    return {};
  return files.replace(path, TACENDA_TRY(seal_keyring(keyring, root, store_id, random)));
}

Result<Slots> slots_for(storage::Files& files, Places const& places, RootKey const& root, RootKey const& next,
                        Rewrap others, crypto::Random& random) {
  auto const slots = TACENDA_TRY(read_signed_slots(files, places, root));
  TACENDA_TRY_VOID(check_key_file(files, places.key_file));
  auto const key = TACENDA_TRY(read_key_file(files, places.key_file));
  auto const opened = TACENDA_TRY(open_slots(slots, SlotKind::kKeyFile, key.reveal()));
  if (slots.slots.size() > 1 && others == Rewrap::kRefuseOthers) {
    return fail(ErrorKind::kConflict,
                "the store opens with a passphrase, shares or another key file, too, which would lead to no "
                "root key any more: "
                "have their slots dropped, and add them again afterwards");
  }
  Slots fresh;
  fresh.generation = slots.generation;
  fresh.store_id = slots.store_id;
  fresh.next_id = slots.next_id;
  auto const old = std::ranges::find(slots.slots, opened.id, &Slot::id);
  TACENDA_TRY_VOID(add_slot(
      fresh, {.kind = SlotKind::kKeyFile, .secret = key.reveal(), .created = old->created}, next, random));
  return fresh;
}

Result<void> write_next_keyring(storage::Files& files, Places const& places, Keyring const& keyring,
                                RootKey const& next, StoreId const& store_id, crypto::Random& random) {
  auto const sealed = TACENDA_TRY(seal_keyring(keyring, next, store_id, random));
  for (auto const& path : copies_of(places, "keyring.next")) TACENDA_TRY_VOID(files.replace(path, sealed));
  return {};
}

Result<void> finish_root_key(storage::Files& files, Places const& places, Keyring const& keyring,
                             RootKey const& root, StoreId const& store_id, crypto::Random& random) {
  auto const sealed = TACENDA_TRY(seal_keyring(keyring, root, store_id, random));
  auto paths = copies_of(places, "keyring");
  paths.push_back(places.data / "keyring.previous");
  for (auto const& path : paths) TACENDA_TRY_VOID(files.replace(path, sealed));
  return remove_next_keyring(files, places);
}

}  // namespace tacenda::vault
