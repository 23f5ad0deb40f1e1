#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "fhir/elements.hpp"

namespace tacenda::fhir::generated {

/// What tools/reduce_definitions.py writes; read through fhir/elements.hpp. Text number `i` lies in `text`
/// from text_starts[i] to text_starts[i + 1], target set `i` likewise in `targets`, whose items are numbers
/// of texts.
struct ElementTables {
  char const* text;
  std::span<std::uint16_t const> text_starts;
  std::span<Element const> elements;
  std::span<Node const> nodes;
  std::span<std::uint8_t const> hash_slots;
  std::span<std::uint16_t const> target_starts;
  std::span<std::uint16_t const> targets;
  std::span<std::uint16_t const> resource_types;  // TypeCode of each of resource_types()
};

extern ElementTables const kTables;

/// Version of the definitions: "4.0.1".
std::string_view fhir_version();

}  // namespace tacenda::fhir::generated
