#pragma once

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "records/store.hpp"
#include "records/stored.hpp"
#include "records/transaction.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

/// A resource that lies under a patient's keys, now or in an older version.
struct OwnedRecord {
  std::string type;
  std::string id;
  std::uint64_t version = 0;  // the newest; 0: it is not his any more
  bool deleted = false;
  bool is_his = false;               // the newest version is
  std::vector<std::uint64_t> older;  // versions of his, but for the newest
  /// Logical ids of the other patients of any version that is still there.
  std::set<std::string, std::less<>> others;

  /// Others have it as well, have it now, or had it.
  bool is_shared() const { return !is_his || !others.empty(); }
};

/// What lies under a patient's keys.
struct OwnedRecords {
  std::vector<OwnedRecord> records;
  std::uint64_t unreadable = 0;  // damaged rows, of which nobody can tell whose they are
};

/// Changes that only an erasure makes: nobody is asked, and no version tells of them. Owner: one thread.
class ErasingTransaction {
 public:
  explicit ErasingTransaction(Store const& store) : transaction_(store.begin()) {}

  /// From this commit on no record of the patient is written: neither made nor changed.
  void begin(std::string_view patient);
  /// The end of that: his keys are destroyed, and nobody gets new ones.
  void end(std::string_view patient);
  /// A living record that several patients have. Errors: as Transaction::living.
  Result<Living> living(Permit const& reader, std::string_view type, ResourceId const& id) {
    return transaction_.living(reader, type, id);
  }
  /// Writes its next version, which may take it away from its patient, and may leave it to others whose own
  /// erasure is under way: that one takes them out. `base_urls`: as Transaction::serve_at. Errors: as
  /// Transaction::update.
  Result<Written> rewrite(Permit const& permit, fhir::Resource resource, std::uint64_t version,
                          std::vector<std::string> base_urls, std::uint32_t event);
  /// Takes a resource out with all its versions, contents and index rows, if `version` is the newest; gives
  /// how many it had, 0: it was not there. No other resource gets its id. Errors: kConflict (it was written
  /// meanwhile), kCorrupt, kGone (something of it does not open), kUnavailable.
  Result<std::uint64_t> erase(std::string_view type, std::string_view id, std::uint64_t version,
                              std::uint32_t event);
  /// Leaves of an older version that there was one: a purged row. Gives its digest, which the event must
  /// bind. Errors: as erase; kNotFound.
  Result<Digest> purge(std::string_view type, std::string_view id, std::uint64_t version,
                       std::uint32_t event);
  /// The collected changes.
  vault::WriteSet take() { return transaction_.take(); }

 private:
  Result<void> erase_content(RowPlace const& place, RowHeader const& header);
  Transaction transaction_;
};

/// Finds what lies under a patient's keys, by the rows' headers alone: also what is deleted, and what was
/// moved to somebody else. Thread-safe. Must not outlive the Vault.
class Erasing {
 public:
  explicit Erasing(vault::Vault const& vault);

  /// Looks at every row of every record: as long as a look at the whole store takes. `watch` is asked now and
  /// then. A row that cannot be read is counted, and keeps nothing else from being found. Errors: kCorrupt (a
  /// file is damaged), kUnavailable, those of the watch.
  Result<OwnedRecords> records_of(std::string_view patient, Watch const& watch = {}) const;

  /// Patients whose erasure is under way. Errors: kCorrupt (a file is damaged), kUnavailable.
  Result<std::set<std::string, std::less<>>> under_way() const;

  /// Was such a version ever made, and neither erased nor purged? Of a deleted resource it is there. Errors:
  /// kCorrupt, kUnavailable.
  Result<bool> is_there(std::string_view type, std::string_view id, std::uint64_t version) const;

  /// False while the index may have rows that no version accounts for. Errors: kCorrupt, kUnavailable.
  Result<bool> is_index_settled() const;

 private:
  vault::Vault const* vault_;
  vault::View view_;
};

}  // namespace tacenda::records
