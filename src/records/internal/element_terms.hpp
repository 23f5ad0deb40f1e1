#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "fhir/search_parameter.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {

/// An element that a search parameter found: its value and the name of its FHIR type ("CodeableConcept").
struct FoundElement {
  codec::Json const* value = nullptr;
  std::string_view type;
};

/// What the parameter that finds elements says of them beside their type.
struct ParameterFacts {
  std::span<std::string_view const> systems;  // that a code implies
  std::span<std::string_view const> targets;  // that a reference should lead to; empty: any
  bool finds_families = false;                // HumanName.family alone
};

/// Appends the terms of an element under a parameter of `kind`; nothing when the element's type means nothing
/// to that kind. An element that means something and has no term leaves the mark that it is there (:missing).
/// Terms may come twice. Source: R4 search.html, the tables of each parameter type.
void add_terms(std::uint32_t parameter, fhir::SearchType kind, FoundElement const& element,
               ParameterFacts const& facts, std::vector<Term>& terms);

/// Sorts, and makes one of terms that differ in their row's value only.
void settle(std::vector<Term>& terms);

}  // namespace tacenda::records
