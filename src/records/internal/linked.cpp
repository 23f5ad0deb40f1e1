// Criteria that go through references: chains, _has and _list (R4 search.html#chaining, #has, #list).
#include <algorithm>
#include <map>
#include <unordered_map>

#include "records/internal/condition.hpp"
#include "records/internal/hierarchy.hpp"
#include "records/internal/links.hpp"
#include "records/internal/matcher.hpp"

namespace tacenda::records {
namespace {

using fhir::SearchCriterion;

// So many linked resources are looked up first, and then stand for themselves; more of them are tested or
// joined.
constexpr std::uint64_t kFewLinked = 1'024;
// Targets whose answer one chain remembers: a few megabytes.
constexpr std::size_t kRemembered = 65'536;

/// All documents of a matcher, when there are no more than `limit`.
Result<std::optional<std::vector<std::uint64_t>>> few(Matcher& matcher, std::uint64_t limit) {
  std::vector<std::uint64_t> documents;
  auto const stream = TACENDA_TRY(matcher.open(Matcher::Walk::kPart));
  for (std::uint64_t from = 0;;) {
    auto const document = TACENDA_TRY(stream->at_or_after(from));
    if (!document) return documents;
    if (documents.size() == limit) return std::nullopt;
    documents.push_back(*document);
    from = *document + 1;
  }
}

using Links = std::map<std::string, std::unique_ptr<Matcher>, std::less<>>;

/// Resources that refer by `parameter` to one of many, by literal references or by canonicals as `section`
/// says. With `inside`, what a term of a contained resource begins with: those whose contained resource
/// refers so.
class ChainCondition final : public Condition {
 public:
  ChainCondition(SearchState const& state, std::uint32_t parameter, Section section, std::string inside,
                 Links links)
      : state_(state),
        parameter_(parameter),
        section_(section),
        inside_(std::move(inside)),
        links_(std::move(links)) {
    references_.from = inside_ + static_cast<char>(section);
    references_.to = after_prefix(references_.from);
    for (auto const& [type, matcher] : links_) types_.push_back(type);
  }

  bool is_seekable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return records::count_rows(state_.index(), parameter_, {references_}, limit);
  }
  std::string_view kind() const override { return "chain"; }

  Result<bool> holds(Candidate& candidate) override {
    if (!inside_.empty() && !all_) all_ = TACENDA_TRY(join());  // facts keep no term of a contained resource
    if (all_) return all_->contains(candidate.document());
    auto const* facts = TACENDA_TRY(candidate.facts());
    for (auto const& term : facts->terms) {
      if (term.parameter != parameter_ || term.bytes.front() != static_cast<char>(section_)) continue;
      bool const matches = TACENDA_TRY(
          leads_to_match(is_canonical(term.bytes) ? TACENDA_TRY(with_row(state_, term, candidate.document()))
                                                  : Term{term.parameter, std::string(term.bytes), {}}));
      if (matches) return true;
    }
    return false;
  }

  Result<std::unique_ptr<DocumentStream>> open() override { return set_stream(TACENDA_TRY(join())); }

 private:
  /// Each target that is referred to is looked at once.
  Result<DocumentSet> join() {
    auto const& index = state_.index();
    DocumentSet documents;
    auto cursor = index.view.cursor(index_prefix(parameter_, references_.from),
                                    index_end(parameter_, references_.from), index.at);
    Term term{parameter_, {}, {}};
    bool matches = false;
    while (cursor.valid()) {
      TACENDA_TRY_VOID(index.budget.spend(1));
      auto const row = TACENDA_TRY(parse_index_key(cursor.key()));
      auto const bytes = row.bytes.substr(inside_.size());
      // The rows of a canonical differ in the versions they name.
      auto const value = section_ == Section::kCanonical ? as_text(cursor.value()) : std::string_view();
      if (bytes != term.bytes || value != term.value) {
        term.bytes = bytes;
        term.value = value;
        matches = TACENDA_TRY(leads_to_match(term));
        if (!matches && section_ != Section::kCanonical) {
          cursor.seek(index_end(parameter_, inside_ + term.bytes));
          continue;
        }
      }
      if (matches) documents.add(row.document);
      cursor.next();
    }
    TACENDA_TRY_VOID(cursor.status());
    return documents;
  }

  /// Many refer to the same: an answer is remembered.
  Result<bool> leads_to_match(Term const& term) {
    std::string const key = term.bytes + term.value;
    if (auto const known = known_.find(key); known != known_.end()) return known->second;
    bool const matches =
        TACENDA_TRY(section_ == Section::kCanonical ? canonical_matches(term) : target_matches(term));
    if (known_.size() < kRemembered) known_.emplace(key, matches);
    return matches;
  }

  Result<bool> canonical_matches(Term const& term) {
    for (auto const& target : TACENDA_TRY(canonical_targets(state_, term, types_))) {
      Candidate candidate(state_, target.document);
      if (TACENDA_TRY(links_.find(target.type)->second->holds(candidate))) return true;
    }
    return false;
  }

  Result<bool> target_matches(Term const& term) {
    auto const target = target_of(term.bytes);
    if (!target) return false;
    auto const link = links_.find(target->first);
    if (link == links_.end()) return false;
    auto const document = TACENDA_TRY(state_.document_of(target->first, target->second));
    if (!document) return false;
    Candidate candidate(state_, *document);
    return link->second->holds(candidate);
  }

  SearchState const& state_;
  std::uint32_t parameter_;
  Section section_;
  std::string inside_;
  TermRange references_;
  Links links_;
  std::vector<std::string_view> types_;  // of links_
  std::optional<DocumentSet> all_;
  std::unordered_map<std::string, bool> known_;
};

/// Resources that one of many refers to by `parameter`.
class HasCondition final : public Condition {
 public:
  HasCondition(SearchState const& state, std::string_view type, std::uint32_t parameter,
               std::unique_ptr<Matcher> source)
      : state_(state), type_(type), parameter_(parameter), source_(std::move(source)) {}

  bool is_seekable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override { return source_->count_rows(limit); }
  std::string_view kind() const override { return "has"; }

  Result<bool> holds(Candidate& candidate) override {
    if (all_) return all_->contains(candidate.document());
    bool found = false;
    TACENDA_TRY_VOID(
        visit_referrers(state_, parameter_, candidate, [&](std::uint64_t document) -> Result<bool> {
          Candidate source(state_, document);
          found = TACENDA_TRY(source_->holds(source));
          return !found;
        }));
    return found;
  }

  Result<std::unique_ptr<DocumentStream>> open() override {
    DocumentSet targets;
    std::map<std::string, bool, std::less<>> seen;
    auto const stream = TACENDA_TRY(source_->open(Matcher::Walk::kWhole));
    for (std::uint64_t from = 0;;) {
      auto const document = TACENDA_TRY(stream->at_or_after(from));
      if (!document) break;
      from = *document + 1;
      Candidate source(state_, *document);
      TACENDA_TRY_VOID(add_targets(source, seen, targets));
    }
    all_ = targets;
    return set_stream(std::move(targets));
  }

 private:
  Result<void> add_targets(Candidate& source, std::map<std::string, bool, std::less<>>& seen,
                           DocumentSet& targets) const {
    auto const* facts = TACENDA_TRY(source.facts());
    for (auto const& term : facts->terms) {
      if (term.parameter != parameter_) continue;
      if (is_canonical(term.bytes)) {
        auto const whole = TACENDA_TRY(with_row(state_, term, source.document()));
        for (auto const& target : TACENDA_TRY(canonical_targets(state_, whole, {type_}))) targets.add(target.document);
        continue;
      }
      if (!seen.emplace(term.bytes, true).second) continue;
      auto const target = target_of(term.bytes);
      if (!target || target->first != type_) continue;
      if (auto const document = TACENDA_TRY(state_.document_of(target->first, target->second))) {
        targets.add(*document);
      }
    }
    return {};
  }

  SearchState const& state_;
  std::string type_;
  std::uint32_t parameter_;
  std::unique_ptr<Matcher> source_;
  std::optional<DocumentSet> all_;
};

/// Those that one of several conditions holds for.
class AnyCondition final : public Condition {
 public:
  explicit AnyCondition(std::vector<std::unique_ptr<Condition>> conditions)
      : conditions_(std::move(conditions)) {}

  bool is_seekable() const override {
    return std::ranges::all_of(conditions_, [](auto const& each) { return each->is_seekable(); });
  }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    std::uint64_t rows = 0;
    for (auto const& each : conditions_) {
      if (rows < limit) rows += TACENDA_TRY(each->count_rows(limit - rows));
    }
    return rows;
  }
  Result<std::unique_ptr<DocumentStream>> open() override {
    std::vector<std::unique_ptr<DocumentStream>> streams;
    for (auto const& each : conditions_) streams.push_back(TACENDA_TRY(each->open()));
    return union_stream(std::move(streams));
  }
  Result<bool> holds(Candidate& candidate) override {
    for (auto const& each : conditions_) {
      if (TACENDA_TRY(each->holds(candidate))) return true;
    }
    return false;
  }
  std::string_view kind() const override { return "any"; }

 private:
  std::vector<std::unique_ptr<Condition>> conditions_;
};

std::unique_ptr<Condition> any_of(std::vector<std::unique_ptr<Condition>> ways) {
  if (ways.size() == 1) return std::move(ways.front());
  return std::make_unique<AnyCondition>(std::move(ways));
}

/// True when a criterion is not answered by one term alone.
bool needs_whole(SearchCriterion const& criterion) {
  return criterion.modifier == fhir::Modifier::kNot || criterion.modifier == fhir::Modifier::kMissing;
}

/// A range of terms as they stand for a contained resource: behind its section and `number`.
TermRange inside_contained(std::uint32_t number, TermRange const& range) {
  TermRange inside;
  inside.from = contained_bytes(number, range.from);
  inside.to =
      range.to.empty() ? after_prefix(contained_bytes(number, {})) : contained_bytes(number, range.to);
  inside.one_term = range.one_term;
  if (range.accepts) {
    inside.accepts = [accepts = range.accepts](std::string_view bytes, std::string_view row) {
      return bytes.size() >= 5 && accepts(bytes.substr(5), row);
    };
  }
  return inside;
}

/// Terms of contained resources that the last link of a chain asks for.
Result<void> add_contained_ranges(SearchState const& state, SearchCriterion const& criterion,
                                  std::vector<TermRange>& ranges) {
  for (auto const& [target, linked] : criterion.links) {
    if (linked->kind != SearchCriterion::Kind::kValue || needs_whole(*linked)) continue;
    std::uint32_t const number = number_of(target, *linked->parameter);
    for (auto const& value : linked->values) {
      auto const inner = TACENDA_TRY(ranges_within(state, *linked->parameter, linked->modifier, value));
      for (auto const& range : inner) ranges.push_back(inside_contained(number, range));
    }
  }
  return {};
}

Result<Links> links_of(SearchState const& state, SearchCriterion const& criterion) {
  Links links;
  for (auto const& [target, linked] : criterion.links) {
    links.emplace(target, TACENDA_TRY(Matcher::make(state, target, *linked)));
  }
  return links;
}

/// Ways through a contained resource that are more than rows of the index.
Result<void> add_contained_chains(SearchState const& state, std::uint32_t parameter,
                                  SearchCriterion const& criterion,
                                  std::vector<std::unique_ptr<Condition>>& ways) {
  for (auto const& [target, linked] : criterion.links) {
    if (linked->kind == SearchCriterion::Kind::kValue && needs_whole(*linked)) {
      ways.push_back(contained_condition(state, parameter, target, *linked));
    }
    if (linked->kind != SearchCriterion::Kind::kChain) continue;
    auto const inside = contained_bytes(number_of(target, *linked->parameter), {});
    ways.push_back(std::make_unique<ChainCondition>(state, parameter, Section::kReference, inside,
                                                    TACENDA_TRY(links_of(state, *linked))));
    if (TACENDA_TRY(has_canonicals(state, parameter, inside))) {
      ways.push_back(std::make_unique<ChainCondition>(state, parameter, Section::kCanonical, inside,
                                                      TACENDA_TRY(links_of(state, *linked))));
    }
  }
  return {};
}

/// References to what `linked` matches, when that is little. False: it is much, and `ranges` is not whole.
Result<bool> add_few_targets(SearchState const& state, std::string_view target, SearchCriterion const& linked,
                             std::vector<TermRange>& ranges) {
  auto const matcher = TACENDA_TRY(Matcher::make(state, target, linked));
  auto const documents = TACENDA_TRY(few(*matcher, kFewLinked - ranges.size()));
  if (!documents) return false;
  for (auto const document : *documents) {
    Candidate found(state, document);
    auto const* facts = TACENDA_TRY(found.facts());
    ranges.push_back(reference_to(target, facts->id));
  }
  return true;
}

Result<std::unique_ptr<Condition>> chain_condition(SearchState const& state, std::string_view type,
                                                   SearchCriterion const& criterion) {
  std::uint32_t const parameter = number_of(type, *criterion.parameter);
  std::vector<TermRange> ranges;
  std::vector<TermRange> ranges_inside;
  bool is_short = true;
  for (auto const& [target, linked] : criterion.links) {
    if (is_short) is_short = TACENDA_TRY(add_few_targets(state, target, *linked, ranges));
  }
  TACENDA_TRY_VOID(add_contained_ranges(state, criterion, ranges_inside));
  std::vector<std::unique_ptr<Condition>> ways;
  TACENDA_TRY_VOID(add_contained_chains(state, parameter, criterion, ways));
  if (!ranges_inside.empty()) ways.push_back(term_condition(state, parameter, std::move(ranges_inside)));
  if (is_short) {
    ways.push_back(term_condition(state, parameter, std::move(ranges)));
  } else {
    ways.push_back(std::make_unique<ChainCondition>(state, parameter, Section::kReference, std::string(),
                                                    TACENDA_TRY(links_of(state, criterion))));
  }
  if (TACENDA_TRY(has_canonicals(state, parameter, {}))) {
    ways.push_back(std::make_unique<ChainCondition>(state, parameter, Section::kCanonical, std::string(),
                                                    TACENDA_TRY(links_of(state, criterion))));
  }
  return any_of(std::move(ways));
}

Result<std::unique_ptr<Condition>> has_condition(SearchState const& state, std::string_view type,
                                                 SearchCriterion const& criterion) {
  auto const& [source, linked] = criterion.links.front();
  std::uint32_t const parameter = number_of(source, *criterion.parameter);
  auto matcher = TACENDA_TRY(Matcher::make(state, source, *linked));
  if (TACENDA_TRY(matcher->count_rows(kFewLinked)) < kFewLinked) {
    HasCondition all(state, type, parameter, std::move(matcher));
    auto const stream = TACENDA_TRY(all.open());
    DocumentSet documents;
    for (std::uint64_t from = 0;;) {
      auto const document = TACENDA_TRY(stream->at_or_after(from));
      if (!document) break;
      documents.add(*document);
      from = *document + 1;
    }
    return set_condition(std::move(documents));
  }
  return std::make_unique<HasCondition>(state, type, parameter, std::move(matcher));
}

Result<std::unique_ptr<Condition>> compartment_condition(SearchState const& state, std::string_view type,
                                                         SearchCriterion const& criterion) {
  std::string_view const place = criterion.values.front().text;
  auto const slash = place.find('/');
  auto const owner = place.substr(0, slash);
  auto const id = place.substr(slash + 1);
  std::vector<std::unique_ptr<Condition>> conditions;
  for (auto const* parameter : criterion.compartment.parameters) {
    conditions.push_back(term_condition(state, number_of(type, *parameter), {reference_to(owner, id)}));
  }
  if (criterion.compartment.owner) {
    DocumentSet self;
    if (auto const document = TACENDA_TRY(state.document_of(owner, id))) self.add(*document);
    conditions.push_back(set_condition(std::move(self)));
  }
  return any_of(std::move(conditions));
}

/// The members of Lists, as far as the Permit shows the Lists.
Result<std::unique_ptr<Condition>> list_condition(SearchState const& state, std::string_view type,
                                                  SearchCriterion const& criterion) {
  constexpr std::string_view kList = "List";
  static std::uint32_t const item = number_of(kList, *fhir::find_search_parameter(kList, "item"));
  DocumentSet documents;
  for (auto const& value : criterion.values) {
    auto const list = TACENDA_TRY(state.document_of(kList, value.text));
    Permit const* permit = state.permit(kList);
    if (!list || permit == nullptr) continue;
    Candidate candidate(state, *list);
    auto const* facts = TACENDA_TRY(candidate.facts());
    if (!TACENDA_TRY(state.shows(*permit, *facts))) continue;
    for (auto const& term : facts->terms) {
      auto const target = term.parameter == item ? target_of(term.bytes) : std::nullopt;
      if (!target || target->first != type) continue;
      auto const member = TACENDA_TRY(state.document_of(target->first, target->second));
      if (member) documents.add(*member);
    }
  }
  return set_condition(std::move(documents));
}

}  // namespace

Result<std::unique_ptr<Condition>> make_linked_condition(SearchState const& state, std::string_view type,
                                                         SearchCriterion const& criterion) {
  switch (criterion.kind) {
    case SearchCriterion::Kind::kChain:
      return chain_condition(state, type, criterion);
    case SearchCriterion::Kind::kHas:
      return has_condition(state, type, criterion);
    case SearchCriterion::Kind::kCompartment:
      return compartment_condition(state, type, criterion);
    default:
      return list_condition(state, type, criterion);
  }
}

}  // namespace tacenda::records
