#pragma once

#include <optional>

#include "fhir/internal/validate_run.hpp"

namespace tacenda::fhir {

/// Compares values with those of definitions; every comparison counts as a step of the run, and when there
/// are no more, nothing is equal.
class Match {
 public:
  Match(ValidationRun& run, Place const& place) : run_(run), place_(place) {}

  /// fixed[x]: the same in every detail, whatever the order of properties.
  bool same(codec::Json const& fixed, codec::Json const& value);
  /// pattern[x]: everything in the pattern is found in the value; an item of an array anywhere in the
  /// value's array. Source: R4 elementdefinition.html (pattern[x]).
  bool fits(codec::Json const& pattern, codec::Json const& value);

 private:
  ValidationRun& run_;  // the caller's, outlives this
  Place const& place_;
};

/// Negative when `value` is less than `bound`, 0 when equal; nullopt when they cannot be compared: of
/// different kinds, units, or times that are not both in UTC.
std::optional<int> compare_to_bound(codec::Json const& value, codec::Json const& bound);

}  // namespace tacenda::fhir
