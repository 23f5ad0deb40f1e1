#include "fhirpath/internal/types.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <vector>

namespace tacenda::fhirpath {
namespace {

using fhir::TypeCode;

constexpr auto kFirstNode = static_cast<std::size_t>(TypeCode::kFirstNode);

/// In the order of TypeCode.
constexpr std::array<std::string_view, kFirstNode> kPrimitives{
    "base64Binary", "boolean",     "canonical", "code",     "date", "dateTime",    "decimal",
    "id",           "instant",     "integer",   "markdown", "oid",  "positiveInt", "string",
    "time",         "unsignedInt", "uri",       "url",      "uuid", "xhtml"};

constexpr std::array<std::string_view, 10> kSystem{"",     "Boolean",  "Integer", "Decimal",  "String",
                                                   "Date", "DateTime", "Time",    "Quantity", ""};

constexpr std::array<std::string_view, 4> kQuantities{"Age", "Count", "Distance", "Duration"};

/// What the tables of fhir do not say about a node.
struct NodeFacts {
  bool resource = false;
  bool domain_resource = false;
  bool backbone = false;
  bool quantity = false;
};

class TypeTable {
 public:
  TypeTable() : facts_(fhir::node_count()) {
    for (std::size_t i = 0; i < facts_.size(); ++i) {
      auto const type = static_cast<TypeCode>(kFirstNode + i);
      fhir::Node const& node = fhir::node_of(type);
      std::string_view const path = fhir::path_of(node);
      bool const has_modifiers = fhir::find_element(node, "modifierExtension") != nullptr;
      auto& facts = facts_[i];
      facts.resource = fhir::find_element(node, "implicitRules") != nullptr;
      facts.domain_resource = facts.resource && has_modifiers;
      facts.backbone = !facts.resource && has_modifiers;
      facts.quantity = path == "Quantity" || std::ranges::find(kQuantities, path) != kQuantities.end();
      if (!path.contains('.')) names_.push_back({path, type});
    }
    for (std::size_t i = 0; i < kPrimitives.size(); ++i) {
      names_.push_back({kPrimitives[i], static_cast<TypeCode>(i)});
    }
    std::ranges::sort(names_, {}, &Name::text);
    element_ = *find("Element");
    backbone_ = *find("BackboneElement");
    resource_ = *find("Resource");
    domain_resource_ = *find("DomainResource");
    quantity_ = *find("Quantity");
  }

  std::optional<TypeCode> find(std::string_view name) const {
    auto const at = std::ranges::lower_bound(names_, name, {}, &Name::text);
    if (at == names_.end() || at->text != name) return std::nullopt;
    return at->type;
  }

  NodeFacts const& facts(TypeCode type) const { return facts_[static_cast<std::size_t>(type) - kFirstNode]; }

  bool is_subtype(TypeCode actual, TypeCode wanted) const {
    if (actual < TypeCode::kFirstNode) return wanted == element_;
    NodeFacts const& node = facts(actual);
    if (wanted == resource_) return node.resource;
    if (wanted == domain_resource_) return node.domain_resource;
    if (wanted == backbone_) return node.backbone;
    if (wanted == quantity_) return node.quantity;
    return wanted == element_ && !node.resource;
  }

 private:
  struct Name {
    std::string_view text;
    TypeCode type;
  };
  std::vector<NodeFacts> facts_;
  std::vector<Name> names_;  // sorted
  TypeCode element_{};
  TypeCode backbone_{};
  TypeCode resource_{};
  TypeCode domain_resource_{};
  TypeCode quantity_{};
};

TypeTable const& table() {
  static TypeTable const instance;
  return instance;
}

std::optional<TypeCode> base_of_primitive(TypeCode type) {
  switch (type) {
    case TypeCode::kCode:
    case TypeCode::kId:
    case TypeCode::kMarkdown:
      return TypeCode::kString;
    case TypeCode::kCanonical:
    case TypeCode::kOid:
    case TypeCode::kUrl:
    case TypeCode::kUuid:
      return TypeCode::kUri;
    case TypeCode::kPositiveInt:
    case TypeCode::kUnsignedInt:
      return TypeCode::kInteger;
    default:
      return std::nullopt;
  }
}

std::optional<Item::Kind> find_system_type(std::string_view name) {
  auto const at = std::ranges::find(kSystem, name);
  if (name.empty() || at == kSystem.end()) return std::nullopt;
  return static_cast<Item::Kind>(at - kSystem.begin());
}

}  // namespace

std::optional<TypeCode> find_fhir_type(std::string_view name) {
  if (name == "SimpleQuantity" || name == "MoneyQuantity") name = "Quantity";  // profiles of it
  return table().find(name);
}

std::optional<TypeSpecifier> find_type(std::string_view name_space, std::string_view name) {
  TypeSpecifier out;
  if (name_space.empty() || name_space == "FHIR") out.fhir = find_fhir_type(name);
  if (name_space.empty() || name_space == "System") out.system = find_system_type(name);
  if (name_space.empty() && out.system && !out.fhir) {
    std::string lower(name);
    lower[0] = static_cast<char>(lower[0] - 'A' + 'a');  // every name of a System type begins with A to Z
    out.lenient = find_fhir_type(lower);
  }
  if (!out.fhir && !out.system && name_space != "System")
    return std::nullopt;  // System.Patient is of nothing
  return out;
}

std::string_view name_of_type(TypeCode type) {
  if (type < TypeCode::kFirstNode) return kPrimitives[static_cast<std::size_t>(type)];
  return fhir::path_of(fhir::node_of(type));
}

std::string_view name_of_kind(Item::Kind kind) {
  return kSystem[static_cast<std::size_t>(kind)];
}

TypeCode type_of_node(fhir::Node const& node) {
  auto const index = &node - &fhir::node_of(TypeCode::kFirstNode);
  return static_cast<TypeCode>(kFirstNode + static_cast<std::size_t>(index));
}

bool is_resource(TypeCode type) {
  return type >= TypeCode::kFirstNode && table().facts(type).resource;
}

bool is_quantity(TypeCode type) {
  return type >= TypeCode::kFirstNode && table().facts(type).quantity;
}

bool is_subtype(TypeCode actual, TypeCode wanted) {
  if (actual == wanted || base_of_primitive(actual) == wanted) return true;
  return table().is_subtype(actual, wanted);
}

bool matches(Item const& item, TypeSpecifier const& type, TypeRule rule) {
  if (!item.is_element()) return type.system == item.kind();
  if (type.fhir) {
    if (item.type() == *type.fhir) return true;
    if (rule == TypeRule::kAs && item.is_primitive() && *type.fhir < TypeCode::kFirstNode) return false;
    return is_subtype(item.type(), *type.fhir);
  }
  return type.lenient && rule != TypeRule::kIsFunction && item.type() == *type.lenient;
}

}  // namespace tacenda::fhirpath
