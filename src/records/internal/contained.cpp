// Chains into contained resources that no row of the index answers (R4 search.html#contained).
#include "codec/json.hpp"
#include "core/limits.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {
namespace {

/// A row of the index tells that some contained resource has a term; that one has it not is told by the
/// resource alone.
class ContainedCondition final : public Condition {
 public:
  ContainedCondition(SearchState const& state, std::uint32_t parameter, std::string_view target,
                     fhir::SearchCriterion const& linked)
      : state_(state), parameter_(parameter), target_(target), linked_(linked) {
    holders_.from = contained_bytes(number_of_type(target), {});
    holders_.to = after_prefix(holders_.from);
    holders_.one_term = true;
  }

  bool is_seekable() const override { return false; }
  Result<std::uint64_t> count_rows(std::uint64_t limit) override {
    return records::count_rows(state_.index(), parameter_, {holders_}, limit);
  }
  std::string_view kind() const override { return "contained"; }

  Result<bool> holds(Candidate& candidate) override {
    auto const& index = state_.index();
    TACENDA_TRY_VOID(index.budget.spend(1));
    auto const key = index_key(parameter_, holders_.from, candidate.document());
    if (!TACENDA_TRY(index.view.get(key, &index.at))) return false;
    return contains_match(candidate);
  }

  Result<std::unique_ptr<DocumentStream>> open() override {
    DocumentSet documents;
    auto const holders = term_stream(state_.index(), parameter_, holders_);
    for (std::uint64_t from = 0;;) {
      auto const document = TACENDA_TRY(holders->at_or_after(from));
      if (!document) return set_stream(std::move(documents));
      Candidate candidate(state_, *document);
      if (TACENDA_TRY(contains_match(candidate))) documents.add(*document);
      from = *document + 1;
    }
  }

 private:
  Result<bool> contains_match(Candidate& candidate) const {
    auto const* facts = TACENDA_TRY(candidate.facts());
    // What may not be seen is not looked into.
    Permit const* permit = state_.permit(facts->type);
    if (permit == nullptr || !TACENDA_TRY(state_.shows(*permit, *facts))) return false;
    auto const document = TACENDA_TRY(state_.open(*facts));
    auto const json = TACENDA_TRY(codec::parse_json(document.text));
    auto const contained = TACENDA_TRY(state_.extractor().contained_terms_of(json, parameter_, target_));
    for (auto const& terms : contained) {
      if (TACENDA_TRY(answers(state_.query(), terms, target_, linked_))) return true;
    }
    return false;
  }

  SearchState const& state_;
  std::uint32_t parameter_;
  std::string target_;
  fhir::SearchCriterion const& linked_;  // the query outlives its conditions
  TermRange holders_;
};

}  // namespace

std::unique_ptr<Condition> contained_condition(SearchState const& state, std::uint32_t parameter,
                                               std::string_view target, fhir::SearchCriterion const& linked) {
  return std::make_unique<ContainedCondition>(state, parameter, target, linked);
}

}  // namespace tacenda::records
