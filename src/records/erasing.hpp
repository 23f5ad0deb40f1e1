#pragma once

#include <cstdint>
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
  bool is_shared = false;            // others have it as well, or have it now
  bool is_his = false;               // the newest version is
  std::vector<std::uint64_t> older;  // versions of his, but for the newest
};

/// Changes that only an erasure makes: nobody is asked, and no version tells of them. Owner: one thread.
class ErasingTransaction {
 public:
  explicit ErasingTransaction(Store const& store) : transaction_(store.begin()) {}

  /// From this commit on no record of the patient is written: neither made nor changed.
  void begin(std::string_view patient);
  /// The end of that: his keys are destroyed, and nobody gets new ones.
  void end(std::string_view patient);
  /// Takes a resource out with all its versions, contents and index rows; gives how many versions it had, 0:
  /// it was not there. Errors: kCorrupt, kGone (something of it does not open), kUnavailable.
  Result<std::uint64_t> erase(std::string_view type, std::string_view id, std::uint32_t event);
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
  /// then. Errors: kCorrupt, kUnavailable, those of the watch.
  Result<std::vector<OwnedRecord>> records_of(std::string_view patient, Watch const& watch = {}) const;

  /// Was such a resource ever made, and not erased? Deleted ones are there. Errors: kCorrupt, kUnavailable.
  Result<bool> is_there(std::string_view type, std::string_view id) const;

 private:
  vault::Vault const* vault_;
  vault::View view_;
};

}  // namespace tacenda::records
