#include "fhir/validate_rules.hpp"

#include <algorithm>
#include <array>

#include "fhir/generated/rule_tables.hpp"

namespace tacenda::fhir {
namespace {

using generated::kRuleTables;

std::string_view text_of(std::uint16_t number) {
  std::size_t const start = kRuleTables.text_starts[number];
  return {kRuleTables.text + start, kRuleTables.text_starts[number + std::size_t{1}] - start};
}

ConstraintView view_of(generated::ConstraintRow const& row) {
  return {text_of(row.key), text_of(row.human), text_of(row.expression), row.is_warning};
}

generated::NodeRules const& rules_of(Node const& node) {
  return kRuleTables.nodes[index_of(node)];
}

constexpr std::array<std::string_view, 4> kInCode = {"ele-1", "ext-1", "ref-1", "dom-2"};

}  // namespace

std::size_t BaseConstraints::size() const {
  return std::size_t{kRuleTables.group_starts[group_ + std::size_t{1}]} - kRuleTables.group_starts[group_];
}

ConstraintView BaseConstraints::operator[](std::size_t index) const {
  return view_of(kRuleTables.constraints[kRuleTables.groups[kRuleTables.group_starts[group_] + index]]);
}

BaseRule base_rule(Node const& node, Element const& element) {
  auto const& own = rules_of(node);
  for (auto const& row : kRuleTables.rules.subspan(own.first_rule, own.rule_count)) {
    if (row.slot != element.slot) continue;
    return {static_cast<BindingStrength>(row.strength), row.value_set, BaseConstraints(row.constraints),
            row.simple_quantity};
  }
  return {};
}

BaseConstraints base_constraints(Node const& node) {
  return BaseConstraints(rules_of(node).constraints);
}

bool is_base_constraint(std::string_view key, std::string_view expression) {
  if (std::ranges::find(kInCode, key) != kInCode.end()) return true;
  return std::ranges::any_of(kRuleTables.constraints, [&](generated::ConstraintRow const& row) {
    return text_of(row.key) == key && text_of(row.expression) == expression;
  });
}

}  // namespace tacenda::fhir
