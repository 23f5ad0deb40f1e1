#pragma once

#include "codec/json.hpp"

namespace tacenda::fhir {

/// The ElementDefinition that holds when `said`, of a profile's differential, is laid over `base`, that of
/// the same element in the profile it is derived from. What it does not name stays; constraints add up;
/// bounds, bindings and closed slicing may be narrowed and are never widened, whatever `said` claims: what a
/// resource must be to conform to the base it must be here too. Source: R4 profiling.html#resources,
/// elementdefinition.html.
codec::Json laid_over(codec::Json base, codec::Json const& said);

}  // namespace tacenda::fhir
