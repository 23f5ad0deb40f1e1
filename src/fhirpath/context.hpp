#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "codec/json.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "fhirpath/item.hpp"

namespace tacenda::fhirpath {

/// Knows the units of measure (UCUM). Implementations must be thread-safe.
class Units {
 public:
  struct Canonical {
    Decimal value;
    std::string unit;  // in base units: two quantities of one dimension have the same text
  };

  virtual ~Units() = default;
  /// `value unit` in base units; nullopt: no unit of UCUM, or out of range. A product or quotient of
  /// quantities comes as "(cm).(m)" or "(g)/(m)", "1" is the unit of a bare number.
  virtual std::optional<Canonical> canonical(Decimal const& value, std::string_view unit) const = 0;
};

/// What ends an evaluation that grows too costly (kTooLarge). A step is about one item visited or 16 bytes of
/// text read.
struct EvaluationLimits {
  std::int64_t steps = 2'000'000;
  std::size_t items = 200'000;                      // on the evaluation's stack
  std::size_t string_bytes = std::size_t{1} << 20;  // of one string that an expression makes
};

/// What an expression may know beside its focus. Reusable for many evaluations; while it does not change it
/// may be shared by threads, as far as its hooks may.
struct Context {
  // %context, %resource and %rootResource: the focus itself, its resource() and the resource that contains
  // that, where they are not given.
  std::optional<Item> context;
  std::optional<Item> resource;
  std::optional<Item> root_resource;
  /// Further variables: %name. Names without the percent sign.
  std::vector<std::pair<std::string, Collection>> variables;

  Time now{};  // now(), today(), timeOfDay(): the same for a whole evaluation
  std::int16_t offset_minutes = 0;

  /// The resource that a literal reference or canonical leads to; nullptr: not to be found. It must outlive
  /// the result. Contained resources are found without it. Without this hook `resolve()` gives nothing for
  /// what is not contained, but `resolve() is T` still follows from the reference's own text.
  std::function<codec::Json const*(std::string_view reference)> resolve;
  /// The three below: nullopt is the empty collection; without the hook the function is kUnsupported.
  std::function<Result<std::optional<bool>>(std::string_view value_set, Item const& item)> member_of;
  /// Without it the base types of R4 (http://hl7.org/fhir/StructureDefinition/Patient) are known.
  std::function<Result<std::optional<bool>>(std::string_view profile, Item const& item)> conforms_to;
  /// Does the code or Coding `general` subsume `special`?
  std::function<Result<std::optional<bool>>(Item const& general, Item const& special)> subsumes;
  /// Without it quantities compare when their units have the same text or are durations.
  Units const* units = nullptr;

  /// The function as(T) refuses more than one item, as FHIRPath says. Off, it filters as ofType(T) does: R4's
  /// own dom-3 and search parameters need that.
  bool as_takes_one_item = false;
  EvaluationLimits limits;
  /// What several evaluations may cost together: each subtracts its steps, and none starts when nothing is
  /// left. With it the context belongs to one thread.
  std::int64_t* steps_left = nullptr;
};

}  // namespace tacenda::fhirpath
