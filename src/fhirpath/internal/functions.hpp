#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::fhirpath {

class Call;  // internal/evaluator.hpp

/// One function: what it is called, how many arguments it takes and what it does.
struct FunctionRow {
  enum Flag : std::uint8_t {
    kNone = 0,
    kTakesType = 1,     // its argument is the name of a type
    kTakesPattern = 2,  // its first argument is a regular expression
    kResolves = 4,      // resolve()
    kSorts = 8,         // a minus before an argument means descending
  };
  std::string_view name;
  std::uint8_t arguments_min;
  std::uint8_t arguments_max;
  std::uint8_t flags;
  /// Replaces its input on the evaluator's stack with its result.
  Result<void> (*run)(Call& call);
};

/// nullptr when there is none of that name.
FunctionRow const* find_function(std::string_view name);

// The tables of the files functions_*.cpp.
std::span<FunctionRow const> collection_functions();
std::span<FunctionRow const> conversion_functions();
std::span<FunctionRow const> string_functions();
std::span<FunctionRow const> math_functions();
std::span<FunctionRow const> time_functions();
std::span<FunctionRow const> fhir_functions();

}  // namespace tacenda::fhirpath
