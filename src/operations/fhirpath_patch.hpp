#pragma once

#include "codec/json.hpp"
#include "core/error.hpp"

namespace tacenda::operations {

/// The resource after all operations (add, insert, delete, replace, move) of a Parameters resource. The
/// operations see each other's results, and one that fails fails the patch. Both must be well-formed
/// resources; what comes out must be checked, for a value may be of the wrong grammar. A path may be any
/// FHIRPath expression that gives elements of the resource; to delete what is not there does nothing. Errors:
/// kInvalid (no such operation, a part is missing, wrong or unknown, no FHIRPath), kUnprocessable (the
/// resource does not have the target, it is not the only one, the value is of another type), kNotSupported
/// (the path asks for what a server alone knows), kTooCostly, kTooLarge (operations, depth). Source: R4
/// fhirpatch.html.
Result<codec::Json> apply_fhirpath_patch(codec::Json const& resource, codec::Json const& parameters);

}  // namespace tacenda::operations
