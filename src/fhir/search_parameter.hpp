#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tacenda::fhir {

/// Source: R4 search.html#ptypes.
enum class SearchType : std::uint8_t {
  kNumber,
  kDate,
  kString,
  kToken,
  kReference,
  kComposite,
  kQuantity,
  kUri,
  kSpecial,
};

/// True for a concrete resource type that has a narrative and contained resources (R4 domainresource.html).
bool is_domain_resource(std::string_view type);

/// The code of valueset-search-param-type: "token".
std::string_view code_of(SearchType type);

/// One part of a composite parameter: an expression that starts at what the composite's own expression found.
struct SearchComponent {
  SearchType type;
  std::string_view expression;
};

/// What a search parameter finds in resources of one base type. The texts outlive the registry they came
/// from.
struct SearchParameter {
  std::string_view base;  // resource type, "Resource" or "DomainResource"
  std::string_view code;  // the name in a URL
  SearchType type;
  std::string_view expression;  // FHIRPath; empty: the server finds it by other means, or not at all
  std::string_view url;         // canonical URL of the definition
  std::span<std::string_view const> targets;  // of a reference; empty: any type
  std::span<SearchComponent const> components;
  std::span<std::string_view const> systems;  // of a token: code systems that elements of type code imply

  /// Whose :below and :above compare the beginnings of texts and need no code system ("image/").
  bool finds_media_types() const { return expression.ends_with("contentType"); }
};

/// The parameters of R4 for a concrete resource type: its own by code, then those of DomainResource (when it
/// is one) and Resource. Empty for any other text.
std::span<SearchParameter const* const> search_parameters_of(std::string_view type);

/// By resource type and code; nullptr when R4 has none such.
SearchParameter const* find_search_parameter(std::string_view type, std::string_view code);

/// The parameters that put a resource of `type` into a compartment ("Patient", "Encounter", "Practitioner",
/// "RelatedPerson", "Device"); `owner` is true when the owner himself is in it, which only one of its own
/// type can be. Source: CompartmentDefinition 4.0.1.
struct CompartmentLinks {
  std::vector<SearchParameter const*> parameters;
  bool owner = false;
};
CompartmentLinks compartment_links(std::string_view compartment, std::string_view type);
bool is_compartment(std::string_view name);

}  // namespace tacenda::fhir
