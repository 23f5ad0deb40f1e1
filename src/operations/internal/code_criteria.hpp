#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "fhir/search_query.hpp"
#include "fhir/terminology.hpp"
#include "operations/context.hpp"
#include "operations/internal/permits.hpp"

namespace tacenda::operations {

/// Replaces the modifiers :in, :not-in, :below and :above of token parameters, chained ones too, by the codes
/// that they mean now, as far as the asker may know value sets and code systems.
///
/// Owner: one thread, for one request: all of its queries see the same codes. Source: R4 search.html#token.
class CodeCriteria {
 public:
  // Codes that the modifiers of one request may come to: each is a place in the index that is looked at.
  static constexpr std::size_t kCodesMax = 20'000;

  /// `action`: the right that value sets and code systems are known by.
  explicit CodeCriteria(Context const& context, Action action = Action::kRead);

  /// Errors: kInvalid (a value set or code system that is not known here or whose codes are not all known,
  /// :below and :above without a system), kUnprocessable (value sets in a circle), kTooCostly.
  Result<void> resolve(std::vector<fhir::SearchCriterion>& criteria);

 private:
  using Values = std::vector<fhir::SearchValue>;

  Result<void> resolve(fhir::SearchCriterion& criterion);
  Result<Values const*> codes_of(fhir::SearchValue const& value, fhir::Modifier modifier);
  Result<Values> members_of(std::string const& value_set);
  Result<Values> related_to(fhir::SearchValue const& value, fhir::Modifier modifier);
  Result<std::shared_ptr<fhir::ValueSet const>> value_set(std::string const& text);

  Context const& context_;
  Permits permits_;
  fhir::Terminology terminology_;
  std::map<std::pair<fhir::Modifier, std::string>, Values> known_;
  std::size_t codes_ = 0;
};

}  // namespace tacenda::operations
