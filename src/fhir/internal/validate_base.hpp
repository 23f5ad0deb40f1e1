#pragma once

#include <span>

#include "fhir/internal/validate_run.hpp"

namespace tacenda::fhir {

/// Walks a document along the element table and holds everything in it to the base definitions of its type,
/// to the definitions of its extensions and to the profiles that it claims. Source: R4 validation.html.
class BaseWalk {
 public:
  explicit BaseWalk(ValidationRun& run) : run_(run) {}

  /// A resource; `place` is the element that holds it, nullptr at the root. `container` is the resource that
  /// contains it, if any.
  void resource(codec::Json const& json, Place const* place, codec::Json const* container,
                std::span<Profile const* const> profiles);

 private:
  /// What an object is the value of: who owns the property, and which it is. Both nullptr for a resource.
  struct Holder {
    Node const* owner = nullptr;
    Element const* element = nullptr;
  };
  /// An object, where it stands.
  struct Object {
    Node const& node;
    Holder holder;
    codec::Json const& json;
    Scope const& scope;
    Place const& place;
  };
  void members(Object const& object);
  void property(Object const& owner, Element const& element, codec::Json const& plain);
  void shadows(Object const& owner, Element const& element, codec::Json const& shadow);
  void value(Object const& owner, Value const& value, BaseRule const& rule, Place const& place);
  void shadow(Object const& owner, Value const& value, BaseRule const& rule, Place const& place);
  void required(Node const& node, std::uint64_t seen, Place const& place);
  void constraints(BaseConstraints const& list, Value const& value, Node const* node, Scope const& scope,
                   Place const& place);
  void claims(Node const& node, codec::Json const& json, Scope const& scope, Place const& place);
  void reference(Element const& element, codec::Json const& json, Scope const& scope, Place const& place);
  void extension(Object const& owner, Value const& value, Place const& place);
  static bool may_stand_at(ExtensionContext const& context, Object const& owner);

  ValidationRun& run_;  // the caller's, outlives this
};

}  // namespace tacenda::fhir
