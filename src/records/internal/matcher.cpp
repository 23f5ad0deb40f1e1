#include "records/internal/matcher.hpp"

#include <algorithm>

namespace tacenda::records {

/// Documents that every read condition gives, that the tested ones hold for and the Permit shows.
class MatchStream final : public DocumentStream {
 public:
  MatchStream(Matcher& matcher, std::unique_ptr<DocumentStream> documents)
      : matcher_(matcher), documents_(std::move(documents)) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    if (last_ && *last_ >= from) return last_;
    for (;;) {
      auto const document = TACENDA_TRY(documents_->at_or_after(from));
      if (!document) return std::nullopt;
      Candidate candidate(matcher_.state_, *document);
      if (TACENDA_TRY(passes(candidate))) {
        last_ = document;
        return document;
      }
      from = *document + 1;
    }
  }

 private:
  Result<bool> passes(Candidate& candidate) {
    for (auto* condition : matcher_.tested_) {
      if (!TACENDA_TRY(condition->holds(candidate))) return false;
    }
    return matcher_.judge(candidate);
  }

  Matcher& matcher_;
  std::unique_ptr<DocumentStream> documents_;
  std::optional<std::uint64_t> last_;
};

namespace {

// Rows that are counted of every condition before one is called narrow; then sixteen times as many.
constexpr std::uint64_t kFirstLook = 256;
constexpr std::uint64_t kLastLook = 65'536;

TermRange all() {
  return {{}, {}, true, {}};
}

}  // namespace

Matcher::Matcher(SearchState const& state, std::string_view type)
    : state_(state),
      type_(type),
      permit_(state.permit(type)),
      judges_all_(permit_ != nullptr && permit_->judges_all(type)) {}

Result<std::unique_ptr<Matcher>> Matcher::make(SearchState const& state, std::string_view type,
                                               std::vector<fhir::SearchCriterion> const& criteria) {
  std::unique_ptr<Matcher> matcher(new Matcher(state, type));
  for (auto const& criterion : criteria) {
    matcher->conditions_.push_back(TACENDA_TRY(make_condition(state, type, criterion)));
  }
  return matcher;
}

Result<std::unique_ptr<Matcher>> Matcher::make(SearchState const& state, std::string_view type,
                                               fhir::SearchCriterion const& criterion) {
  std::unique_ptr<Matcher> matcher(new Matcher(state, type));
  matcher->conditions_.push_back(TACENDA_TRY(make_condition(state, type, criterion)));
  return matcher;
}

Result<bool> Matcher::judge(Candidate& candidate) const {
  if (judges_all_) return true;
  if (permit_ == nullptr) return false;
  auto const* facts = TACENDA_TRY(candidate.facts());
  return permit_->judge(facts->for_judging());
}

Result<bool> Matcher::holds(Candidate& candidate) {
  for (auto const& condition : conditions_) {
    if (!TACENDA_TRY(condition->holds(candidate))) return false;
  }
  return judge(candidate);
}

Result<std::uint64_t> Matcher::count_rows(std::uint64_t limit) {
  if (permit_ == nullptr) return 0;
  if (conditions_.empty()) return records::count_rows(state_.index(), number_of_type(type_), {all()}, limit);
  std::uint64_t least = limit;
  for (auto const& condition : conditions_) least = std::min(least, TACENDA_TRY(condition->count_rows(least)));
  return least;
}

Result<std::vector<bool>> Matcher::choose() {
  std::vector<bool> read(conditions_.size());
  for (std::size_t i = 0; i < conditions_.size(); ++i) read[i] = conditions_[i]->is_seekable();
  steps_.clear();
  for (auto const& condition : conditions_) steps_.push_back({condition->kind(), "tested", 0});
  bool const all_seekable = std::ranges::all_of(read, [](bool seekable) { return seekable; });
  if (all_seekable || conditions_.size() == 1) return std::vector<bool>(conditions_.size(), true);

  for (std::uint64_t limit = kFirstLook;; limit *= 16) {
    std::size_t narrowest = conditions_.size();
    std::uint64_t least = limit;
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      steps_[i].rows = TACENDA_TRY(conditions_[i]->count_rows(least));
      if (steps_[i].rows < least) {
        least = steps_[i].rows;
        narrowest = i;
      }
    }
    if (narrowest < conditions_.size()) {
      read[narrowest] = true;
      return read;
    }
    if (limit >= kLastLook) break;
  }
  // All are wide. Reading a wide range at once costs less than testing a wide list one by one.
  for (std::size_t i = 0; i < conditions_.size(); ++i) read[i] = read[i] || conditions_[i]->kind() == "terms";
  if (std::ranges::none_of(read, [](bool chosen) { return chosen; })) read.front() = true;
  return read;
}

Result<std::unique_ptr<DocumentStream>> Matcher::open() {
  tested_.clear();
  if (permit_ == nullptr) return set_stream({});
  std::vector<std::unique_ptr<DocumentStream>> streams;
  if (conditions_.empty()) {
    streams.push_back(term_stream(state_.index(), number_of_type(type_), all()));
    steps_ = {{"type", "walked", 0}};
  } else {
    auto const read = TACENDA_TRY(choose());
    for (std::size_t i = 0; i < conditions_.size(); ++i) {
      if (!read[i]) {
        tested_.push_back(conditions_[i].get());
        continue;
      }
      steps_[i].use = conditions_[i]->is_seekable() ? "walked" : "read";
      streams.push_back(TACENDA_TRY(conditions_[i]->open()));
    }
  }
  return std::make_unique<MatchStream>(*this, intersection_stream(std::move(streams)));
}

}  // namespace tacenda::records
