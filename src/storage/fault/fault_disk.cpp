#include "storage/fault/fault_disk.hpp"

#include <algorithm>
#include <utility>

#include "core/process.hpp"

namespace tacenda::storage {
namespace {

constexpr std::size_t kSectorBytes = 512;

std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}
std::string parent_of(std::string const& path) {
  return path.substr(0, path.rfind('/'));
}

/// One change of a file that was not synced yet.
struct Change {
  enum class Kind : std::uint8_t { kWrite, kTruncate };
  Kind kind;
  std::uint64_t offset;  // of a truncation: the new size
  Bytes bytes;
};

void replay(Bytes& content, std::uint64_t offset, ByteView bytes) {
  auto const end = static_cast<std::size_t>(offset) + bytes.size();
  if (content.size() < end) content.resize(end);
  std::ranges::copy(bytes, content.begin() + static_cast<std::ptrdiff_t>(offset));
}

void replay(Bytes& content, Change const& change) {
  if (change.kind == Change::Kind::kTruncate) {
    content.resize(static_cast<std::size_t>(change.offset));
  } else {
    replay(content, change.offset, change.bytes);
  }
}

/// One change of a folder that was not synced yet. `to` is empty unless it is a rename.
struct EntryChange {
  enum class Kind : std::uint8_t { kLink, kUnlink, kRename };
  Kind kind;
  std::string name;
  std::string to;
  std::shared_ptr<FaultDisk::Inode> inode;
};

using Entries = std::map<std::string, std::shared_ptr<FaultDisk::Inode>, std::less<>>;

void replay(Entries& entries, EntryChange const& change) {
  auto const found = entries.find(change.name);
  bool const same = found != entries.end() && found->second == change.inode;
  switch (change.kind) {
    case EntryChange::Kind::kLink:
      entries[change.name] = change.inode;
      break;
    case EntryChange::Kind::kUnlink:
      if (same) entries.erase(found);
      break;
    case EntryChange::Kind::kRename:
      if (same) entries.erase(found);
      entries[change.to] = change.inode;
      break;
  }
}

}  // namespace

class FaultDisk::Inode {
 public:
  explicit Inode(FileGroup group_of_first_name) : group(group_of_first_name) {}
  FileGroup group;
  Bytes current;
  Bytes durable;
  std::vector<Change> unsynced;
};

struct FaultDisk::FolderState {
  Entries current;
  Entries durable;
  std::vector<EntryChange> unsynced;

  void change(EntryChange entry) {
    replay(current, entry);
    unsynced.push_back(std::move(entry));
  }
};

FileGroup group_of(std::string_view path) {
  std::string_view const name = name_of(path);
  if (name.ends_with(".log")) return FileGroup::kWriteAheadLog;
  if (name.ends_with(".sst") || name.ends_with(".blob")) return FileGroup::kTable;
  if (name.starts_with("MANIFEST-")) return FileGroup::kManifest;
  if (name.starts_with("OPTIONS-")) return FileGroup::kOptions;
  if (name == "IDENTITY" || name == "000000.dbtmp") return FileGroup::kIdentity;
  if (name == "CURRENT" || name.ends_with(".dbtmp")) return FileGroup::kCurrent;
  if (name.starts_with("REGISTRY")) return FileGroup::kRegistry;
  if (name.starts_with("MARKS")) return FileGroup::kMarks;
  return FileGroup::kOther;
}

FaultDisk::FaultDisk(std::uint64_t seed) : random_(seed) {}
FaultDisk::~FaultDisk() = default;

void FaultDisk::cut_power_in(std::uint64_t calls) {
  MutexLock const lock(mutex_);
  cut_at_ = calls_ + calls;
}

void FaultDisk::cut_power() {
  MutexLock const lock(mutex_);
  cut_ = true;
}

bool FaultDisk::power_is_cut() const {
  MutexLock const lock(mutex_);
  return cut_;
}

void FaultDisk::restart() {
  MutexLock const lock(mutex_);
  std::set<Inode*> done;
  for (auto& [path, folder] : folders_) {
    survive(folder);
    for (auto& [name, inode] : folder.current) {
      if (done.insert(inode.get()).second) survive(*inode);
    }
  }
  locks_.clear();
  faults_.clear();
  cut_at_.reset();
  cut_ = false;
  ++boot_;
}

void FaultDisk::fail(Fault const& fault) {
  MutexLock const lock(mutex_);
  faults_.push_back(fault);
}

void FaultDisk::set_capacity(std::optional<std::uint64_t> bytes) {
  MutexLock const lock(mutex_);
  capacity_ = bytes;
}

void FaultDisk::ignore_sync(FileGroup group) {
  MutexLock const lock(mutex_);
  ignored_.insert(group);
}

std::uint64_t FaultDisk::calls() const {
  MutexLock const lock(mutex_);
  return calls_;
}

std::vector<std::string> FaultDisk::files() const {
  MutexLock const lock(mutex_);
  std::vector<std::string> paths;
  for (auto const& [path, folder] : folders_) {
    for (auto const& [name, inode] : folder.current)
      paths.push_back(std::string(path).append("/").append(name));
  }
  return paths;
}

Bytes FaultDisk::content(std::string const& path) const {
  MutexLock const lock(mutex_);
  auto const inode = find(path);
  return inode ? inode->current : Bytes();
}

void FaultDisk::set_content(std::string const& path, Bytes content) {
  MutexLock const lock(mutex_);
  auto const inode = find(path);
  TACENDA_ASSERT(inode != nullptr);
  inode->unsynced.clear();
  inode->durable = content;
  inode->current = std::move(content);
}

void FaultDisk::swap(std::string const& a, std::string const& b) {
  Bytes content_a = content(a);
  set_content(a, content(b));
  set_content(b, std::move(content_a));
}

void FaultDisk::erase(std::string const& path) {
  MutexLock const lock(mutex_);
  auto& folder = folders_.at(parent_of(path));
  std::string const name(name_of(path));
  folder.current.erase(name);
  folder.durable.erase(name);
  std::erase_if(folder.unsynced,
                [&](EntryChange const& change) { return change.name == name || change.to == name; });
}

Result<void> FaultDisk::make_folder(std::string const& path) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(step(DiskCall::kCreate, FileGroup::kFolder));
  if (!folders_.try_emplace(path).second) return tacenda::fail(ErrorKind::kConflict, "folder exists");
  return {};
}

Result<bool> FaultDisk::folder_exists(std::string const& path) const {
  MutexLock const lock(mutex_);
  return folders_.contains(path);
}

Result<std::vector<std::string>> FaultDisk::list(std::string const& folder) const {
  MutexLock const lock(mutex_);
  auto const found = folders_.find(folder);
  if (found == folders_.end()) return tacenda::fail(ErrorKind::kNotFound, "no such folder");
  std::vector<std::string> names;
  for (auto const& [name, inode] : found->second.current) names.push_back(name);
  return names;
}

Result<FaultDisk::Handle> FaultDisk::create(std::string const& path, Existing existing) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(step(DiskCall::kCreate, group_of(path)));
  FolderState* const folder = TACENDA_TRY(folder_of(path));
  if (auto const inode = find(path)) {
    if (existing == Existing::kRefuse) return tacenda::fail(ErrorKind::kConflict, "file exists");
    inode->current.clear();
    inode->unsynced.push_back({.kind = Change::Kind::kTruncate, .offset = 0, .bytes = {}});
    return Handle{.inode = inode, .boot = boot_};
  }
  auto inode = std::make_shared<Inode>(group_of(path));
  folder->change(
      {.kind = EntryChange::Kind::kLink, .name = std::string(name_of(path)), .to = {}, .inode = inode});
  return Handle{.inode = std::move(inode), .boot = boot_};
}

Result<FaultDisk::Handle> FaultDisk::open(std::string const& path) {
  MutexLock const lock(mutex_);
  if (cut_) return tacenda::fail(ErrorKind::kUnavailable, "power is cut");
  auto inode = find(path);
  if (!inode) return tacenda::fail(ErrorKind::kNotFound, "no such file");
  return Handle{.inode = std::move(inode), .boot = boot_};
}

Result<bool> FaultDisk::exists(std::string const& path) const {
  MutexLock const lock(mutex_);
  return find(path) != nullptr;
}

Result<void> FaultDisk::rename(std::string const& from, std::string const& to) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(step(DiskCall::kRename, group_of(to)));
  FolderState* const folder = TACENDA_TRY(folder_of(from));
  TACENDA_ASSERT(parent_of(from) == parent_of(to));
  auto inode = find(from);
  if (!inode) return tacenda::fail(ErrorKind::kNotFound, "no such file");
  folder->change({.kind = EntryChange::Kind::kRename,
                  .name = std::string(name_of(from)),
                  .to = std::string(name_of(to)),
                  .inode = std::move(inode)});
  return {};
}

Result<void> FaultDisk::unlink(std::string const& path) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(step(DiskCall::kUnlink, group_of(path)));
  FolderState* const folder = TACENDA_TRY(folder_of(path));
  auto inode = find(path);
  if (!inode) return tacenda::fail(ErrorKind::kNotFound, "no such file");
  folder->change({.kind = EntryChange::Kind::kUnlink,
                  .name = std::string(name_of(path)),
                  .to = {},
                  .inode = std::move(inode)});
  return {};
}

Result<void> FaultDisk::sync_folder(std::string const& folder, FileGroup reason) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(step(DiskCall::kSyncFolder, reason));
  auto const found = folders_.find(folder);
  if (found == folders_.end()) return tacenda::fail(ErrorKind::kNotFound, "no such folder");
  if (ignored_.contains(reason)) return {};
  found->second.durable = found->second.current;
  found->second.unsynced.clear();
  return {};
}

Result<std::uint64_t> FaultDisk::size(Handle const& handle) const {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  return handle.inode->current.size();
}

Result<std::size_t> FaultDisk::read(Handle const& handle, std::uint64_t offset, std::span<std::byte> out) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  TACENDA_TRY_VOID(step(DiskCall::kRead, handle.inode->group));
  Bytes const& content = handle.inode->current;
  if (offset >= content.size()) return std::size_t{0};
  std::size_t const size = std::min(out.size(), content.size() - static_cast<std::size_t>(offset));
  std::ranges::copy(ByteView(content).subspan(static_cast<std::size_t>(offset), size), out.begin());
  return size;
}

Result<void> FaultDisk::write(Handle const& handle, std::uint64_t offset, ByteView bytes) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  return write_locked(*handle.inode, offset, bytes);
}

Result<void> FaultDisk::append(Handle const& handle, ByteView bytes) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  return write_locked(*handle.inode, handle.inode->current.size(), bytes);
}

Result<void> FaultDisk::write_locked(Inode& inode, std::uint64_t offset, ByteView bytes) {
  auto const stepped = step(DiskCall::kWrite, inode.group);
  // What a failed or cut-off write leaves behind: any beginning of it.
  bool failed = !stepped.has_value();
  if (failed) bytes = bytes.first(bytes.empty() ? 0 : random_() % bytes.size());
  std::uint64_t const growth =
      std::max<std::uint64_t>(offset + bytes.size(), inode.current.size()) - inode.current.size();
  bool full = false;
  if (capacity_ && used_bytes() + growth > *capacity_) {
    std::uint64_t const room = *capacity_ - std::min(*capacity_, used_bytes());
    bytes = bytes.first(static_cast<std::size_t>(bytes.size() - (growth - room)));
    full = true;
  }
  replay(inode.current, offset, bytes);
  inode.unsynced.push_back({.kind = Change::Kind::kWrite, .offset = offset, .bytes = to_bytes(bytes)});
  if (failed) return stepped;
  return full ? tacenda::fail(ErrorKind::kNoSpace, "disk is full") : Result<void>();
}

Result<void> FaultDisk::truncate(Handle const& handle, std::uint64_t size) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  TACENDA_TRY_VOID(step(DiskCall::kTruncate, handle.inode->group));
  Change change{.kind = Change::Kind::kTruncate, .offset = size, .bytes = {}};
  replay(handle.inode->current, change);
  handle.inode->unsynced.push_back(std::move(change));
  return {};
}

Result<void> FaultDisk::sync(Handle const& handle) {
  MutexLock const lock(mutex_);
  TACENDA_TRY_VOID(alive(handle));
  Inode& inode = *handle.inode;
  if (auto const stepped = step(DiskCall::kSync, inode.group); !stepped) {
    // The kernel marks the pages clean after a failed write-back: the next fsync has nothing to do.
    if (!cut_) inode.unsynced.clear();
    return stepped;
  }
  if (ignored_.contains(inode.group)) return {};
  for (auto const& change : inode.unsynced) replay(inode.durable, change);
  inode.unsynced.clear();
  return {};
}

Result<std::uint64_t> FaultDisk::free_bytes() const {
  MutexLock const lock(mutex_);
  if (!capacity_) return std::uint64_t{1} << 40U;
  return *capacity_ - std::min(*capacity_, used_bytes());
}

Result<void> FaultDisk::lock(std::string const& path) {
  MutexLock const guard(mutex_);
  if (cut_) return tacenda::fail(ErrorKind::kUnavailable, "power is cut");
  if (!locks_.insert(path).second) return tacenda::fail(ErrorKind::kConflict, "file is locked");
  return {};
}

void FaultDisk::unlock(std::string const& path) {
  MutexLock const guard(mutex_);
  locks_.erase(path);
}

Result<void> FaultDisk::step(DiskCall call, FileGroup group) {
  if (call != DiskCall::kRead) {
    ++calls_;
    if (cut_at_ && calls_ >= *cut_at_) cut_ = true;
  }
  if (cut_) return tacenda::fail(ErrorKind::kUnavailable, "power is cut");
  std::optional<ErrorKind> failure;
  for (auto& fault : faults_) {
    if (fault.call != call || (fault.group && *fault.group != group) || fault.nth == 0) continue;
    if (--fault.nth == 0) failure = fault.kind;
  }
  if (!failure) return {};
  return *failure == ErrorKind::kNoSpace ? tacenda::fail(ErrorKind::kNoSpace, "disk is full")
                                         : tacenda::fail(ErrorKind::kUnavailable, "input or output error");
}

Result<void> FaultDisk::alive(Handle const& handle) const {
  if (cut_ || handle.boot != boot_) return tacenda::fail(ErrorKind::kUnavailable, "power was cut");
  return {};
}

Result<FaultDisk::FolderState*> FaultDisk::folder_of(std::string const& path) {
  auto const found = folders_.find(parent_of(path));
  if (found == folders_.end()) return tacenda::fail(ErrorKind::kNotFound, "no such folder");
  return &found->second;
}

std::shared_ptr<FaultDisk::Inode> FaultDisk::find(std::string const& path) const {
  auto const folder = folders_.find(parent_of(path));
  if (folder == folders_.end()) return nullptr;
  auto const entry = folder->second.current.find(name_of(path));
  return entry == folder->second.current.end() ? nullptr : entry->second;
}

std::uint64_t FaultDisk::used_bytes() const {
  std::uint64_t used = 0;
  for (auto const& [path, folder] : folders_) {
    for (auto const& [name, inode] : folder.current) used += inode->current.size();
  }
  return used;
}

void FaultDisk::survive(Inode& inode) {
  auto& changes = inode.unsynced;
  switch (random_() % 4) {
    case 0:
      break;  // nothing more reached the disk
    case 1:
      for (auto const& change : changes) replay(inode.durable, change);
      break;
    case 2: {  // the first changes, the last of them torn
      std::size_t const count = changes.empty() ? 0 : random_() % (changes.size() + 1);
      for (std::size_t i = 0; i < count; ++i) {
        if (i + 1 == count && !changes[i].bytes.empty())
          changes[i].bytes.resize(random_() % changes[i].bytes.size());
        replay(inode.durable, changes[i]);
      }
      break;
    }
    default:  // any sectors, in any order
      for (auto const& change : changes) {
        if (change.kind == Change::Kind::kTruncate) {
          if (random_() % 2 == 0) replay(inode.durable, change);
          continue;
        }
        for (std::size_t at = 0; at < change.bytes.size();) {
          std::size_t const in_sector =
              kSectorBytes - (static_cast<std::size_t>(change.offset) + at) % kSectorBytes;
          std::size_t const size = std::min(in_sector, change.bytes.size() - at);
          if (random_() % 2 == 0)
            replay(inode.durable, change.offset + at, ByteView(change.bytes).subspan(at, size));
          at += size;
        }
      }
  }
  changes.clear();
  inode.current = inode.durable;
}

void FaultDisk::survive(FolderState& folder) {
  std::uint64_t const mode = random_() % 4;
  std::size_t const first = folder.unsynced.empty() ? 0 : random_() % (folder.unsynced.size() + 1);
  for (std::size_t i = 0; i < folder.unsynced.size(); ++i) {
    bool const kept = mode == 1 || (mode == 2 && i < first) || (mode == 3 && random_() % 2 == 0);
    if (kept) replay(folder.durable, folder.unsynced[i]);
  }
  folder.unsynced.clear();
  folder.current = folder.durable;
}

}  // namespace tacenda::storage
