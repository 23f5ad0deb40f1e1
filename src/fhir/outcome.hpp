#pragma once

#include <string>

#include "codec/json.hpp"
#include "fhir/issues.hpp"

namespace tacenda::fhir {

/// An OperationOutcome with one issue of severity error for each of `issues`: code, diagnostics (the literal)
/// and expression (the path). At least one issue (asserted): an outcome without any is none. Source: R4
/// operationoutcome.html.
codec::Json to_outcome(Issues const& issues);
std::string outcome_text(Issues const& issues);

}  // namespace tacenda::fhir
