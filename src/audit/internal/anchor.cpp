#include "audit/internal/anchor.hpp"

#include <algorithm>

namespace tacenda::audit {
namespace {

Result<Bytes> slot_of(std::string_view note) {
  if (note.size() >= Anchor::kSlotBytes)
    return fail(ErrorKind::kBug, "checkpoint is too long for the anchor");
  Bytes slot = to_bytes(note);
  slot.resize(Anchor::kSlotBytes);
  return slot;
}

std::string_view note_in(ByteView slot) {
  std::string_view const text = as_text(slot);
  return text.substr(0, text.find('\0'));
}

}  // namespace

std::filesystem::path Anchor::path_of(vault::Places const& places) {
  std::filesystem::path path = places.key_file;
  path += ".anchor";
  return path;
}

Result<void> Anchor::create(storage::Files& files, std::filesystem::path const& path, std::string_view note) {
  Bytes content = TACENDA_TRY(slot_of(note));
  content.resize(2 * kSlotBytes);
  return files.replace(path, content);
}

Result<std::optional<Anchor::Found>> Anchor::read(storage::Files& files, std::filesystem::path const& path,
                                                  merkle::NoteVerifier const& key) {
  auto const content = files.read(path, 2 * kSlotBytes);
  if (!content) {
    if (content.error().kind() == ErrorKind::kNotFound) return std::nullopt;
    if (content.error().kind() == ErrorKind::kTooLarge)
      return fail(ErrorKind::kCorrupt, "audit anchor is malformed");
    return std::unexpected(content.error());
  }
  std::optional<Found> newest;
  for (unsigned slot = 0; slot < 2 && (slot + 1) * kSlotBytes <= content->size(); ++slot) {
    auto checkpoint =
        merkle::open_checkpoint(note_in(ByteView(*content).subspan(slot * kSlotBytes, kSlotBytes)), key);
    if (!checkpoint) continue;  // being written when the power went, or not written yet
    if (!newest || checkpoint->head.size > newest->checkpoint.head.size)
      newest = Found{std::move(*checkpoint), slot};
  }
  if (!newest) return fail(ErrorKind::kCorrupt, "audit anchor holds no checkpoint of this log");
  return newest;
}

Result<void> Anchor::sync(std::chrono::steady_clock::time_point now) {
  if (!pending_) return {};
  synced_at_ = now;  // also when it fails: a full disk is asked again in a second, not at each batch
  Bytes const slot = TACENDA_TRY(slot_of(*pending_));
  TACENDA_TRY_VOID(files_->overwrite(path_, next_slot_ * kSlotBytes, slot));
  next_slot_ = 1U - next_slot_;
  pending_.reset();
  return {};
}

}  // namespace tacenda::audit
