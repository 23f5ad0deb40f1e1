#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "core/id.hpp"
#include "core/mutex.hpp"
#include "core/permit.hpp"
#include "fhir/search_query.hpp"
#include "records/decisions.hpp"
#include "records/stored.hpp"
#include "records/transaction.hpp"
#include "records/upload.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

/// What a search may look into and what its values are relative to.
struct SearchScope {
  PermitSource permits;  // outlives the call
  std::span<std::string const> base_urls;
  Time now{};
  Watch watch;            // of the request's time
  std::size_t count = 0;  // of matches on a page; 0: the total alone
  bool wants_total = false;
};

struct RowPlace;
class SearchLists;
class SearchState;
class Walk;
struct WalkScope;

/// Resources and all their versions, each sealed under its subjects' keys.
///
/// Owner: start. Thread-safe. Every function that gives content takes a Permit and asks it about each
/// record before opening it; a record that the Permit hides is kNotFound, like one that never was (C-10).
class Store {
 public:
  explicit Store(vault::Vault& vault);
  ~Store();
  Store(Store const&) = delete;
  Store& operator=(Store const&) = delete;

  /// Errors: kNotFound, kGone (deleted or erased), kCorrupt (authentication failed).
  Result<StoredVersion> read(Permit const& permit, std::string_view type, ResourceId const& id,
                             ContentForm form = ContentForm::kInText) const;
  /// Errors: as `read`; kGone when that version is a deletion.
  Result<StoredVersion> vread(Permit const& permit, std::string_view type, ResourceId const& id,
                              std::uint64_t version, ContentForm form = ContentForm::kInText) const;
  /// Bytes of what a Binary of this version holds, of one that was read apart; no other chunk is opened, and
  /// every one that is opened was authenticated. Errors: as `vread`; kInvalid (a range beyond its end, or
  /// what does not lie apart).
  Result<std::string> content(Permit const& permit, std::string_view type, ResourceId const& id,
                              std::uint64_t version, ContentRange range) const;

  /// That a resource was deleted by this version. Errors: as `read`; kNotFound also when it is no deletion.
  Result<StoredVersion> deletion(Permit const& permit, std::string_view type, ResourceId const& id,
                                 std::uint64_t version) const;

  /// The versions of one resource. A page may be short, or empty, and have a next one. Errors: kNotFound.
  Result<HistoryPage> history_of(Permit const& permit, std::string_view type, ResourceId const& id,
                                 HistoryPosition position, std::size_t count,
                                 HistoryWindow const& window = {}) const;
  /// The versions of one type, or of every type when `type` is empty.
  Result<HistoryPage> history(Permit const& permit, std::string_view type, HistoryPosition position,
                              std::size_t count, HistoryWindow const& window = {}) const;

  /// The resources that meet one of the queries, each of another type, as far as the Permits show them: what
  /// they hide is neither counted, followed, sorted by nor included, as if it were not. What shapes the
  /// result is that of the first query; several are sorted by _id and _lastUpdated alone (asserted). Pages
  /// follow the order of the queries and of creation, or that of `query.sort` as it was at the first page:
  /// they neither repeat nor drop a resource while others write. Errors: kInvalid, kNotSupported, kTooCostly,
  /// kCorrupt, kUnavailable, those of the watch.
  Result<SearchPage> search(SearchScope const& scope, std::span<fhir::SearchQuery const> queries,
                            SearchPosition const& position) const;

  /// The living resources that meet the criteria, in the order of creation, at most `limit`, as far as the
  /// Permits show them. None is opened. Errors: as search.
  Result<std::vector<Located>> locate(PermitSource const& permits, std::string_view type,
                                      std::vector<fhir::SearchCriterion> const& criteria,
                                      std::size_t limit) const;

  /// What the living resources of the types have in their meta, as far as the Permits show one that has it.
  /// By the index: none is opened, and where a Permit shows all of a type the cost grows with the values and
  /// not with the resources. Codings without a code are left out. Errors: kTooCostly (more than 10,000
  /// values, or limits::kSearchRows), kCorrupt, kUnavailable.
  Result<MetaInUse> meta_in_use(PermitSource const& permits, std::span<std::string const> types,
                                Watch watch = {}) const;

  /// One state to walk through, however long it takes.
  vault::ReadPoint read_point() const;
  /// The living resources of a type that meet one of the queries, which must all be of that type, at `at`.
  /// Errors: as search.
  Result<std::unique_ptr<Walk>> walk(WalkScope scope, std::vector<fhir::SearchQuery> any_of,
                                     vault::ReadPoint const& at) const;

  /// A new logical id: a random UUID, version 4. Errors: kUnavailable.
  Result<ResourceId> new_id() const;

  /// Uploads whose version is not stored: under way, or broken off; at most `limit`. Errors: kCorrupt,
  /// kUnavailable.
  Result<std::vector<UploadId>> uploads(std::size_t limit) const;
  /// Removes at most `rows_max` chunks of an upload that nobody goes on with, and at the end its row. Made so
  /// that the commit of its version and this one exclude each other. Errors: kCorrupt, kUnavailable.
  Result<UploadSweep> sweep_upload(UploadId const& id, std::size_t rows_max) const;

  /// Starts a set of changes over one consistent state. `watch` is asked while criteria are matched.
  Transaction begin(Watch watch = {}) const;

  /// The search parameters that are known now. Never nullptr.
  std::shared_ptr<fhir::SearchParameters const> parameters() const;
  /// Calls `look` with what access control looks at of a resource, for those who explain decisions; its
  /// content is for judging alone. Errors: kNotFound, kCorrupt.
  Result<void> with_facts(Permit const& permit, std::string_view type, ResourceId const& id,
                          std::function<void(RecordFacts const&)> const& look) const;

  /// Commits that readers can surely see. What is read after this question stands until decided_at says more.
  std::uint64_t committed() const;
  /// Sequence of the newest commit that may have changed it; 0: none since the start.
  std::uint64_t decided_at(Decisive kind, std::string_view name) const;
  /// Makes `set` conflict with every change of a Consent that commits after its reads.
  void depend_on_consents(vault::WriteSet& set) const;
  /// Makes those sets conflict with `set`, as a change of a Consent does: it changes what is permitted.
  void change_decisions(vault::WriteSet& set) const;
  /// True when any living resource of the type has a security label. Errors: kUnavailable.
  Result<bool> has_labels(std::string_view type) const;

  /// Audit sequence of the newest version of any resource of a type; 0: there never was one. Errors:
  /// kUnavailable.
  Result<std::uint64_t> newest_change(std::string_view type) const;
  /// Calls `visit` for each living resource of a type, in the order of creation and without the index, until
  /// it returns false. Errors: as read.
  Result<void> each(Permit const& permit, std::string_view type,
                    std::function<Result<bool>(StoredVersion const&)> const& visit) const;

  /// About how many bytes on disk its rows take. Errors: kUnavailable.
  Result<StoredBytes> stored_bytes() const;

  /// One thing found wrong, by the name an operator knows it by.
  struct Damage {
    std::string object;  // "Patient/abc version 3"
    std::string problem;
  };
  struct Verified {
    std::vector<Damage> damage;
    std::uint64_t versions = 0;
    std::uint64_t resources = 0;
  };
  /// Opens every version and checks digest, associated data, links between versions, density of version
  /// numbers, history and index rows. `leaf_digest` gives the record digest that the audit leaf at a
  /// sequence binds (nullopt: there is none, or it was erased). `current` is called with the state item of
  /// each current version. All of it is looked at as it stood at `at`. Goes on after damage. Errors:
  /// kUnavailable.
  Result<Verified> verify(
      Permit const& permit, vault::ReadPoint const& at,
      std::function<Result<std::optional<Digest>>(std::uint64_t sequence)> const& leaf_digest,
      std::function<void(ByteView item)> const& current,
      std::function<void(std::uint64_t done)> const& progress) const;

 private:
  friend class Walk;
  friend class Indexer;
  IndexSnapshot index() const;
  /// Errors: kUnavailable (it is being written anew).
  Result<std::shared_ptr<Extractor const>> answering_index() const;
  Result<StoredVersion> open(std::string_view type, std::string_view id, ByteView row) const;
  Result<bool> shows_now(Permit const& permit, std::string_view type, std::string_view id,
                         vault::ReadPoint const& at) const;
  Result<std::optional<StoredVersion>> version_at(Permit const& permit, std::string_view type,
                                                  std::string_view id, std::uint64_t version,
                                                  ContentForm form = ContentForm::kInText) const;
  /// The row of a version as the Permit shows it; nullopt: there is none for it.
  Result<std::optional<Bytes>> shown_row(Permit const& permit, RowPlace const& place, std::uint64_t version,
                                         vault::ReadPoint const& at) const;
  /// The documents that live and that the permits show, as they show them; `judged`: they are known to be
  /// shown.
  Result<std::vector<StoredVersion>> open_all(SearchState const& state,
                                              std::span<std::uint64_t const> documents, bool judged) const;

  vault::Vault* vault_;  // outlives the store: both are made by start, the vault first
  vault::View view_;
  std::unique_ptr<SearchLists> lists_;
  // While the index changes it is held: who begins then works with the index before or the one behind, and
  // knows which.
  // What was learned by an index before belongs to the past when it changes.
  std::atomic<std::uint64_t> index_changed_at_{0};
  mutable Mutex index_mutex_;
  IndexSnapshot index_ TACENDA_GUARDED_BY(index_mutex_);
};

}  // namespace tacenda::records
