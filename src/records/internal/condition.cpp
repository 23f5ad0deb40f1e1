#include "records/internal/condition.hpp"

#include <algorithm>
#include <set>

#include "records/internal/hierarchy.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/opened.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

bool keeps(std::vector<TermRange> const& ranges) {
  return std::ranges::all_of(ranges, [](TermRange const& range) {
    // Row values are not among the facts, so a test that looks at one needs the row.
    return is_kept({0, range.from, {}}) && !(range.one_term && range.accepts);
  });
}

// What opening a record costs, in index rows.
constexpr std::uint64_t kRowsPerRecord = 64;
// So many terms are walked side by side, each from its own place.
constexpr std::size_t kWalked = 16;
// Rows that are looked up rather than reading a document's facts.
constexpr std::size_t kLookedUp = 2;

class TermCondition final : public Condition {
 public:
  TermCondition(SearchState const& state, std::uint32_t parameter, std::vector<TermRange> ranges)
      : state_(state), parameter_(parameter), ranges_(std::move(ranges)) {}

  bool is_seekable() const override { return ranges_.size() <= kWalked && (is_single() || is_token()); }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return records::count_rows(state_.index(), parameter_, ranges_, limit);
  }
  Result<std::unique_ptr<DocumentStream>> open() override {
    return ranges_stream(state_.index(), parameter_, ranges_);
  }
  Result<bool> holds(Candidate& candidate) override {
    if (all_) return all_->contains(candidate.document());
    if (is_single() && ranges_.size() <= kLookedUp) return has_row(candidate.document());
    if (keeps(ranges_)) return has_term(*TACENDA_TRY(candidate.facts()));
    if (is_single() && ranges_.size() <= kWalked) return has_row(candidate.document());
    DocumentSet all;
    for (auto const& range : ranges_) {
      TACENDA_TRY_VOID(collect(state_.index(), parameter_, range, UINT64_MAX, all));
    }
    all_ = std::move(all);
    return all_->contains(candidate.document());
  }
  std::string_view kind() const override { return "terms"; }

 private:
  bool is_single() const { return std::ranges::all_of(ranges_, &TermRange::one_term); }
  /// A code without a system: rarely more than a few terms.
  bool is_token() const {
    return std::ranges::all_of(ranges_, [](TermRange const& range) {
      return range.one_term ||
             (!range.from.empty() && range.from.front() == static_cast<char>(Section::kToken));
    });
  }

  bool has_term(DocumentFacts const& facts) {
    if (is_single() && single_.empty()) {
      for (auto const& range : ranges_) single_.insert(range.from);
    }
    return std::ranges::any_of(facts.terms, [&](KeptTerm const& term) {
      if (term.parameter != parameter_) return false;
      if (is_single()) return single_.contains(term.bytes);
      return std::ranges::any_of(ranges_, [&](auto const& range) { return range.contains(term.bytes, {}); });
    });
  }

  Result<bool> has_row(std::uint64_t document) {
    auto const& index = state_.index();
    for (auto const& range : ranges_) {
      TACENDA_TRY_VOID(index.budget.spend(1));
      auto const row = TACENDA_TRY(index.view.get(index_key(parameter_, range.from, document), &index.at));
      if (row && (!range.accepts || range.accepts(range.from, as_text(*row)))) return true;
    }
    return false;
  }

  SearchState const& state_;
  std::uint32_t parameter_;
  std::vector<TermRange> ranges_;
  std::set<std::string, std::less<>> single_;  // the terms of ranges_, when each is one
  std::optional<DocumentSet> all_;
};

class SetCondition final : public Condition {
 public:
  explicit SetCondition(DocumentSet set) : set_(std::move(set)) {}

  bool is_seekable() const override { return true; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return std::min<std::uint64_t>(limit, set_.cardinality());
  }
  Result<std::unique_ptr<DocumentStream>> open() override { return set_stream(set_); }
  Result<bool> holds(Candidate& candidate) override { return set_.contains(candidate.document()); }
  std::string_view kind() const override { return "set"; }

 private:
  DocumentSet set_;
};

/// The documents of a stream that a condition does not hold for.
class ExceptStream final : public DocumentStream {
 public:
  ExceptStream(SearchState const& state, std::unique_ptr<DocumentStream> all, Condition& except)
      : state_(state), all_(std::move(all)), except_(except) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    for (;;) {
      auto const document = TACENDA_TRY(all_->at_or_after(from));
      if (!document) return std::nullopt;
      Candidate candidate(state_, *document);
      if (!TACENDA_TRY(except_.holds(candidate))) return document;
      from = *document + 1;
    }
  }

 private:
  SearchState const& state_;
  std::unique_ptr<DocumentStream> all_;
  Condition& except_;
};

class NotCondition final : public Condition {
 public:
  NotCondition(SearchState const& state, std::string_view type, std::unique_ptr<Condition> inner)
      : state_(state), type_number_(number_of_type(type)), inner_(std::move(inner)) {}

  bool is_seekable() const override { return false; }
  bool is_readable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return records::count_rows(state_.index(), type_number_, {all()}, limit);
  }
  Result<std::unique_ptr<DocumentStream>> open() override {
    return std::make_unique<ExceptStream>(state_, term_stream(state_.index(), type_number_, all()), *inner_);
  }
  Result<bool> holds(Candidate& candidate) override { return !TACENDA_TRY(inner_->holds(candidate)); }
  std::string_view kind() const override { return "not"; }

 private:
  static TermRange all() { return {{}, {}, true, {}}; }

  SearchState const& state_;
  std::uint32_t type_number_;
  std::unique_ptr<Condition> inner_;
};

/// Has values of a parameter, and none of them in the ranges. Only tests: what it is asked about comes from
/// elsewhere.
class OutsideCondition final : public Condition {
 public:
  OutsideCondition(std::uint32_t parameter, std::vector<TermRange> ranges)
      : parameter_(parameter), ranges_(std::move(ranges)) {}

  bool is_seekable() const override { return false; }
  bool is_readable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override { return limit; }
  Result<std::unique_ptr<DocumentStream>> open() override {
    return fail(ErrorKind::kBug, "this condition is asked about documents only");
  }
  Result<bool> holds(Candidate& candidate) override {
    auto const* facts = TACENDA_TRY(candidate.facts());
    bool any = false;
    for (auto const& term : facts->terms) {
      if (term.parameter != parameter_) continue;
      any = true;
      bool const inside =
          std::ranges::any_of(ranges_, [&](auto const& range) { return range.contains(term.bytes, {}); });
      if (inside) return false;
    }
    return any;
  }
  std::string_view kind() const override { return "outside"; }

 private:
  std::uint32_t parameter_;
  std::vector<TermRange> ranges_;
};

class PresentCondition final : public Condition {
 public:
  PresentCondition(SearchState const& state, std::uint32_t parameter)
      : state_(state), parameter_(parameter) {}

  bool is_seekable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return records::count_rows(state_.index(), parameter_, {TermRange()}, limit);
  }
  Result<std::unique_ptr<DocumentStream>> open() override { return set_stream(*TACENDA_TRY(all())); }
  Result<bool> holds(Candidate& candidate) override {
    if (all_) return all_->contains(candidate.document());
    auto const* facts = TACENDA_TRY(candidate.facts());
    auto const is_own = [&](auto const& term) { return term.parameter == parameter_; };
    if (std::ranges::any_of(facts->terms, is_own)) return true;
    // Facts keep no tokens: the resource itself tells, until reading all rows has become the better way.
    if (tests_++ == kOpened) return TACENDA_TRY(all())->contains(candidate.document());
    Permit const* permit = state_.permit(facts->type);
    if (permit == nullptr || !TACENDA_TRY(state_.shows(*permit, *facts))) return false;
    auto const& index = state_.index();
    auto const row = TACENDA_TRY(index.view.get(current_key(facts->type, facts->id), &index.at));
    if (!row) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
    auto const header = TACENDA_TRY(parse_row(*row));
    auto const terms = TACENDA_TRY(terms_of_version(state_, {facts->type, facts->id}, header));
    return std::ranges::any_of(terms, is_own);
  }
  std::string_view kind() const override { return "present"; }

 private:
  static constexpr std::uint64_t kOpened = 512;

  Result<DocumentSet const*> all() {
    if (!all_) {
      DocumentSet set;
      TACENDA_TRY_VOID(collect(state_.index(), parameter_, TermRange(), UINT64_MAX, set));
      all_ = std::move(set);
    }
    return &*all_;
  }

  SearchState const& state_;
  std::uint32_t parameter_;
  std::uint64_t tests_ = 0;  // that opened a resource
  std::optional<DocumentSet> all_;
};

Result<std::unique_ptr<Condition>> value_condition(SearchState const& state, std::string_view type,
                                                   fhir::SearchCriterion const& criterion) {
  auto const& parameter = *criterion.parameter;
  if (parameter.code == "_id" && criterion.modifier != fhir::Modifier::kMissing) {
    DocumentSet documents;
    for (auto const& value : criterion.values) {
      if (auto const document = TACENDA_TRY(state.document_of(type, value.text))) documents.add(*document);
    }
    auto named = set_condition(std::move(documents));
    return criterion.modifier == fhir::Modifier::kNot ? not_condition(state, type, std::move(named))
                                                      : std::move(named);
  }
  if (parameter.code == "_lastUpdated" && criterion.modifier != fhir::Modifier::kMissing) {
    return last_updated_condition(state, type, criterion.values);
  }
  std::uint32_t const number = number_of(type, parameter);
  if (criterion.modifier == fhir::Modifier::kMissing) {
    // Every resource has an id and a time.
    bool const always = parameter.code == "_id" || parameter.code == "_lastUpdated";
    auto present = always ? not_condition(state, type, set_condition({})) : present_condition(state, number);
    if (!criterion.missing) return present;
    return not_condition(state, type, std::move(present));
  }
  std::vector<TermRange> ranges;
  for (auto const& value : criterion.values) {
    auto some = TACENDA_TRY(ranges_within(state, parameter, criterion.modifier, value));
    std::ranges::move(some, std::back_inserter(ranges));
  }
  if (criterion.or_missing)
    return not_condition(state, type, std::make_unique<OutsideCondition>(number, std::move(ranges)));
  auto condition = term_condition(state, number, std::move(ranges));
  if (criterion.modifier != fhir::Modifier::kNot) return condition;
  return not_condition(state, type, std::move(condition));
}

}  // namespace

Result<std::optional<std::uint64_t>> SearchState::document_of(std::string_view type,
                                                              std::string_view id) const {
  if (!ResourceId::parse(id).has_value()) return std::nullopt;
  TACENDA_TRY_VOID(index_.budget.spend(1));
  auto const row = TACENDA_TRY(index_.view.get(current_key(type, id), &index_.at));
  if (!row) return std::nullopt;
  auto const header = TACENDA_TRY(parse_row(*row));
  if (header.deleted) return std::nullopt;
  return header.document_number();
}

Result<Document> SearchState::open(DocumentFacts const& facts) const {
  TACENDA_TRY_VOID(index_.budget.spend(kRowsPerRecord));
  auto const row = TACENDA_TRY(index_.view.get(current_key(facts.type, facts.id), &index_.at));
  if (!row) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
  auto const header = TACENDA_TRY(parse_row(*row));
  return open_document(TACENDA_TRY(open_body(vault_, {facts.type, facts.id}, header)));
}

namespace {

/// A living resource that is opened when its judge looks into it.
class IndexedContent final : public RecordContent {
 public:
  IndexedContent(SearchState const& state, DocumentFacts const& facts) : state_(state), facts_(facts) {}
  std::optional<std::string_view> text() const override {
    if (!opened_) opened_ = state_.open(facts_);
    return opened_->has_value() ? std::optional<std::string_view>((*opened_)->text) : std::nullopt;
  }
  /// Errors: why it could not be opened, but for what was erased.
  Result<void> status() const {
    if (!opened_ || opened_->has_value() || opened_->error().kind() == ErrorKind::kGone) return {};
    return std::unexpected(opened_->error());
  }

 private:
  SearchState const& state_;
  DocumentFacts const& facts_;
  mutable std::optional<Result<Document>> opened_;
};

}  // namespace

Result<bool> SearchState::shows(Permit const& permit, DocumentFacts const& facts) const {
  IndexedContent const content(*this, facts);
  auto const yes = is_shown(permit, facts.for_judging(&content));
  TACENDA_TRY_VOID(content.status());
  return yes;
}

Result<std::shared_ptr<DocumentFacts const>> SearchState::facts_of(std::uint64_t document) const {
  if (auto const known = ahead_.find(document); known != ahead_.end()) return known->second;
  TACENDA_TRY_VOID(index_.budget.spend(1));
  auto row = TACENDA_TRY(index_.view.get(facts_key(document), &index_.at));
  if (!row) return nullptr;
  return std::make_shared<DocumentFacts const>(TACENDA_TRY(parse_facts(*std::move(row))));
}

Result<void> SearchState::read_ahead(std::span<std::uint64_t const> documents) {
  ahead_.clear();
  TACENDA_TRY_VOID(index_.budget.spend(documents.size()));
  std::vector<Bytes> keys;
  keys.reserve(documents.size());
  for (auto const document : documents) keys.push_back(facts_key(document));
  auto rows = TACENDA_TRY(index_.view.get_many(keys, index_.at));
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& facts = ahead_[documents[i]];
    if (rows[i]) facts = std::make_shared<DocumentFacts const>(TACENDA_TRY(parse_facts(*std::move(rows[i]))));
  }
  return {};
}

Result<DocumentFacts const*> Candidate::facts() {
  if (!facts_) {
    facts_ = TACENDA_TRY(state_.facts_of(document_));
    if (!facts_) return fail(ErrorKind::kCorrupt, "the index names a resource that is not there");
  }
  return facts_.get();
}

std::unique_ptr<Condition> term_condition(SearchState const& state, std::uint32_t parameter,
                                          std::vector<TermRange> ranges) {
  return std::make_unique<TermCondition>(state, parameter, std::move(ranges));
}

std::unique_ptr<Condition> set_condition(DocumentSet set) {
  return std::make_unique<SetCondition>(std::move(set));
}

std::unique_ptr<Condition> not_condition(SearchState const& state, std::string_view type,
                                         std::unique_ptr<Condition> inner) {
  return std::make_unique<NotCondition>(state, type, std::move(inner));
}

std::unique_ptr<Condition> present_condition(SearchState const& state, std::uint32_t parameter) {
  return std::make_unique<PresentCondition>(state, parameter);
}

Result<std::unique_ptr<Condition>> make_condition(SearchState const& state, std::string_view type,
                                                  fhir::SearchCriterion const& criterion) {
  if (criterion.kind == fhir::SearchCriterion::Kind::kValue) return value_condition(state, type, criterion);
  return make_linked_condition(state, type, criterion);
}

Result<bool> answers(QueryContext const& context, std::vector<Term> const& terms, std::string_view type,
                     fhir::SearchCriterion const& criterion) {
  std::uint32_t const number = number_of(type, *criterion.parameter);
  auto const has = [&](auto const& wanted) {
    return std::ranges::any_of(terms,
                               [&](Term const& term) { return term.parameter == number && wanted(term); });
  };
  if (criterion.modifier == fhir::Modifier::kMissing) {
    return has([](Term const&) { return true; }) != criterion.missing;
  }
  bool any = false;
  for (auto const& value : criterion.values) {
    auto const ranges = TACENDA_TRY(
        ranges_of(context, *criterion.parameter, criterion.parameter->type, criterion.modifier, value));
    any = any || has([&](Term const& term) {
            return std::ranges::any_of(
                ranges, [&](auto const& range) { return range.contains(term.bytes, term.value); });
          });
  }
  return any != (criterion.modifier == fhir::Modifier::kNot);
}

std::optional<std::pair<std::string, std::string>> target_of(std::string_view bytes) {
  if (bytes.empty() || bytes.front() != static_cast<char>(Section::kReference)) return std::nullopt;
  bytes.remove_prefix(1);
  auto const text = take_text(bytes);
  if (!text.has_value()) return std::nullopt;
  auto const slash = text->find('/');
  if (slash == std::string::npos || text->find('/', slash + 1) != std::string::npos) return std::nullopt;
  return std::pair(text->substr(0, slash), text->substr(slash + 1));
}

}  // namespace tacenda::records
