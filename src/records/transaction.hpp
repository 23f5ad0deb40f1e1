#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/permit.hpp"
#include "fhir/criteria.hpp"
#include "fhir/resource.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

/// A version that was written into a Transaction and becomes real with its commit.
struct Written {
  std::string type;
  std::string id;
  std::uint64_t version = 0;
  bool created = false;  // 201 in place of 200
  bool deletion = false;
  bool changed = true;  // false: nothing was written (delete of what was not there)
  std::vector<std::string> patients;
  std::optional<Digest> digest;  // of the sealed version, for the audit event
  std::string text;              // the stored text; `render` adds the server's meta
  std::uint32_t meta_offset = 0;

  /// The resource as a client sees it once the commit has given it a time.
  std::string render(Time last_updated) const;
};

/// Changes over one consistent state, collected into one write set. Reads see the state at `begin` and
/// the transaction's own writes. Nothing is visible to others before the commit; concurrent changes of what
/// was read here make the commit fail with kConflict, and the caller starts again.
///
/// Owner: one thread. `event` is the index of the audit event that records the change.
class Transaction {
 public:
  /// Writes version 1. The resource's own id is replaced.
  /// Errors: kForbidden (the Permit refuses the record), kConflict (the id is taken), kGone (its patient was
  /// erased), kUnprocessable.
  Result<Written> create(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                         std::uint32_t event);

  /// Writes the next version, or version 1 (create-on-update), or goes on after a deletion.
  /// Errors: kPrecondition (if_match names another version), kInvalid (resource.id differs), as `create`.
  Result<Written> update(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                         std::optional<std::uint64_t> if_match, std::uint32_t event);

  /// Writes a deletion version; `changed` is false when there was nothing to delete.
  /// Errors: kPrecondition, kForbidden.
  Result<Written> remove(Permit const& permit, std::string_view type, ResourceId const& id,
                         std::optional<std::uint64_t> if_match, std::uint32_t event);

  /// Logical ids of the living resources that match, at most `limit`, in id order; own writes included.
  /// The write set then depends on the criteria: of two callers at once, one must run again. The id of a
  /// record that the Permit hides is left out.
  /// Errors: kInvalid for criteria other than `identifier` and `_id`.
  Result<std::vector<std::string>> match(Permit const& permit, std::string_view type,
                                         fhir::Criteria const& criteria, std::size_t limit);

  /// A living resource as it is: its place, version and patients, `changed` false. Version 0: there is none.
  Result<Written> unchanged(std::string_view type, std::string_view id);

  /// True when this transaction writes a version of the resource.
  bool wrote(std::string_view type, std::string_view id) const;

  /// The collected changes. The transaction is empty afterwards.
  vault::WriteSet take();

 private:
  friend class Store;
  Transaction(vault::Vault& vault, vault::View view);

  struct Current {
    std::uint64_t version = 0;  // 0: never was
    bool deleted = false;
    std::vector<std::string> patients;
    Digest commitment{};  // to its body
    Bytes row;            // as stored; empty for an own write
    bool own = false;
    std::vector<std::pair<std::string, std::string>> identifiers;
  };
  Result<Current*> load(std::string_view type, std::string_view id);
  Result<Written> write(std::string_view type, ResourceId const& id, fhir::Resource const* resource,
                        Current& current, std::uint32_t event);
  Result<void> replace_index(std::string_view type, std::string_view id, Current const& current,
                             std::vector<std::pair<std::string, std::string>> const& identifiers);
  Result<std::vector<std::string>> find_identifier(std::string_view type, fhir::Criterion const& criterion);

  vault::Vault* vault_;
  vault::View view_;
  vault::ReadPoint at_;
  vault::WriteSet set_;
  std::map<std::string, Current, std::less<>> loaded_;  // by "Type/id"
};

}  // namespace tacenda::records
