#include "storage/embedded/log_writer.hpp"

#include <algorithm>
#include <utility>

#include "crypto/random.hpp"

namespace tacenda::storage {

Result<StartedFile> start_file(Folder& folder, std::string_view name, FileKind kind, FileClass file_class,
                               rocksdb::FileOptions const& options) {
  NewFileKey fresh = TACENDA_TRY(folder.keys.make(file_class));
  if (fresh.wrapped.empty() || fresh.wrapped.size() > kWrappedKeyBytesMax) {
    return fail(ErrorKind::kBug, "wrapped file key does not fit a header");
  }
  StartedFile file{.header = {.kind = kind, .id = {}, .wrapped_key = std::move(fresh.wrapped)},
                   .header_bytes = {},
                   .key = std::move(fresh.key),
                   .base = nullptr};
  TACENDA_TRY_VOID(folder.random.fill(file.header.id));
  file.header_bytes = encode_header(file.header);
  auto status = folder.base->NewWritableFile(folder.path_of(name), options, &file.base, nullptr);
  if (status.ok()) status = file.base->Append(to_slice(file.header_bytes), {}, nullptr);
  if (status.ok()) return file;
  file.base.reset();
  // The next start removes what is left of the file, should this not succeed.
  (void)folder.base->DeleteFile(folder.path_of(name), {}, nullptr);
  folder.keys.destroyed(file.header.wrapped_key);
  return std::unexpected(to_error(status));
}

Result<std::unique_ptr<LogWriter>> LogWriter::create(Folder& folder, std::string_view name, FileKind kind,
                                                     FileClass file_class,
                                                     rocksdb::FileOptions const& options) {
  // A nonce key of its own per writer: never stored, because only the writer chooses nonces.
  auto const nonce_key = TACENDA_TRY(crypto::random_secret<crypto::MacKey>(folder.random));
  StartedFile file = TACENDA_TRY(start_file(folder, name, kind, file_class, options));
  return std::unique_ptr<LogWriter>(new LogWriter(folder, std::move(file), nonce_key));
}

LogWriter::LogWriter(Folder& folder, StartedFile file, crypto::MacKey const& nonce_key)
    : folder_(folder),
      header_(std::move(file.header)),
      sealer_(file.key, file.header_bytes, nonce_key, folder.random),
      base_(std::move(file.base)) {}

Result<void> LogWriter::append(ByteView bytes) {
  if (broken_) return fail(ErrorKind::kUnavailable, "log is closed after an error");
  while (!bytes.empty()) {
    if (pending_.size() == kRecordBytesMax) {
      TACENDA_TRY_VOID(write_record(pending_, GroupEnd::kNo));
      pending_.clear();
    }
    std::size_t const size = std::min(bytes.size(), kRecordBytesMax - pending_.size());
    tacenda::append(pending_, bytes.first(size));
    bytes = bytes.subspan(size);
  }
  return {};
}

Result<void> LogWriter::write_group() {
  if (broken_) return fail(ErrorKind::kUnavailable, "log is closed after an error");
  if (pending_.empty() && !group_is_open_) return {};
  TACENDA_TRY_VOID(write_record(pending_, GroupEnd::kYes));
  pending_.clear();
  group_start_ = size_;
  return {};
}

Result<void> LogWriter::sync() {
  TACENDA_TRY_VOID(write_group());
  if (auto const status = folder_.judge_sync(base_->Sync({}, nullptr)); !status.ok()) {
    broken_ = true;
    return fail(ErrorKind::kUnavailable, "fsync of a log failed");
  }
  synced_ = size_;
  return {};
}

Result<void> LogWriter::close() {
  if (!base_) return {};
  Result<void> written = broken_ ? Result<void>() : write_group();
  auto const status = base_->Close({}, nullptr);
  base_.reset();
  broken_ = true;
  if (written.has_value() && !status.ok()) return std::unexpected(to_error(status));
  return written;
}

Result<void> LogWriter::write_record(ByteView payload, GroupEnd end) {
  sealed_.clear();
  if (auto sealed = sealer_.seal(payload, end, synced_, sealed_); !sealed) {
    broken_ = true;
    return sealed;
  }
  base_->PrepareWrite(static_cast<std::size_t>(size_), sealed_.size(), {}, nullptr);
  if (auto const status = base_->Append(to_slice(sealed_), {}, nullptr); !status.ok()) {
    return std::unexpected(give_up(status));
  }
  size_ += sealed_.size();
  group_is_open_ = end == GroupEnd::kNo;
  return {};
}

// A full disk is told from other errors only when the file is surely back at the end of the group before:
// the caller is told that nothing of the group is stored.
Error LogWriter::give_up(rocksdb::IOStatus const& status) {
  broken_ = true;
  pending_.clear();
  if (status.IsNoSpace()) {
    auto undone = base_->Truncate(group_start_, {}, nullptr);
    if (undone.ok()) undone = folder_.judge_sync(base_->Sync({}, nullptr));
    if (undone.ok()) return to_error(status);
  }
  folder_.health.stop();
  return {ErrorKind::kUnavailable, "write to a log failed"};
}

}  // namespace tacenda::storage
