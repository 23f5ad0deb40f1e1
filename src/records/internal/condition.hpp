#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/error.hpp"
#include "core/permit.hpp"
#include "fhir/search_query.hpp"
#include "records/internal/documents.hpp"
#include "records/internal/facts.hpp"
#include "records/internal/row.hpp"
#include "records/internal/term_query.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

class Extractor;

/// What one search sees and may see. Owner: one thread; outlives everything that is made of it.
class SearchState {
 public:
  /// Permit to search a type; nullptr: there is none, and its resources are as if they were not.
  using Permits = std::function<Permit const*(std::string_view type)>;

  /// What is given by reference outlives the state.
  SearchState(vault::Vault const& vault, vault::View const& view, vault::ReadPoint const& at,
              Extractor const& extractor, QueryContext query, Permits permits, Budget& budget)
      : vault_(vault),
        extractor_(extractor),
        index_{view, at, budget},
        query_(query),
        permits_(std::move(permits)) {}

  IndexReader const& index() const { return index_; }
  QueryContext const& query() const { return query_; }
  Permit const* permit(std::string_view type) const { return permits_(type); }
  vault::Vault const& vault() const { return vault_; }
  Extractor const& extractor() const { return extractor_; }

  /// Judges a living resource. Errors: why it could not be judged; kTooCostly.
  Result<bool> shows(Permit const& permit, DocumentFacts const& facts) const;
  /// The stored row of a living resource, opened when it is needed. Errors: kCorrupt, kTooCostly.
  Result<Document> open(DocumentFacts const& facts) const;
  /// nullopt: there is no such living resource.
  Result<std::optional<std::uint64_t>> document_of(std::string_view type, std::string_view id) const;
  /// nullptr: the document does not live.
  Result<std::shared_ptr<DocumentFacts const>> facts_of(std::uint64_t document) const;
  /// Reads the facts of documents that will be asked for next, in one go, and forgets those read so before.
  Result<void> read_ahead(std::span<std::uint64_t const> documents);

 private:
  vault::Vault const& vault_;
  Extractor const& extractor_;
  IndexReader index_;
  QueryContext query_;
  Permits permits_;
  std::unordered_map<std::uint64_t, std::shared_ptr<DocumentFacts const>> ahead_;
};

/// A document that is asked about; its facts are read when they are first needed.
class Candidate {
 public:
  Candidate(SearchState const& state, std::uint64_t document) : state_(state), document_(document) {}

  std::uint64_t document() const { return document_; }
  /// Errors: kCorrupt (the index names a document that is not there).
  Result<DocumentFacts const*> facts();

 private:
  SearchState const& state_;
  std::uint64_t document_;
  std::shared_ptr<DocumentFacts const> facts_;
};

/// One condition on the resources of one type. Owner: one thread.
class Condition {
 public:
  Condition() = default;
  Condition(Condition const&) = delete;
  Condition& operator=(Condition const&) = delete;
  virtual ~Condition() = default;

  /// True when `open` gives documents at once and in order, so that it costs no more than what is asked of
  /// it.
  virtual bool is_seekable() const = 0;
  /// False when `open` only tests documents in its turn, so that it never costs less than testing.
  virtual bool is_readable() const { return true; }
  /// How many rows `open` would read, counted up to `limit`.
  virtual Result<std::uint64_t> count_rows(std::uint64_t limit) = 0;
  virtual Result<std::unique_ptr<DocumentStream>> open() = 0;
  virtual Result<bool> holds(Candidate& candidate) = 0;
  /// For `explain`: a literal that tells the kind.
  virtual std::string_view kind() const = 0;
};

/// Resources of a type that have a term in one of the ranges.
std::unique_ptr<Condition> term_condition(SearchState const& state, std::uint32_t parameter,
                                          std::vector<TermRange> ranges);
/// Those of a set.
std::unique_ptr<Condition> set_condition(DocumentSet set);
/// Those that `inner` does not hold for.
std::unique_ptr<Condition> not_condition(SearchState const& state, std::string_view type,
                                         std::unique_ptr<Condition> inner);
/// Those that have any term of the parameter.
std::unique_ptr<Condition> present_condition(SearchState const& state, std::uint32_t parameter);
/// Those last changed at a time that answers `values`.
std::unique_ptr<Condition> last_updated_condition(SearchState const& state, std::string_view type,
                                                  std::vector<fhir::SearchValue> const& values);

/// The first audit sequence of a type's history at or after a time in Unix ms; one behind all when there is
/// none.
Result<std::uint64_t> history_sequence_at(SearchState const& state, std::string_view type, std::int64_t ms);

/// What a criterion asks of resources of `type`. Errors: as ranges_of; kTooCostly.
Result<std::unique_ptr<Condition>> make_condition(SearchState const& state, std::string_view type,
                                                  fhir::SearchCriterion const& criterion);
/// The criteria that go through references: kChain, kHas, kList.
Result<std::unique_ptr<Condition>> make_linked_condition(SearchState const& state, std::string_view type,
                                                         fhir::SearchCriterion const& criterion);

/// Those that refer by `parameter` to a contained resource of `target` that answers `linked`, a criterion
/// that needs the whole resource (:not, :missing): what contains one is opened.
std::unique_ptr<Condition> contained_condition(SearchState const& state, std::uint32_t parameter,
                                               std::string_view target, fhir::SearchCriterion const& linked);

/// True when the terms of a resource of `type` answer a criterion of kind kValue. Errors: as ranges_of.
Result<bool> answers(QueryContext const& context, std::vector<Term> const& terms, std::string_view type,
                     fhir::SearchCriterion const& criterion);

/// `Type/id` of a reference term by its bytes; nullopt: it leads elsewhere.
std::optional<std::pair<std::string, std::string>> target_of(std::string_view bytes);

}  // namespace tacenda::records
