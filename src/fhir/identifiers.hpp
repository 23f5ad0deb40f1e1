#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

/// System (empty: none) and value.
using Identifier = std::pair<std::string, std::string>;

/// All identifiers with a value that the search parameter `identifier` of the type finds, sorted, each once.
Result<std::vector<Identifier>> identifiers_of(Resource const& resource);
/// The same of a stored text. Errors: kCorrupt.
Result<std::vector<Identifier>> identifiers_of_text(std::string_view text);

}  // namespace tacenda::fhir
