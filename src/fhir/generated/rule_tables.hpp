#pragma once

#include <cstdint>
#include <span>

namespace tacenda::fhir::generated {

/// What tools/reduce_rules.py writes; read through fhir/validate_rules.hpp. Text number `i` lies in `text`
/// from text_starts[i] to text_starts[i + 1], group of constraints `i` likewise in `groups`.
struct ConstraintRow {
  std::uint16_t key;
  std::uint16_t human;
  std::uint16_t expression;
  bool is_warning;
};
struct RuleRow {
  std::uint16_t value_set;
  std::uint16_t constraints;  // a group
  std::uint8_t slot;
  std::uint8_t strength;
  bool simple_quantity;
};
struct NodeRules {
  std::uint16_t constraints;  // a group
  std::uint16_t first_rule;
  std::uint8_t rule_count;
};
struct RuleTables {
  char const* text;
  std::span<std::uint32_t const> text_starts;
  std::span<ConstraintRow const> constraints;
  std::span<std::uint16_t const> group_starts;
  std::span<std::uint16_t const> groups;
  std::span<RuleRow const> rules;
  std::span<NodeRules const> nodes;
};
extern RuleTables const kRuleTables;

/// Read through fhir/validate_codes.hpp.
struct ValueSetRow {
  std::uint16_t url;
  std::uint16_t first_code;
  std::uint16_t code_count;
};
struct CodeRow {
  std::uint16_t code;
  std::uint16_t system;
};
struct ValueSetTables {
  char const* text;
  std::span<std::uint32_t const> text_starts;
  std::span<ValueSetRow const> value_sets;
  std::span<CodeRow const> codes;
};
extern ValueSetTables const kValueSetTables;

}  // namespace tacenda::fhir::generated
