#include "vault/key_slots.hpp"

#include <algorithm>
#include <limits>

#include "core/log.hpp"
#include "vault/internal/key_files.hpp"
#include "vault/internal/share_text.hpp"

namespace tacenda::vault {
namespace {

constexpr crypto::Argon2idCost kPassphraseCost{256 * 1024, 4};

std::optional<Time> time_of(std::uint64_t ms) {
  return ms == 0 ? std::nullopt : std::optional(from_unix_ms(ms));
}

SlotInfo info_of(Slot const& slot) {
  return {slot.id, slot.kind, slot.counts, time_of(slot.created), time_of(slot.opened)};
}

std::uint64_t now_ms(SlotChange const& change) {
  return to_unix_ms(change.clock.now());
}

SlotAct act_of(Slot const& slot, OpenedSlots const& opened) {
  return {info_of(slot), info_of(*std::ranges::find(opened.slots.slots, opened.opened, &Slot::id))};
}

/// Writes what is recorded.
Result<void> write_recorded(SlotChange const& change, OpenedSlots& opened) {
  auto const written = write_slot_files(change.files, change.places, opened.slots, opened.root);
  if (written.has_value()) return written;
  // The first of the two copies may have been replaced, and with it the change is made.
  log(LogLevel::kError, written.error());
  return fail(
      written.error().kind(),
      "a copy of the slots could not be written: tacenda slot list shows whether the change was made");
}

Result<std::uint32_t> write_added(SlotChange const& change, OpenedSlots& opened) {
  auto const act = act_of(opened.slots.slots.back(), opened);
  TACENDA_TRY_VOID(change.record(act));
  TACENDA_TRY_VOID(write_recorded(change, opened));
  return act.slot.id;
}

/// True when the store is known to open without slot `id`.
bool opens_without(SlotChange const& change, OpenedSlots const& opened, std::uint32_t id) {
  if (opened.opened != id) return true;
  auto const by_file = slot_of_key_file(change.files, change.places, opened.slots, opened.root);
  if (by_file && *by_file != id) return true;
  // A key file's slot is worth what the file is, and that was asked above: its time is that of `init`.
  return std::ranges::any_of(opened.slots.slots, [id](Slot const& slot) {
    return slot.id != id && slot.kind != SlotKind::kKeyFile && slot.opened != 0;
  });
}

bool lies_within(std::filesystem::path const& folder, std::filesystem::path const& other) {
  std::error_code error;
  auto const inner = std::filesystem::weakly_canonical(folder, error);
  auto const outer = std::filesystem::weakly_canonical(other, error);
  auto const [end, rest] = std::ranges::mismatch(outer, inner);
  return !error && end == outer.end();
}

std::string name_of_share(std::size_t number, std::size_t count) {
  return "share-" + std::to_string(number) + "-of-" + std::to_string(count) + ".txt";
}

}  // namespace

Result<std::vector<SlotInfo>> list_slots(storage::Files& files, Places const& places) {
  auto const slots = TACENDA_TRY(newest_slots(files, places));
  std::vector<SlotInfo> list;
  for (auto const& slot : slots.slots) list.push_back(info_of(slot));
  return list;
}

Result<std::uint32_t> add_passphrase(SlotChange const& change, SecretBuffer const& passphrase) {
  if (begins_like_share(passphrase.reveal()))
    return fail(ErrorKind::kInvalid, "the passphrase begins as a share does, and would be taken for one");
  auto opened = TACENDA_TRY(open_slot_files(change.files, change.places, change.unlock));
  NewSlot const fresh{.kind = SlotKind::kPassphrase,
                      .secret = passphrase.reveal(),
                      .cost = kPassphraseCost,
                      .created = now_ms(change)};
  TACENDA_TRY_VOID(add_slot(opened.slots, fresh, opened.root, change.random));
  return write_added(change, opened);
}

Result<std::uint32_t> add_shares(SlotChange const& change, crypto::ShareCounts counts,
                                 HandOut const& hand_out) {
  if (counts.threshold < 2 || counts.shares < counts.threshold || counts.shares > kSharesMax)
    return fail(ErrorKind::kInvalid,
                "from 2 to 16 shares are made, and at least 2 and at most all of them are needed");
  auto opened = TACENDA_TRY(open_slot_files(change.files, change.places, change.unlock));
  SecretBuffer secret(kShareBytes);
  TACENDA_TRY_VOID(change.random.fill(secret.reveal_mutable()));
  NewSlot const fresh{
      .kind = SlotKind::kShares, .secret = secret.reveal(), .counts = counts, .created = now_ms(change)};
  TACENDA_TRY_VOID(add_slot(opened.slots, fresh, opened.root, change.random));
  auto const id = opened.slots.slots.back().id;
  if (id > std::numeric_limits<std::uint16_t>::max())
    return fail(ErrorKind::kTooLarge, "the store has had as many slots as a share can name");
  auto shares = TACENDA_TRY(crypto::split_secret(secret.reveal(), counts, change.random));
  std::vector<SecretBuffer> texts;
  for (auto& share : shares) {
    ShareText text{{}, static_cast<std::uint16_t>(id), counts.threshold, std::move(share)};
    std::ranges::copy(std::span(opened.slots.store_id).first<4>(), text.store.begin());
    texts.push_back(encode_share(text));
  }
  TACENDA_TRY_VOID(hand_out(texts));
  return write_added(change, opened);
}

Result<void> write_share_files(storage::Files& files, Places const& places,
                               std::filesystem::path const& folder, std::span<SecretBuffer const> texts) {
  if (lies_within(folder, places.data))
    return fail(ErrorKind::kInvalid, "the shares must not lie in the folder that they open");
  auto const folder_made = files.make_folder(folder);
  if (!folder_made.has_value() && folder_made.error().kind() != ErrorKind::kConflict) return folder_made;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    Bytes content;
    content.reserve(texts[i].size() + 1);  // one allocation, wiped below
    append(content, texts[i].reveal());
    content.push_back(std::byte{'\n'});
    auto const made = files.create(folder / name_of_share(i + 1, texts.size()), content);
    ::explicit_bzero(content.data(), content.size());
    if (made.has_value()) continue;
    // Those before are of no use any more. One that stays opens nothing: its slot is not made.
    for (std::size_t done = 0; done < i; ++done) {
      if (!files.remove(folder / name_of_share(done + 1, texts.size())).has_value())
        log(LogLevel::kWarning, "the file of a share that is of no use could not be removed");
    }
    return made;
  }
  return {};
}

Result<std::uint32_t> add_key_file(SlotChange const& change) {
  auto opened = TACENDA_TRY(open_slot_files(change.files, change.places, change.unlock));
  SecretBuffer key(kKeyFileBytes);
  TACENDA_TRY_VOID(change.random.fill(key.reveal_mutable()));
  NewSlot const fresh{.kind = SlotKind::kKeyFile, .secret = key.reveal(), .created = now_ms(change)};
  TACENDA_TRY_VOID(add_slot(opened.slots, fresh, opened.root, change.random));
  auto const made = change.files.create(change.places.key_file, key.reveal());
  if (!made.has_value() && made.error().kind() == ErrorKind::kConflict)
    return fail(ErrorKind::kConflict, "a key file is there, and is not written over: move it away first");
  TACENDA_TRY_VOID(made);
  auto const act = act_of(opened.slots.slots.back(), opened);
  if (auto const recorded = change.record(act); !recorded.has_value()) {
    if (!change.files.remove(change.places.key_file).has_value())
      log(LogLevel::kWarning, "a new key file that opens nothing could not be removed");
    return std::unexpected(recorded.error());
  }
  TACENDA_TRY_VOID(write_recorded(change, opened));
  return act.slot.id;
}

Result<void> remove_slot(SlotChange const& change, std::uint32_t id) {
  auto opened = TACENDA_TRY(open_slot_files(change.files, change.places, change.unlock));
  auto& slots = opened.slots.slots;
  auto const found = std::ranges::find(slots, id, &Slot::id);
  if (found == slots.end()) return fail(ErrorKind::kNotFound, "the store has no slot of this number");
  if (slots.size() == 1)
    return fail(ErrorKind::kConflict, "the last slot stays: without it nobody opens the store");
  if (!opens_without(change, opened, id))
    return fail(
        ErrorKind::kConflict,
        "no other slot has opened the store yet, or its key file is not there: try one of them first");
  auto const act = act_of(*found, opened);
  slots.erase(found);
  TACENDA_TRY_VOID(change.record(act));
  return write_recorded(change, opened);
}

}  // namespace tacenda::vault
