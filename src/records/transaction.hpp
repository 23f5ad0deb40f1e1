#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/permit.hpp"
#include "fhir/compartment.hpp"
#include "fhir/resource.hpp"
#include "fhir/search_query.hpp"
#include "records/stored.hpp"
#include "records/upload.hpp"
#include "records/written.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

class Extractor;
struct Document;
struct RowHeader;
struct Term;

/// What the index is at the moment: which search parameters it holds. Immutable: thread-safe.
struct IndexSnapshot {
  std::shared_ptr<Extractor const> extractor;  // shared: work in flight keeps its own
  bool answers = true;                         // false: the index is being written anew
};

/// Permit for a type that a search looks into; nullptr: there is none, its resources are as if they were not.
using PermitSource = std::function<Permit const*(std::string_view type)>;

/// Changes over one consistent state, collected into one write set. Reads see the state at `begin` and
/// the transaction's own writes. Nothing is visible to others before the commit; concurrent changes of what
/// was read here make the commit fail with kConflict, and the caller starts again. What is of whom it names
/// (fhir::is_of_whom_it_names) is written behind the records that it may name.
///
/// Owner: one thread. `event` is the index of the audit event that records the change.
class Transaction {
 public:
  /// What the rooms above put into each resource before it is written; `replaced` is the text of the version
  /// that it replaces, empty where there is none.
  using Amend = std::function<Result<fhir::Resource>(fhir::Resource, std::string_view replaced)>;
  void amend_with(Amend amend) { amend_ = std::move(amend); }

  /// From now on an update may take a record away from its patient: from all of them, or from him whom it is
  /// clearly about (fhir::clear_subject). Without it such an update is kForbidden (W-01).
  void let_move() { moves_records_ = true; }

  /// Absolute URLs of the FHIR base that mean this server: what a Bundle names below them is of this server.
  void serve_at(std::vector<std::string> base_urls) { base_urls_ = std::move(base_urls); }

  /// From now on an update leaves a record that is there with the patients that it has.
  void keep_patients() { keeps_patients_ = true; }

  /// The Binary that is written next holds `content`; its own `data`, at least one byte, stands for it. With
  /// its commit the upload is no more under way. That write fails with kUnavailable when what was uploaded is
  /// not there any more.
  void hold(UploadedContent content) { held_ = std::move(content); }

  /// Writes version 1. The resource's own id is replaced. Of several patients each must be one of whom the
  /// Permit shows such a record; of one it is always kept.
  /// Errors: kForbidden (the Permit refuses the record), kConflict (the id is taken), kGone (its patient was
  /// erased), kUnprocessable.
  Result<Written> create(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                         std::uint32_t event);

  /// Writes the next version, or version 1 (create-on-update), or goes on after a deletion. Each patient
  /// whose record it was not must be one of whom the Permit shows such a record: to name another who hides
  /// his must not hide this one from everybody. Errors: kPrecondition (if_match names another version),
  /// kInvalid (resource.id differs), as `create`.
  Result<Written> update(Permit const& permit, fhir::Resource resource, ResourceId const& id,
                         std::optional<std::uint64_t> if_match, std::uint32_t event);

  /// Writes a deletion version; `changed`: there was something to delete. Errors: kPrecondition, kForbidden.
  Result<Written> remove(Permit const& permit, std::string_view type, ResourceId const& id,
                         std::optional<std::uint64_t> if_match, std::uint32_t event);

  /// `resource` will be written under that id: `match` finds it as it will be.
  Result<void> expect(std::string_view type, std::string_view id, fhir::Resource const& resource);

  /// Logical ids of the living resources that match, at most `limit`; what this transaction will write or has
  /// deleted counts as it will be. The write set then depends on the criteria: of two callers at once, one
  /// must run again. What the Permits hide is left out; a type that has none is as if it were empty. Errors:
  /// kNotSupported (criteria that go through references, of what this transaction writes), kTooCostly,
  /// kUnavailable (the index is being written anew), those of the watch.
  Result<std::vector<std::string>> match(PermitSource const& permits, std::string_view type,
                                         std::vector<fhir::SearchCriterion> const& criteria,
                                         std::size_t limit);

  /// A living resource as it is: its place, version and patients, `changed` false. Version 0: there is none.
  Result<Written> unchanged(std::string_view type, std::string_view id);

  /// A living resource as `reader` may read it, for a change that is made from what it holds: who changes it
  /// at the same time makes the commit fail. Not of what this transaction writes itself (kInvalid). Errors:
  /// kNotFound (also what the Permit hides), kGone (deleted or erased), kCorrupt.
  Result<Living> living(Permit const& reader, std::string_view type, ResourceId const& id);

  bool wrote(std::string_view type, std::string_view id) const;

  /// Refuses more than limits::kConsentsPerPatient by what is written here; of two callers at once who give
  /// one to the same patient, one must run again. `permits` show every Consent. Errors: kUnprocessable,
  /// kTooCostly.
  Result<void> check_consents(PermitSource const& permits);

  /// The collected changes, after check_consents (asserted). The transaction is empty then.
  vault::WriteSet take();

  Transaction(Transaction&&) noexcept;
  Transaction& operator=(Transaction&&) noexcept;
  Transaction(Transaction const&) = delete;
  Transaction& operator=(Transaction const&) = delete;
  ~Transaction();

 private:
  friend class Store;
  friend class ErasingTransaction;
  Transaction(vault::Vault& vault, vault::View view, IndexSnapshot const& index, Watch watch);

  struct Current {
    std::uint64_t version = 0;  // 0: never was
    bool deleted = false;
    std::vector<std::string> patients;
    Digest commitment{};         // to its body
    std::uint64_t document = 0;  // in the index; 0: not there yet
    Bytes row;                   // as stored; empty for an own write
    Bytes body;                  // of a living version that is stored
    bool own = false;
  };
  /// What will be written, by the terms it will have.
  struct Expected {
    std::string id;
    std::vector<Term> terms;
  };
  Result<Current*> load(std::string_view type, std::string_view id);
  /// Is it shown as it is stored? Of what is not there: may that be learned?
  Result<bool> shows(Permit const& permit, std::string_view type, std::string_view id,
                     Current const& current) const;
  /// Whose the version that is written is.
  Result<fhir::SubjectSet> subjects_of(fhir::Resource const& resource, ResourceId const& id,
                                       Current const& current);
  /// Those of another record, as it is stored or written here; of a deleted one those it had.
  Result<std::vector<std::string>> patients_of(std::string_view type, std::string_view id);
  /// May the version that is written be of these patients? `patients`: sorted.
  Result<void> check_patients(Permit const& permit, fhir::Resource const& resource, ResourceId const& id,
                              Current const& current, std::vector<std::string> const& patients) const;
  Result<bool> is_taken_away(fhir::Resource const& resource, ResourceId const& id, Current const& current,
                             std::vector<std::string> const& patients) const;
  /// `subjects`: nullptr, those of the version before.
  Result<Written> write(std::string_view type, ResourceId const& id, fhir::Resource const* resource,
                        fhir::SubjectSet const* subjects, Current& current, std::uint32_t event);
  /// Takes the rows of the version before out of the index and puts those of `resource` in (nullptr: none).
  Result<void> replace_index(std::string_view type, std::string_view id, Current const& current,
                             RowHeader const& header, fhir::Resource const* resource, std::uint32_t event);
  /// Puts what was uploaded in the place of the data of a Binary. Errors: kUnavailable, kBug.
  Result<void> hold_apart(std::string_view type, UploadedContent held, Document& document);
  void touch(std::vector<Term> const& terms);
  /// Tells those who keep decisions. `patients`: of the new version.
  void announce(std::string_view type, Current const& current, std::vector<std::string> const& patients,
                bool labelled);
  /// False: the index of this state has no rows of a parameter, which was read at another time.
  bool is_indexed(std::string_view type, fhir::SearchCriterion const& criterion) const;
  void depend(std::string_view type, fhir::SearchCriterion const& criterion);
  Result<bool> answers(Expected const& expected, std::string_view type,
                       fhir::SearchCriterion const& criterion) const;
  // For check_consents.
  Result<void> note_consent(std::string_view id, Current const& current, fhir::Resource const* resource,
                            std::vector<std::string> const& patients);
  Result<std::size_t> other_consents(PermitSource const& permits, std::string_view patient) const;
  Result<std::size_t> other_consents_without_index(std::string_view patient) const;

  Result<fhir::Resource> amended(fhir::Resource resource, Current const& current) const;

  Amend amend_;
  bool moves_records_ = false;
  bool keeps_patients_ = false;
  bool lets_erased_stay_ = false;  // ErasingTransaction::rewrite
  std::vector<std::string> base_urls_;
  std::optional<UploadedContent> held_;
  vault::Vault* vault_;
  vault::View view_;
  vault::ReadPoint at_;
  std::shared_ptr<Extractor const> extractor_;
  bool index_answers_ = true;
  Watch watch_;
  vault::WriteSet set_;
  std::map<std::string, Current, std::less<>> loaded_;                         // by "Type/id"
  std::map<std::string, std::vector<Expected>, std::less<>> expected_;         // by type
  std::map<std::string, std::vector<std::string>, std::less<>> own_consents_;  // by id: whose, while active
  std::set<std::string> gaining_;  // patients who get an active Consent more
};

}  // namespace tacenda::records
