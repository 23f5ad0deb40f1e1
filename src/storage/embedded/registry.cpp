#include "storage/embedded/registry.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/process.hpp"
#include "storage/embedded/registry_entries.hpp"

namespace tacenda::storage {
namespace {

constexpr std::string_view kNewName = "REGISTRY.new";
constexpr std::uint64_t kRewriteBytes = std::uint64_t{1} << 20U;  // a longer registry is rewritten

}  // namespace

std::shared_ptr<FileState> Registry::find(std::string_view name) const {
  MutexLock const lock(mutex_);
  auto const found = files_.find(name);
  return found == files_.end() ? nullptr : found->second;
}

std::vector<std::string> Registry::names() const {
  MutexLock const lock(mutex_);
  std::vector<std::string> names;
  names.reserve(files_.size());
  for (auto const& [name, state] : files_) names.push_back(name);
  return names;
}

Result<std::shared_ptr<FileState>> Registry::created(std::string_view name, FileHeader const& header) {
  auto state = std::make_shared<FileState>();
  state->id = header.id;
  state->wrapped_key = header.wrapped_key;
  state->slot = mark_slot_of(name);
  MutexLock const lock(mutex_);
  files_.insert_or_assign(std::string(name), state);
  return state;
}

Result<void> Registry::synced(std::string_view name, FileState& state, std::uint64_t synced) {
  bool const moved = state.synced.exchange(synced) != synced;
  if (!state.bound.load()) {
    Bytes entry;
    append_bind(entry, name, state.id);
    MutexLock const lock(mutex_);
    if (state.slot) {
      append_length(entry, name, synced);
      append_lengths(entry);
    }
    TACENDA_TRY_VOID(append_and_sync(entry));
    state.bound.store(true);
  }
  return moved && state.established.load() ? note_mark(state) : Result<void>();
}

Result<void> Registry::note_mark(FileState const& state) {
  if (!state.slot || state.synced.load() == 0) return {};
  return marks_->note(*state.slot, {.file = state.id, .synced = state.synced.load()});
}

Result<void> Registry::renaming(std::string_view from, std::string_view to) {
  MutexLock const lock(mutex_);
  auto const source = files_.find(from);
  if (source == files_.end()) return fail(ErrorKind::kNotFound, "file to rename is unknown");
  auto const target = files_.find(to);
  Bytes entries;
  if (!source->second->bound.load()) append_bind(entries, from, source->second->id);
  append_rename(entries, from, to, source->second->id);
  TACENDA_TRY_VOID(append_and_sync(entries));
  source->second->bound.store(true);
  renames_.push_back({.from = std::string(from),
                      .to = std::string(to),
                      .file = source->second,
                      .before = target == files_.end() ? nullptr : target->second});
  return {};
}

void Registry::renamed(std::string_view from, std::string_view to) {
  MutexLock const lock(mutex_);
  auto const rename = std::ranges::find_if(
      renames_, [&](Rename const& r) { return !r.done && r.from == from && r.to == to; });
  TACENDA_ASSERT(rename != renames_.end());
  rename->done = true;
  rename->file->established.store(false);
  files_.insert_or_assign(std::string(to), rename->file);
  files_.erase(files_.find(from));
}

void Registry::not_renamed(std::string_view from, std::string_view to) {
  MutexLock const lock(mutex_);
  std::erase_if(renames_, [&](Rename const& r) { return !r.done && r.from == from && r.to == to; });
}

Result<void> Registry::unlinking(std::string_view name) {
  Bytes entry;
  append_unbind(entry, name);
  MutexLock const lock(mutex_);
  auto const found = files_.find(name);
  if (found == files_.end() || !found->second->bound.load()) return {};
  TACENDA_TRY_VOID(append_and_sync(entry));
  found->second->bound.store(false);
  return {};
}

void Registry::unlinked(std::string_view name) {
  std::shared_ptr<FileState> gone;
  {
    MutexLock const lock(mutex_);
    auto const found = files_.find(name);
    if (found == files_.end()) return;
    gone = found->second;
    files_.erase(found);
    unlinked_.emplace(name);
  }
  folder_.keys.destroyed(gone->wrapped_key);
}

bool Registry::may_come_back(std::string_view name) const {
  MutexLock const lock(mutex_);
  return unlinked_.contains(name);
}

Registry::Pending Registry::pending() const {
  Pending pending;
  MutexLock const lock(mutex_);
  for (auto const& [name, state] : files_) {
    if (state->bound.load() && !state->established.load()) pending.files.emplace_back(name, state);
  }
  for (auto const& rename : renames_) {
    if (rename.done) pending.renamed_from.push_back(rename.from);
  }
  pending.unlinked.assign(unlinked_.begin(), unlinked_.end());
  return pending;
}

Result<void> Registry::established(Pending const& pending) {
  std::vector<std::shared_ptr<FileState>> replaced;
  {
    MutexLock const lock(mutex_);
    Bytes entries;
    for (auto const& name : pending.unlinked) unlinked_.erase(name);
    for (auto const& from : pending.renamed_from) {
      std::erase_if(renames_, [&](Rename const& r) {
        bool const durable = r.done && r.from == from;
        if (durable && r.before) replaced.push_back(r.before);
        return durable;
      });
      if (!files_.contains(from)) append_unbind(entries, from);
    }
    for (auto const& [name, state] : pending.files) {
      auto const found = files_.find(name);
      if (found == files_.end() || found->second != state || !state->bound.load()) continue;
      append_establish(entries, name);
      state->established.store(true);
    }
    // On a full disk the entries stay in memory and the next append writes the registry anew. To fail here
    // would refuse a batch that is already durable.
    if (auto const written = append(entries); !written && written.error().kind() != ErrorKind::kNoSpace) {
      return written;
    }
  }
  // Only now: a rename that a power cut undoes brings the file before it back.
  for (auto const& state : replaced) folder_.keys.destroyed(state->wrapped_key);
  for (auto const& [name, state] : pending.files) {
    if (state->established.load()) TACENDA_TRY_VOID(note_mark(*state));
  }
  return {};
}

Result<void> Registry::close() {
  MutexLock const lock(mutex_);
  if (!log_ || log_->is_broken()) return {};
  TACENDA_TRY_VOID(log_->sync());
  TACENDA_TRY_VOID(
      marks_->note(MarkSlot::kRegistry, {.file = log_->header().id, .synced = log_->synced_bytes()}));
  TACENDA_TRY_VOID(marks_->sync());
  return log_->close();
}

Bytes Registry::snapshot(FileId const& known_to_marks) const {
  Bytes entries;
  append_begin(entries, known_to_marks);
  auto const write = [&entries](std::string_view name, FileState const& state) {
    if (!state.bound.load()) return;
    append_bind(entries, name, state.id);
    if (state.established.load()) append_establish(entries, name);
  };
  for (auto const& [name, state] : files_) {
    bool const in_rename = std::ranges::any_of(renames_, [&](Rename const& r) { return r.to == name; });
    if (!in_rename) write(name, *state);
  }
  for (auto rename = renames_.begin(); rename != renames_.end(); ++rename) {
    // The file before the first of several renames to one name: a bind would forget what came between.
    bool const first =
        std::none_of(renames_.begin(), rename, [&](Rename const& r) { return r.to == rename->to; });
    if (first && rename->before) write(rename->to, *rename->before);
    append_rename(entries, rename->from, rename->to, rename->file->id);
  }
  append_lengths(entries);
  return entries;
}

void Registry::append_lengths(Bytes& entries) const {
  for (auto const& [name, state] : files_) {
    if (state->slot && state->bound.load() && state->synced.load() > 0)
      append_length(entries, name, state->synced.load());
  }
}

// A new file in the place of the old, as every rename: new, fsync, rename, fsync of the folder. MARKS may
// go on speaking of the registry before; the new one names that one until MARKS was synced.
Result<void> Registry::rewrite(FileId const& known_to_marks) {
  auto log = TACENDA_TRY(LogWriter::create(folder_, kNewName, FileKind::kRegistry, FileClass::kBookkeeping));
  TACENDA_TRY_VOID(log->append(snapshot(known_to_marks)));
  TACENDA_TRY_VOID(log->sync());
  auto status =
      folder_.base->RenameFile(folder_.path_of(kNewName), folder_.path_of(kRegistryName), {}, nullptr);
  if (status.ok()) status = folder_.sync();
  if (!status.ok()) {
    folder_.health.stop();  // which of the two a restart will find is not known
    return std::unexpected(to_error(status));
  }
  if (log_) folder_.keys.destroyed(log_->header().wrapped_key);
  log_ = std::move(log);
  return {};
}

Result<void> Registry::rewrite_and_mark() {
  TACENDA_TRY_VOID(rewrite(log_->header().id));
  TACENDA_TRY_VOID(
      marks_->note(MarkSlot::kRegistry, {.file = log_->header().id, .synced = log_->synced_bytes()}));
  return marks_->sync();
}

Result<void> Registry::renew() {
  MutexLock const lock(mutex_);
  return rewrite_and_mark();
}

Result<void> Registry::append(ByteView entries) {
  if (entries.empty()) return {};
  if (log_->is_broken() || log_->size_bytes() > kRewriteBytes) TACENDA_TRY_VOID(rewrite_and_mark());
  TACENDA_TRY_VOID(log_->append(entries));
  return log_->write_group();
}

Result<void> Registry::append_and_sync(ByteView entries) {
  TACENDA_TRY_VOID(append(entries));
  TACENDA_TRY_VOID(log_->sync());
  return marks_->note(MarkSlot::kRegistry, {.file = log_->header().id, .synced = log_->synced_bytes()});
}

}  // namespace tacenda::storage
