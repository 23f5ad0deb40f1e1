#pragma once

#include <string_view>
#include <vector>

#include "fhir/internal/validate_run.hpp"

namespace tacenda::fhir {

/// Holds values to what a profile says beyond the base definition. Source: R4 profiling.html.
class ProfileWalk {
 public:
  explicit ProfileWalk(ValidationRun& run) : run_(run) {}

  /// A resource, or a value of a data type, against a whole profile.
  void conform(Profile const& profile, Value const& value, Node const& node, Scope const& scope,
               Place const& place);

 private:
  /// Where an element of a profile is looked for.
  struct At {
    Profile const& profile;
    Scope const& scope;
    Place const& owner;  // of the object whose property it is
    Place place_of(Value const& value) const {
      return owner.child(definition_name_of(*value.element), value.index);
    }
  };
  struct Definition {
    Profile const* profile;
    ProfileElement const* element;
  };
  /// How far a discriminator has come: the definitions and the values at that point of its path.
  struct Trail {
    std::vector<Definition> definitions;
    std::vector<Value> values;
    bool is_resolved = false;  // the values are the targets of references
  };
  enum class Answer : std::uint8_t { kYes, kNo, kUnknown };

  void children(Profile const& profile, ProfileElement const& element, Node const& node,
                codec::Json const& object, Scope const& scope, Place const& place);
  void element(At const& at, ProfileElement const& element, std::vector<Value> const& values);
  void count(At const& at, ProfileElement const& element, std::size_t found);
  void value(At const& at, ProfileElement const& element, Value const& value);
  void fixed_values(At const& at, ProfileElement const& element, Value const& value, Place const& place);
  bool types(At const& at, ProfileElement const& element, Value const& value, Place const& place);
  void type_profiles(At const& at, ProfileType const& type, Value const& value, Place const& place);
  void targets(At const& at, ProfileType const& type, Value const& value, Place const& place);
  /// What a reference leads to: `resource` is nullptr outside the document, `root` contains it or is it.
  struct Target {
    std::string_view type;
    codec::Json const* resource;
    codec::Json const* root;
  };
  bool target_conforms(std::string_view url, Target const& target, Place const& place);
  bool conforms_to(std::string_view url, Value const& value, Scope const& scope, Place const& place);

  // validate_slices.cpp
  void slices(At const& at, ProfileElement const& sliced, std::vector<Value> const& values);
  Answer find_slice(At const& at, ProfileElement const& sliced, Value const& value, std::size_t& slice);
  Answer belongs(At const& at, ProfileElement const& sliced, ProfileElement const& slice, Value const& value);
  Answer judge(At const& at, ProfileElement const& slice, Discriminator const& discriminator,
               Value const& value);
  bool advance(At const& at, DiscriminatorStep const& step, Trail& trail);
  void advance_to(std::string_view name, std::string_view extension_url, Trail& trail);
  bool resolve(At const& at, Trail& trail);
  Answer decide(At const& at, DiscriminatorKind kind, Trail const& trail);
  Answer decide_value(At const& at, Trail const& trail);
  Answer decide_exists(Trail const& trail);
  Answer decide_type(Trail const& trail);
  Answer decide_profile(At const& at, Trail const& trail);
  Answer target_type_is(At const& at, Trail const& trail);
  bool satisfies(At const& at, Definition const& definition, Value const& value);
  std::vector<std::string> target_types(std::vector<Definition> const& definitions);

  ValidationRun& run_;  // the caller's, outlives this
};

/// The type that a base definition's URL names; empty for another URL.
std::string_view base_definition(std::string_view url);
/// True for the type of a node and for those that it is made from: Resource, DomainResource, Element,
/// BackboneElement.
bool is_kind_of(Node const& node, std::string_view type);
bool is_primitive_name(TypeCode type, std::string_view name);

}  // namespace tacenda::fhir
