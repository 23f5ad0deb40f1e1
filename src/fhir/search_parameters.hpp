#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/search_parameter.hpp"

namespace tacenda::fhir {

/// A search parameter that lives as long as someone holds it. Of R4's own nothing is counted.
using ParameterHandle = std::shared_ptr<SearchParameter const>;

/// What a SearchParameter resource says, reduced to what the server uses; owns its texts.
struct ParameterDefinition {
  struct Component {
    SearchType type = SearchType::kToken;
    std::string expression;
    friend bool operator==(Component const&, Component const&) = default;
  };
  std::string url;
  std::string code;
  SearchType type = SearchType::kToken;
  std::string expression;
  std::vector<std::string> bases;    // resource types, "Resource" or "DomainResource"
  std::vector<std::string> targets;  // of a reference; empty: any type
  std::vector<Component> components;

  friend bool operator==(ParameterDefinition const&, ParameterDefinition const&) = default;

  /// What is said of `base`, for as long as it is held.
  ParameterHandle for_base(std::string_view base) const;
};

/// Reads a SearchParameter. Errors: kUnprocessable (it says too little or nothing that can be indexed), with
/// a message for its author. Whether its expressions are FHIRPath is not looked at. Source: R4
/// searchparameter.html.
Result<ParameterDefinition> read_definition(codec::Json const& resource);

/// The search parameters of a server: R4's own, and those that were defined for it. R4's own answer where one
/// that was defined has the same code. Immutable: thread-safe.
class SearchParameters {
 public:
  struct Defined {
    ParameterDefinition definition;
    bool is_ready = false;  // false: what it finds is being indexed, and it cannot be asked yet
    friend bool operator==(Defined const&, Defined const&) = default;
  };
  static constexpr std::size_t kDefinedMax = 256;

  SearchParameters() = default;
  /// `defined` as `effective` gives them.
  explicit SearchParameters(std::vector<Defined> defined);

  /// All that may be asked of a type: R4's own, then the defined ones by code.
  std::vector<ParameterHandle> of(std::string_view type) const;
  /// nullptr: none that may be asked.
  ParameterHandle find(std::string_view type, std::string_view code) const;
  /// True for one that will be ready later.
  bool is_awaited(std::string_view type, std::string_view code) const;

  struct Indexed {
    ParameterHandle parameter;
    bool is_ready = false;
  };
  /// The defined ones of a type, ready or not: their terms are written with each resource.
  std::vector<Indexed> const& defined_for(std::string_view type) const;
  std::vector<Defined> const& defined() const { return defined_; }

 private:
  std::vector<Defined> defined_;
  std::map<std::string, std::vector<Indexed>, std::less<>> by_type_;
};

/// Those of `definitions`, in their order, that add something: none whose code R4 has for
/// each of its types; none that shares code and a type with one before it; at most
/// SearchParameters::kDefinedMax.
std::vector<ParameterDefinition> effective(std::vector<ParameterDefinition> definitions);

/// R4's own alone.
SearchParameters const& r4_parameters();

}  // namespace tacenda::fhir
