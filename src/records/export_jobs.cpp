#include "records/export_jobs.hpp"

#include <algorithm>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "records/internal/export_rows.hpp"

namespace tacenda::records {
namespace {

constexpr std::size_t kClearedAtOnce = 256;  // rows of files taken out by one commit
constexpr std::string_view kLimitGuard =
    "limit";  // every new job touches it: of two at once, one counts again

Bytes key_of(char kind, std::string_view id) {
  Bytes key;
  key.reserve(48);
  key.push_back(static_cast<std::byte>(kind));
  append(key, id);
  return key;
}

Bytes key_of(char kind, std::string_view id, std::uint32_t number) {
  Bytes key = key_of(kind, id);
  ByteWriter(key).u32(number);
  return key;
}

Result<std::uint32_t> number_of(ByteView key, std::string_view id) {
  ByteReader reader(key);
  TACENDA_TRY_VOID(reader.raw(1 + id.size()));
  return reader.u32();
}

}  // namespace

ExportJobs::ExportJobs(vault::Vault& vault) : vault_(&vault), view_(vault.view(vault::Keeper::kExports)) {}

Bytes ExportJobs::associated_data(vault::SubjectKeys const& keys, ByteView key) const {
  Bytes data;
  ByteWriter(data)
      .sized("tacenda/export/1")
      .sized(vault_->store_id())
      .sized(vault_->tenant_id())
      .sized(view_.full_key(key))
      .sized(keys.alias())
      .u32(keys.generation());
  return data;
}

Result<Bytes> ExportJobs::seal(vault::SubjectKeys const& keys, ByteView key, ByteView plaintext) const {
  Bytes envelope;
  TACENDA_TRY_VOID(keys.seal_record(associated_data(keys, key), plaintext, envelope));
  return envelope;
}

Result<Bytes> ExportJobs::open(std::string_view id, ByteView key, ByteView envelope) const {
  auto const keys = TACENDA_TRY(vault_->subject(vault::Subject::export_job(id)));
  Bytes plaintext;
  TACENDA_TRY_VOID(keys->open_record(associated_data(*keys, key), envelope, plaintext));
  return plaintext;
}

Result<ExportJob> ExportJobs::open_job(std::string_view id, ByteView envelope) const {
  auto const plaintext = open(id, key_of('j', id), envelope);
  ExportJob job;
  if (plaintext.has_value()) {
    job = TACENDA_TRY(decode_job(*plaintext));
  } else if (plaintext.error().kind() == ErrorKind::kGone) {
    job.state = ExportState::kEnding;
  } else {
    return std::unexpected(plaintext.error());
  }
  job.id = id;
  return job;
}

Result<std::string> ExportJobs::create(ExportJob job, vault::WriteSet& set) const {
  set.read_at(vault_->read_point().sequence());
  set.depends_on(view_.guard(as_bytes(kLimitGuard)));
  set.touches(view_.guard(as_bytes(kLimitGuard)));
  std::size_t running = 0;
  std::size_t running_own = 0;
  std::size_t kept = 0;
  std::size_t kept_own = 0;
  for (auto const& other : TACENDA_TRY(all())) {
    bool const own = other.user == job.user;
    bool const runs = other.state == ExportState::kWaiting;
    ++kept;
    kept_own += own ? 1 : 0;
    running += runs ? 1 : 0;
    running_own += runs && own ? 1 : 0;
  }
  if (running_own >= limits::kExportsRunningPerUser || running >= limits::kExportsRunning)
    return fail(ErrorKind::kThrottled, "too many exports are being prepared: try again later");
  if (kept_own >= limits::kExportsKeptPerUser || kept >= limits::kExportsKept)
    return fail(ErrorKind::kThrottled, "too many exports are kept: delete those that were downloaded");

  job.id = codec::format_uuid_v4(TACENDA_TRY(vault_->random_bytes16()));
  auto const keys = TACENDA_TRY(vault_->subject_for_write(vault::Subject::export_job(job.id), set));
  Bytes const key = key_of('j', job.id);
  view_.put(set, key, TACENDA_TRY(seal(*keys, key, encode_job(job))));
  return job.id;
}

Result<ExportJob> ExportJobs::find(std::string_view id) const {
  auto const at = vault_->read_point();
  auto const row = TACENDA_TRY(view_.get(key_of('j', id), &at));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such export");
  auto job = TACENDA_TRY(open_job(id, *row));
  if (job.state == ExportState::kEnding) return fail(ErrorKind::kNotFound, "there is no such export");
  job.read_at = at.sequence();
  return job;
}

Result<std::vector<ExportJob>> ExportJobs::all() const {
  auto const at = vault_->read_point();
  std::vector<ExportJob> jobs;
  auto const visit = [&](ByteView key, ByteView row) -> Result<bool> {
    auto job = open_job(as_text(key.subspan(1)), row);
    if (!job.has_value() && job.error().kind() == ErrorKind::kCorrupt) {
      // One damaged row must not keep the others from being prepared, ended and destroyed: `verify` names it.
      log(LogLevel::kError, job.error());
      return true;
    }
    if (!job.has_value()) return std::unexpected(job.error());
    jobs.push_back(std::move(*job));
    jobs.back().read_at = at.sequence();
    return true;
  };
  TACENDA_TRY_VOID(view_.scan(as_bytes("j"), {}, storage::Direction::kForward, visit, &at));
  return jobs;
}

Result<void> ExportJobs::put(ExportJob const& job, vault::WriteSet& set) const {
  Bytes const key = key_of('j', job.id);
  set.read_at(job.read_at);
  set.depends_on(view_.guard(key));
  set.touches(view_.guard(key));
  auto const keys = TACENDA_TRY(vault_->subject_for_write(vault::Subject::export_job(job.id), set));
  view_.put(set, key, TACENDA_TRY(seal(*keys, key, encode_job(job))));
  return {};
}

Result<void> ExportJobs::add_file(ExportJob const& job, std::uint32_t number, ExportFile const& file,
                                  vault::WriteSet& set) const {
  set.read_at(job.read_at);
  set.depends_on(view_.guard(key_of('j', job.id)));
  auto const keys = TACENDA_TRY(vault_->subject_for_write(vault::Subject::export_job(job.id), set));
  Bytes const file_key = key_of('f', job.id, number);
  view_.put(set, file_key, TACENDA_TRY(seal(*keys, file_key, encode_file(file))));
  ExportFileSummary summary{number, file.kind, file.type, 0};
  summary.count = static_cast<std::uint32_t>(file.kind == ExportFileKind::kError ? file.texts.size()
                                                                                 : file.places.size());
  Bytes const summary_key = key_of('m', job.id, number);
  view_.put(set, summary_key, TACENDA_TRY(seal(*keys, summary_key, encode_summary(summary))));
  return {};
}

Result<std::vector<ExportFileSummary>> ExportJobs::files(ExportJob const& job) const {
  std::vector<ExportFileSummary> summaries;
  TACENDA_TRY_VOID(view_.scan(key_of('m', job.id), [&](ByteView key, ByteView row) -> Result<bool> {
    auto const plaintext = TACENDA_TRY(open(job.id, key, row));
    summaries.push_back(TACENDA_TRY(decode_summary(plaintext)));
    summaries.back().number = TACENDA_TRY(number_of(key, job.id));
    return true;
  }));
  return summaries;
}

Result<ExportFile> ExportJobs::file(ExportJob const& job, std::uint32_t number) const {
  Bytes const key = key_of('f', job.id, number);
  auto const row = TACENDA_TRY(view_.get(key));
  if (!row) return fail(ErrorKind::kNotFound, "the export has no such file");
  auto const plaintext = TACENDA_TRY(open(job.id, key, *row));
  return decode_file(plaintext);
}

Result<bool> ExportJobs::clear_files(ExportJob const& job, vault::WriteSet& set) const {
  std::size_t found = 0;
  for (char const kind : {'f', 'm'}) {
    TACENDA_TRY_VOID(view_.scan(key_of(kind, job.id), [&](ByteView key, ByteView) -> Result<bool> {
      if (found == kClearedAtOnce) return false;
      ++found;
      view_.erase(set, key);
      return true;
    }));
  }
  return found > 0;
}

Result<void> ExportJobs::destroy_keys(std::string_view id) const {
  return vault_->shred(vault::Subject::export_job(id));
}

void ExportJobs::erase(std::string_view id, vault::WriteSet& set) const {
  Bytes const key = key_of('j', id);
  set.touches(view_.guard(key));
  view_.erase(set, key);
}

void ExportJobs::set_progress(std::string_view id, std::uint64_t resources) {
  MutexLock const lock(mutex_);
  progress_[std::string(id)] = resources;
}

std::uint64_t ExportJobs::progress(std::string_view id) const {
  MutexLock const lock(mutex_);
  auto const found = progress_.find(id);
  return found == progress_.end() ? 0 : found->second;
}

void ExportJobs::forget_progress(std::string_view id) {
  MutexLock const lock(mutex_);
  progress_.erase(std::string(id));
}

}  // namespace tacenda::records
