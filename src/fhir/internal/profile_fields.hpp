#pragma once

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/profile.hpp"

namespace tacenda::fhir {

/// Reads what one ElementDefinition says, without its place. Errors: kInvalid.
Result<ProfileElement> read_element_definition(codec::Json const& definition);

}  // namespace tacenda::fhir
