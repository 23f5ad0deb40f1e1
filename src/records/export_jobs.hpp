#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

enum class ExportLevel : std::uint8_t { kSystem = 1, kPatient = 2, kGroup = 3 };

/// What was asked for. Source: FHIR Bulk Data Access IG 2.0, export.html.
struct ExportRequest {
  ExportLevel level = ExportLevel::kSystem;
  std::string url;  // of the kick-off, for the manifest
  std::optional<Time> since;
  std::vector<std::string> types;                            // sorted, each once
  std::vector<std::pair<std::string, std::string>> filters;  // type and query of _typeFilter
  bool of_patients = false;                                  // only of `patients`
  std::vector<std::string> patients;                         // logical ids
};

enum class ExportState : std::uint8_t {
  kWaiting = 1,  // or being prepared
  kComplete = 2,
  kFailed = 3,
  kEnding = 4,  // cancelled, expired or taken back: nobody sees it any more, and its keys are being destroyed
};

/// One export from its kick-off to its end.
struct ExportJob {
  std::string id;    // a random UUID
  std::string user;  // who asked: user id, and for the audit log the rest
  std::string user_name;
  std::string role;
  std::string client;  // the application that asked in his name, and what it was granted; empty: he himself
  std::string scopes;
  std::string purpose;  // purpose of use that it is prepared and fetched for; empty: the first of the role
  std::string request_id;
  ExportRequest request;
  ExportState state = ExportState::kWaiting;
  Time created{};
  Time expires{};
  Time transaction_time{};  // kComplete: everything up to it is in the files
  std::uint64_t resources = 0;
  std::vector<std::string> remarks;  // literals: what of the request was left out
  std::uint64_t read_at = 0;         // how much was committed when it was read; not stored
};

enum class ExportFileKind : std::uint8_t { kOutput = 1, kDeleted = 2, kError = 3 };

/// A version that a file holds.
struct ExportPlace {
  std::string type;
  std::string id;
  std::uint64_t version = 0;
};

struct ExportFileSummary {
  std::uint32_t number = 0;
  ExportFileKind kind = ExportFileKind::kOutput;
  std::string type;  // of its resources
  std::uint32_t count = 0;
};

/// A file as it is kept: not the content, which stays where it is under its patients' keys, but which
/// versions it has. So no second copy of a record lies anywhere, and an erasure reaches every export.
struct ExportFile {
  ExportFileKind kind = ExportFileKind::kOutput;
  std::string type;
  std::vector<ExportPlace> places;
  std::vector<std::string> texts;  // kError: literals
};

/// Exports and the lists of their files, each sealed under the keys of its export, which end with it
/// (docs/data-file.md, "Export rows").
///
/// Owner: start. Thread-safe.
class ExportJobs {
 public:
  explicit ExportJobs(vault::Vault& vault);

  /// Adds a job under a new id, with keys of its own. Errors: kThrottled (limits::kExports*).
  Result<std::string> create(ExportJob job, vault::WriteSet& set) const;
  /// Errors: kNotFound (there is none, or it is ending), kCorrupt.
  Result<ExportJob> find(std::string_view id) const;
  /// All of them. Of one whose keys are destroyed only the id is known, and the state kEnding.
  Result<std::vector<ExportJob>> all() const;
  /// Replaces a job as it was read; the set is refused when it changed since.
  Result<void> put(ExportJob const& job, vault::WriteSet& set) const;

  /// Adds a file to a job that is kWaiting as it was read; the set is refused when the job changed since.
  Result<void> add_file(ExportJob const& job, std::uint32_t number, ExportFile const& file,
                        vault::WriteSet& set) const;
  Result<std::vector<ExportFileSummary>> files(ExportJob const& job) const;
  /// Errors: kNotFound.
  Result<ExportFile> file(ExportJob const& job, std::uint32_t number) const;
  /// Takes out the files of a job, some at a time; false when there were none left.
  Result<bool> clear_files(ExportJob const& job, vault::WriteSet& set) const;

  /// Destroys the keys of a job: what lies on the disk of it, or in a copy, never opens again. A second call
  /// changes nothing. Errors: those of Vault::shred.
  Result<void> destroy_keys(std::string_view id) const;
  /// Takes the job's own row out.
  void erase(std::string_view id, vault::WriteSet& set) const;

  /// Resources of a job prepared so far, of this process.
  void set_progress(std::string_view id, std::uint64_t resources);
  std::uint64_t progress(std::string_view id) const;
  void forget_progress(std::string_view id);

 private:
  Result<Bytes> seal(vault::SubjectKeys const& keys, ByteView key, ByteView plaintext) const;
  Result<Bytes> open(std::string_view id, ByteView key, ByteView envelope) const;
  Bytes associated_data(vault::SubjectKeys const& keys, ByteView key) const;
  Result<ExportJob> open_job(std::string_view id, ByteView envelope) const;

  vault::Vault* vault_;  // outlives the jobs: both are made by start, the vault first
  vault::View view_;
  mutable Mutex mutex_;
  std::map<std::string, std::uint64_t, std::less<>> progress_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::records
