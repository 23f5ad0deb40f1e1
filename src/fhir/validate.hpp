#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/issues.hpp"
#include "fhir/profile.hpp"
#include "fhir/resource.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::fhir {

/// Source: R4 valueset-issue-severity, without fatal.
enum class Severity : std::uint8_t { kError, kWarning, kInformation };

/// One thing that validation says. `path` is one of Issue. `rule` and `human` come from definitions: the key
/// of the invariant ("pat-1") with what it says to people, the URL of the value set, of the profile or
/// (behind
/// '#') its slice. Nothing in it is a value of the record.
struct Finding {
  Severity severity;
  IssueKind kind;
  Literal text;
  std::string path;
  std::string rule;
  std::string human;

  friend bool operator==(Finding const& a, Finding const& b);
};

/// What validation says of a resource, in the order of the walk; at most Issues::kMax of each severity, and
/// nothing twice.
class Report {
 public:
  void add(Finding finding);
  bool is_valid() const { return errors_ == 0; }  // nothing of severity error
  bool full() const { return errors_ >= Issues::kMax; }
  auto begin() const { return list_.begin(); }
  auto end() const { return list_.end(); }
  std::size_t size() const { return list_.size(); }

 private:
  std::vector<Finding> list_;
  std::size_t errors_ = 0;
  std::size_t warnings_ = 0;
  std::size_t others_ = 0;
};

/// An OperationOutcome; one with the only issue "informational" when there is nothing to say.
codec::Json to_outcome(Report const& report);

/// What an invariant is asked of.
struct InvariantContext {
  std::string_view expression;
  codec::Json const* value;     // nullptr: a primitive that has extensions alone
  codec::Json const* shadow;    // `_name` of a primitive, or nullptr
  TypeCode type;                // of the value
  codec::Json const& resource;  // %resource: the nearest one, which may be contained
  codec::Json const&
      root_resource;  // %rootResource: the one that contains it; an entry of a Bundle is its own
};

/// What upper rooms know. Each may be empty: then that question is not asked. They are called during
/// Validator::validate, on its thread.
struct ValidationHooks {
  /// Whether an invariant holds. An error is reported as information: it is no fault of the record.
  /// kTooCostly ends the validation like kStepsMax.
  std::function<Result<bool>(InvariantContext const&)> invariant;
  /// Asked of value sets that the base definitions do not have in whole; the URL may carry a version.
  std::function<Membership(std::string_view value_set, BoundCode const& code)> membership;
  /// A profile or extension by its canonical URL, which may carry a version. Shared, because profiles may be
  /// replaced while validation goes on. The pointer stays the same during one validation. nullptr: it is not
  /// known; an error says why one that is stored cannot be held to.
  std::function<Result<std::shared_ptr<Profile const>>(std::string_view url)> profile;
  /// The resource type that a reference leads to, where its text does not say so; nullopt: not known.
  std::function<std::optional<std::string>(std::string_view reference)> target_type;
};

/// Validates resources against the base definitions of R4 and against profiles.
///
/// Held are: required elements, cardinalities and types that profiles narrow, fixed values, patterns, ranges,
/// lengths, slices, bindings, invariants (by the hook; ele-1, ext-1, ref-1 and sqty-1 here), the types that
/// references lead to, extensions by their definitions and contexts, the profiles that meta.profile names;
/// all of it in contained resources and Bundle entries too. Names, shapes and primitive values are
/// Resource::check's, which made the resource.
///
/// Time is proportional to the resource times the size of the profiles that apply, up to kStepsMax; beyond it
/// the report has an error of kind kTooCostly. Immutable; thread-safe if the hooks are.
/// Source: R4 validation.html, profiling.html, conformance-rules.html.
class Validator {
 public:
  static constexpr std::size_t kStepsMax = 20'000'000;  // about a second

  explicit Validator(ValidationHooks hooks, std::size_t steps_max = kStepsMax)
      : hooks_(std::move(hooks)), steps_max_(steps_max) {}

  /// `profiles` are held beside those that the resource claims.
  Report validate(Resource const& resource, std::span<Profile const* const> profiles = {}) const;

 private:
  ValidationHooks hooks_;
  std::size_t steps_max_;
};

}  // namespace tacenda::fhir
