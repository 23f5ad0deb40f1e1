#include "fhir/search_parameter.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <unordered_map>
#include <vector>

#include "fhir/generated/search_parameters.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

constexpr std::array<std::string_view, 9> kCodes = {"number",    "date",     "string", "token",  "reference",
                                                    "composite", "quantity", "uri",    "special"};

// R4 resource.html: the concrete types that are no DomainResource.
constexpr std::array<std::string_view, 3> kPlainResources = {"Binary", "Bundle", "Parameters"};

using List = std::vector<SearchParameter const*>;

void append(List& list, std::string_view base) {
  auto const all = generated::search_parameters();
  auto const range = std::ranges::equal_range(all, base, {}, &SearchParameter::base);
  for (auto const& parameter : range) {
    bool const known =
        std::ranges::any_of(list, [&](auto const* own) { return own->code == parameter.code; });
    if (!known) list.push_back(&parameter);
  }
}

std::unordered_map<std::string_view, List> make_lists() {
  std::unordered_map<std::string_view, List> lists;
  for (auto const type : resource_types()) {
    List& list = lists[type];
    append(list, type);
    if (is_domain_resource(type)) append(list, "DomainResource");
    append(list, "Resource");
  }
  return lists;
}

}  // namespace

std::string_view code_of(SearchType type) {
  return kCodes.at(static_cast<std::size_t>(type));
}

bool is_domain_resource(std::string_view type) {
  return is_resource_type(type) && std::ranges::find(kPlainResources, type) == kPlainResources.end();
}

std::span<SearchParameter const* const> search_parameters_of(std::string_view type) {
  static auto const lists = make_lists();
  auto const found = lists.find(type);
  if (found == lists.end()) return {};
  return found->second;
}

SearchParameter const* find_search_parameter(std::string_view type, std::string_view code) {
  for (auto const* parameter : search_parameters_of(type)) {
    if (parameter->code == code) return parameter;
  }
  return nullptr;
}

CompartmentLinks compartment_links(std::string_view compartment, std::string_view type) {
  CompartmentLinks links;
  links.owner = compartment == type;
  for (auto const& row : generated::compartment_parameters()) {
    if (row.compartment != compartment || row.type != type) continue;
    // A link of a Patient names another record of the same person, and opens neither (compartment.hpp).
    if (row.compartment == "Patient" && row.type == "Patient") continue;
    if (auto const* parameter = find_search_parameter(type, row.code)) links.parameters.push_back(parameter);
  }
  return links;
}

bool is_compartment(std::string_view name) {
  return std::ranges::any_of(generated::compartment_parameters(),
                             [&](auto const& row) { return row.compartment == name; });
}

}  // namespace tacenda::fhir
