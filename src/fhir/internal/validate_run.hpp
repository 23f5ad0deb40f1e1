#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/elements.hpp"
#include "fhir/internal/place.hpp"
#include "fhir/validate.hpp"

namespace tacenda::fhir {

/// One value of an element, as JSON has it: `value`, `shadow` (`_name` of a primitive) or both.
struct Value {
  codec::Json const* value;
  codec::Json const* shadow;
  Element const* element;  // which type of a choice it has; nullptr: a resource by itself
  std::size_t index;       // Place::kNoIndex where the element does not repeat

  /// The object that holds its children; nullptr when it has none.
  codec::Json const* object() const { return value != nullptr && value->is_object() ? value : shadow; }
};

/// The resources around a value.
struct Scope {
  codec::Json const* resource;  // the nearest
  codec::Json const* root;      // which contains it, or is it
  std::size_t depth = 0;        // of the nearest resource's own place
};

/// The state of one validation: what is known so far and what it may still cost. The walks
/// (validate_base.hpp, validate_profile.hpp) share it.
class ValidationRun {
 public:
  ValidationRun(ValidationHooks const& hooks, codec::Json const& root, std::size_t steps_max)
      : hooks_(hooks), document_(root), steps_(steps_max) {}

  /// Counts work in profiles; false when there was too much of it, which is then reported.
  bool step(std::size_t count, Place const& place);
  /// Ends the run, and says so.
  void exhaust(Place const& place);
  bool is_over() const { return is_exhausted_ || report_->full(); }

  struct Rule {
    std::string_view key;
    std::string_view human;
  };
  void add(Severity severity, IssueKind kind, Literal text, Place const& place, Rule rule = {});
  /// Runs `check` with a report of its own; true when it found no error.
  template <typename Check>
  bool passes(Check check) {
    Report quiet;
    Report* const loud = std::exchange(report_, &quiet);
    check();
    report_ = loud;
    return quiet.is_valid();
  }
  Report take_report() && { return std::move(own_report_); }

  /// nullptr when nobody knows it, or it cannot be held to.
  Profile const* find_profile(std::string_view url);
  /// Why find_profile had none.
  Literal why_no_profile(std::string_view url, Literal not_known) const;
  bool resolves_profiles() const { return static_cast<bool>(hooks_.profile); }

  void check_invariant(ConstraintView const& constraint, Value const& value, Node const* node,
                       Scope const& scope, Place const& place);
  /// A code, Coding, CodeableConcept or Quantity against a value set; of every other type nothing is said.
  void check_binding(BindingStrength strength, std::string_view value_set, Value const& value,
                     Place const& place);
  void check_binding(BindingStrength strength, std::uint16_t base_value_set, Value const& value,
                     Place const& place);
  /// Whether a value has a code of a set; kUnknown also for what has no code at all.
  Membership membership(std::string_view value_set, Value const& value) const;

  /// The resource that a literal reference leads to within the document: contained, or a Bundle's entry.
  codec::Json const* find_target(std::string_view reference, Scope const& scope);
  /// Its type, from wherever it can be known; empty when it cannot.
  std::string target_type(codec::Json const& reference, Scope const& scope);

  /// Whether a target has been found to conform to a profile; nullopt: not judged yet. A judgement that is
  /// under way counts as good, so that circles of references end.
  struct Judgement {
    codec::Json const* target;
    Profile const* profile;
    auto operator<=>(Judgement const&) const = default;
  };
  std::map<Judgement, bool> judgements;
  std::size_t targets_open = 0;  // how deep judgements of targets nest

 private:
  struct Set {
    std::string_view url;
    std::optional<std::uint16_t> base;
  };
  Membership membership_of_code(Set const& set, BoundCode const& code) const;
  Membership membership_of_value(Set const& set, Value const& value) const;
  void check_set(BindingStrength strength, Set const& set, Value const& value, Place const& place);
  void index_entries();
  codec::Json const* find_contained(std::string_view id, codec::Json const& root);

  ValidationHooks const& hooks_;  // the Validator's, outlives this
  codec::Json const& document_;
  std::size_t steps_;
  bool is_exhausted_ = false;
  Report own_report_;
  Report* report_ = &own_report_;
  std::map<std::string, Result<std::shared_ptr<Profile const>>, std::less<>> profiles_;
  bool has_index_ = false;
  using ByName = std::map<std::string_view, codec::Json const*>;
  ByName entries_;                                  // by fullUrl
  std::map<codec::Json const*, ByName> contained_;  // by the resource that contains them, and their ids
};

/// All values of a property: by its name in JSON, or that of the definition ("value" of valueQuantity).
std::vector<Value> values_of(Node const& node, codec::Json const& object, std::string_view name);
/// The node of the values of an element, for its children; nullptr for a resource of unknown type.
Node const* node_of_value(Value const& value);

}  // namespace tacenda::fhir
