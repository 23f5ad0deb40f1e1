#pragma once

#include <utility>

#include "fhir/issues.hpp"

namespace tacenda::fhir {

/// An error of a lower room as the only issue of a document.
inline Issues to_issues(Error const& error) {
  Issues issues;
  issues.add(error);
  return issues;
}

/// A report cut down to its first issue.
template <typename T>
Result<T> first_of(Checked<T> checked) {
  if (!checked.has_value()) return std::unexpected(checked.error().first_error());
  return std::move(*checked);
}

}  // namespace tacenda::fhir
