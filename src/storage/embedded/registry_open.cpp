// How a data folder is taken over: what REGISTRY and MARKS promise against what the folder holds.
#include <algorithm>
#include <array>

#include "storage/embedded/registry.hpp"
#include "storage/embedded/registry_entries.hpp"

namespace tacenda::storage {
namespace {

constexpr std::size_t kRegistryBytesMax = std::size_t{64} << 20U;

bool all_digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

Result<std::vector<std::string>> list(Folder& folder) {
  std::vector<std::string> names;
  if (auto const status = folder.base->GetChildren(folder.path, {}, &names, nullptr); !status.ok()) {
    return std::unexpected(to_error(status));
  }
  std::erase_if(names, [](std::string const& name) { return name == "." || name == ".."; });
  std::ranges::sort(names);
  return names;
}

bool contains(std::vector<std::string> const& sorted, std::string_view name) {
  return std::ranges::binary_search(sorted, name, std::less<>());
}

Error damage(Folder& folder, std::string_view name, Literal message) {
  folder.health.note_damage(name);
  return {ErrorKind::kCorrupt, message};
}

/// The registry as it was left, checked against its own mark.
Result<RegistryContent> read_registry(Folder& folder, MarkSet const& marks) {
  Bytes const file = TACENDA_TRY(folder.read_file(kRegistryName, kRegistryBytesMax));
  FileHeader const header = TACENDA_TRY(parse_header(file));
  if (header.kind != FileKind::kRegistry)
    return fail(ErrorKind::kCorrupt, "REGISTRY is a file of another kind");
  crypto::AeadKey const key = TACENDA_TRY(folder.keys.open(header.wrapped_key));
  auto const& mark = marks[static_cast<std::size_t>(MarkSlot::kRegistry)];
  bool const marked = mark && mark->file == header.id;
  LogContent const log = TACENDA_TRY(read_log(key, file, marked ? mark->synced : 0));
  RegistryContent content = TACENDA_TRY(parse_registry(log.plaintext));
  // The mark may still be that of the registry before this one, and of no other.
  if (mark && !marked && content.known_to_marks != mark->file) {
    return fail(ErrorKind::kCorrupt, "REGISTRY is not the one that MARKS speaks of");
  }
  return content;
}

/// Deletes what a crash left: engine files that nobody ever relied on, or whose unlinking was under way.
Result<void> remove_unbound(Folder& folder, std::vector<std::string> const& present,
                            RegistryContent const& content) {
  for (auto const& name : present) {
    if (!is_engine_file(name) || content.names.contains(name)) continue;
    if (auto const start = folder.read_file(name, kHeaderBytes)) {
      if (auto const header = parse_header(*start)) folder.keys.destroyed(header->wrapped_key);
    }
    if (auto const status = folder.base->DeleteFile(folder.path_of(name), {}, nullptr); !status.ok()) {
      return std::unexpected(to_error(status));
    }
  }
  return {};
}

/// The file behind one bound name; null when it was never durably made.
Result<std::shared_ptr<FileState>> resolve(Folder& folder, std::string const& name, BoundName const& bound,
                                           bool present, MarkSet const& marks) {
  if (!present) {
    bool const marked = std::ranges::any_of(marks, [&](auto const& mark) {
      return mark && std::ranges::find(bound.ids, mark->file) != bound.ids.end();
    });
    if (bound.must_exist || marked)
      return std::unexpected(damage(folder, name, "a file of the data folder is missing"));
    return std::shared_ptr<FileState>();
  }
  auto state = std::make_shared<FileState>();
  state->id = bound.ids.back();
  state->slot = mark_slot_of(name);
  state->synced = bound.synced;
  state->bound = true;
  state->established = true;
  auto const start = folder.read_file(name, kHeaderBytes);
  if (!start) return std::unexpected(start.error());
  auto header = parse_header(*start);
  if (header && std::ranges::find(bound.ids, header->id) != bound.ids.end()) {
    state->id = header->id;
    state->wrapped_key = std::move(header->wrapped_key);
    for (auto const& mark : marks) {
      if (mark && mark->file == state->id) state->synced = std::max(state->synced.load(), mark->synced);
    }
    return state;
  }
  Error const error =
      damage(folder, name, "a file of the data folder is damaged or stands in another's place");
  if (!is_table(name)) return std::unexpected(error);
  return state;  // reads of this table fail, the others go on
}

}  // namespace

std::optional<MarkSlot> mark_slot_of(std::string_view name) {
  if (name.ends_with(".log")) return MarkSlot::kWriteAheadLog;
  if (name.starts_with("MANIFEST-")) return MarkSlot::kManifest;
  return std::nullopt;
}

bool is_table(std::string_view name) {
  return name.ends_with(".sst") || name.ends_with(".blob");
}

bool is_engine_file(std::string_view name) {
  static constexpr std::array<std::string_view, 4> kWhole = {"CURRENT", "IDENTITY", "REGISTRY.new",
                                                             "MARKS.new"};
  static constexpr std::array<std::string_view, 4> kNumbered = {".sst", ".blob", ".log", ".dbtmp"};
  if (std::ranges::find(kWhole, name) != kWhole.end()) return true;
  if (name.starts_with("MANIFEST-") || name.starts_with("OPTIONS-")) return true;
  return std::ranges::any_of(kNumbered, [&](std::string_view ending) {
    return name.ends_with(ending) && all_digits(name.substr(0, name.size() - ending.size()));
  });
}

Result<std::unique_ptr<Registry>> Registry::open(Folder& folder, bool create) {
  std::vector<std::string> const present = TACENDA_TRY(list(folder));
  RegistryContent content;
  MarkSet marks;
  bool const has_registry = contains(present, kRegistryName);
  if (has_registry) {
    if (!contains(present, kMarksName))
      return std::unexpected(damage(folder, kMarksName, "MARKS is missing"));
    auto read = read_marks(folder);
    if (!read && read.error().kind() == ErrorKind::kCorrupt) folder.health.note_damage(kMarksName);
    marks = TACENDA_TRY(std::move(read));
    auto registry = read_registry(folder, marks);
    if (!registry && registry.error().kind() == ErrorKind::kCorrupt) folder.health.note_damage(kRegistryName);
    content = TACENDA_TRY(std::move(registry));
  } else {
    auto const left = std::ranges::find_if(present, [](std::string const& name) {
      return is_engine_file(name) && name != "MARKS.new" && name != "REGISTRY.new";
    });
    if (left != present.end()) return std::unexpected(damage(folder, kRegistryName, "REGISTRY is missing"));
    if (!create) return fail(ErrorKind::kNotFound, "data folder holds no store");
  }
  // What is seen now must still be there after a power cut, before the registry relies on it.
  if (auto const status = folder.sync(); !status.ok()) return std::unexpected(to_error(status));
  auto registry = std::unique_ptr<Registry>(new Registry(folder));
  MutexLock const lock(registry->mutex_);
  for (auto const& [name, bound] : content.names) {
    auto state = TACENDA_TRY(resolve(folder, name, bound, contains(present, name), marks));
    if (state) registry->files_.emplace(name, std::move(state));
  }
  // Only now: what nobody ever relied on by the word of a REGISTRY that does not fit the folder may be all
  // that there is of the newest writes.
  TACENDA_TRY_VOID(remove_unbound(folder, present, content));
  auto& registry_mark = marks[static_cast<std::size_t>(MarkSlot::kRegistry)];
  // A first MARKS stands before the first REGISTRY, so that a REGISTRY without MARKS is always damage.
  if (!has_registry) registry->marks_ = TACENDA_TRY(Marks::create(folder, marks));
  TACENDA_TRY_VOID(registry->rewrite(registry_mark ? registry_mark->file : FileId{}));
  registry_mark = Mark{.file = registry->log_->header().id, .synced = registry->log_->synced_bytes()};
  registry->marks_ = TACENDA_TRY(Marks::create(folder, marks));
  return registry;
}

Result<void> Registry::verify(std::vector<std::string>& damaged) const {
  auto const check = [&damaged](std::string_view name, Result<void> const& read) -> Result<void> {
    if (read) return {};
    if (read.error().kind() == ErrorKind::kUnavailable) return read;
    damaged.emplace_back(name);
    return {};
  };
  TACENDA_TRY_VOID(check(kMarksName, marks_->verify()));
  MutexLock const lock(mutex_);
  FileId const id = log_->header().id;
  std::uint64_t const synced = log_->synced_bytes();
  auto const read = [&]() -> Result<void> {
    Bytes const file = TACENDA_TRY(folder_.read_file(kRegistryName, kRegistryBytesMax));
    FileHeader const header = TACENDA_TRY(parse_header(file));
    if (header.id != id) return fail(ErrorKind::kCorrupt, "REGISTRY was exchanged");
    crypto::AeadKey const key = TACENDA_TRY(folder_.keys.open(header.wrapped_key));
    TACENDA_TRY_VOID(read_log(key, file, synced));
    return {};
  };
  return check(kRegistryName, read());
}

}  // namespace tacenda::storage
