#include "records/internal/matcher.hpp"

#include <algorithm>

namespace tacenda::records {

namespace {

// Rows that are counted of every condition before one is called narrow; the second look.
constexpr std::uint64_t kFirstLook = 256;
constexpr std::uint64_t kLastLook = 4'096;
// After so many tests reading the condition's rows is thought of, then after four times as many, and so on.
constexpr std::uint64_t kFirstTests = 256;
constexpr std::uint64_t kMoreTests = 4;
// What a test costs, in rows of a range that is read at once (measured: 6 us beside 0.25 us).
constexpr std::uint64_t kRowsPerTest = 24;
// Documents of a whole walk that are counted beforehand.
constexpr std::uint64_t kExpected = 65'536;

TermRange all() {
  return {{}, {}, true, {}};
}

}  // namespace

/// Documents that every read condition gives, that the tested ones hold for and the Permit shows. A test
/// costs more than a row: a condition that was tested so often that its rows would have cost no more is read
/// after all, so that a first page costs a page, and a count no more than about twice the better of both
/// ways.
class MatchStream final : public DocumentStream {
 public:
  MatchStream(Matcher& matcher, std::unique_ptr<DocumentStream> documents)
      : matcher_(matcher), documents_(std::move(documents)) {}

  Result<std::optional<std::uint64_t>> at_or_after(std::uint64_t from) override {
    if (last_ && *last_ >= from) return last_;
    for (;;) {
      TACENDA_TRY_VOID(reconsider());
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

  Result<std::uint64_t> count(std::uint64_t from) override {
    std::uint64_t counted = 0;
    while (!matcher_.tests_.empty() || !matcher_.judges_all_) {
      auto const document = TACENDA_TRY(at_or_after(from));
      if (!document) return counted;
      from = *document + 1;
      ++counted;
    }
    return counted + TACENDA_TRY(documents_->count(from));
  }

 private:
  Result<bool> passes(Candidate& candidate) {
    for (auto& test : matcher_.tests_) {
      ++test.done;
      if (!TACENDA_TRY(matcher_.conditions_[test.condition]->holds(candidate))) return false;
    }
    return matcher_.judge(candidate);
  }

  Result<void> reconsider() {
    for (auto& test : matcher_.tests_) {
      if (test.done < test.look_at || !matcher_.conditions_[test.condition]->is_readable()) continue;
      test.look_at = std::max({kFirstTests, kMoreTests * test.look_at, kMoreTests * test.expected});
      auto& condition = *matcher_.conditions_[test.condition];
      auto const limit = kRowsPerTest * std::max(test.done, test.expected);
      auto const rows = TACENDA_TRY(condition.count_rows(limit));
      if (rows >= limit) continue;
      matcher_.steps_[test.condition] = {condition.kind(), "tested, then read", rows};
      std::vector<std::unique_ptr<DocumentStream>> both;
      both.push_back(std::move(documents_));
      both.push_back(TACENDA_TRY(condition.open()));
      documents_ = intersection_stream(std::move(both));
      std::erase_if(matcher_.tests_, [&](auto const& each) { return &each == &test; });
      break;  // the others have their turn with the next document
    }
    return {};
  }

  Matcher& matcher_;
  std::unique_ptr<DocumentStream> documents_;
  std::optional<std::uint64_t> last_;
};

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
  return state_.shows(*permit_, *facts);
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
  if (std::ranges::all_of(read, [](bool seekable) { return seekable; })) return read;

  for (std::uint64_t limit : {kFirstLook, kLastLook}) {
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
      break;
    }
  }
  return read;
}

Result<void> Matcher::expect_tests(std::vector<bool> const& read) {
  std::uint64_t least =
      TACENDA_TRY(records::count_rows(state_.index(), number_of_type(type_), {all()}, kExpected));
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    if (read[i]) least = std::min(least, TACENDA_TRY(conditions_[i]->count_rows(least)));
  }
  for (auto& test : tests_) {
    test.expected = least;
    test.look_at = 0;
  }
  return {};
}

Result<std::unique_ptr<DocumentStream>> Matcher::open(Walk walk) {
  tests_.clear();
  steps_.clear();
  if (permit_ == nullptr) return set_stream({});
  for (auto const& condition : conditions_) steps_.push_back({condition->kind(), "tested", 0});
  auto const read = TACENDA_TRY(choose());
  std::vector<std::unique_ptr<DocumentStream>> streams;
  for (std::size_t i = 0; i < conditions_.size(); ++i) {
    if (!read[i]) {
      tests_.push_back({i, 0, kFirstTests, 0});
      continue;
    }
    steps_[i].use = conditions_[i]->is_seekable() ? "walked" : "read";
    streams.push_back(TACENDA_TRY(conditions_[i]->open()));
  }
  if (streams.empty()) {
    streams.push_back(term_stream(state_.index(), number_of_type(type_), all()));
    steps_.push_back({"type", "walked", 0});
  }
  if (walk == Walk::kWhole && !tests_.empty()) TACENDA_TRY_VOID(expect_tests(read));
  return std::make_unique<MatchStream>(*this, intersection_stream(std::move(streams)));
}

}  // namespace tacenda::records
