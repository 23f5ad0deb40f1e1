#pragma once

#include <memory>
#include <string>
#include <vector>

#include "records/internal/condition.hpp"

namespace tacenda::records {

/// The resources of a type that meet all conditions and that the Permit shows: nothing of the others can be
/// counted, sorted by or followed. Owner: one thread.
class Matcher {
 public:
  /// Errors: as make_condition.
  static Result<std::unique_ptr<Matcher>> make(SearchState const& state, std::string_view type,
                                               std::vector<fhir::SearchCriterion> const& criteria);
  static Result<std::unique_ptr<Matcher>> make(SearchState const& state, std::string_view type,
                                               fhir::SearchCriterion const& criterion);

  std::string const& type() const { return type_; }
  enum class Walk : std::uint8_t {
    kPart,   // perhaps a few of them: no more is read than is asked for, as far as the conditions allow
    kWhole,  // all of them will be asked for
  };
  /// All of them, in document order. To be called once.
  Result<std::unique_ptr<DocumentStream>> open(Walk walk);
  Result<bool> holds(Candidate& candidate);
  /// How many rows the narrowest condition has, counted up to `limit`.
  Result<std::uint64_t> count_rows(std::uint64_t limit);

  /// How `open` went about it, for `explain`.
  struct Step {
    std::string_view kind;  // of the condition
    std::string_view use;   // "read", "walked", "tested", or "tested, then read"
    std::uint64_t rows;     // at least so many; 0 when nobody counted
  };
  std::vector<Step> const& steps() const { return steps_; }

 private:
  friend class MatchStream;
  Matcher(SearchState const& state, std::string_view type);
  /// A condition that documents are tested for, and how often that was done.
  struct Test {
    std::size_t condition = 0;
    std::uint64_t done = 0;
    std::uint64_t look_at = 0;   // so many tests until reading it is thought of again
    std::uint64_t expected = 0;  // so many tests come at least
  };

  /// Which conditions `open` reads; the others are tested.
  Result<std::vector<bool>> choose();
  /// Notes how many documents the read conditions will give to be tested.
  Result<void> expect_tests(std::vector<bool> const& read);
  Result<bool> judge(Candidate& candidate) const;

  SearchState const& state_;
  std::string type_;
  Permit const* permit_;  // nullptr: nothing may be seen
  bool judges_all_;
  std::vector<std::unique_ptr<Condition>> conditions_;
  std::vector<Test> tests_;
  std::vector<Step> steps_;
};

}  // namespace tacenda::records
