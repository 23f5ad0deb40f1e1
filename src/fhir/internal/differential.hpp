#pragma once

#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/elements.hpp"

namespace tacenda::fhir {

/// The elements of a snapshot that a differential of `type` itself stands for, as far as they say more than
/// the type: those of the differential, the ones above them that it leaves out, the slicing of extensions and
/// of the types of a choice that it may leave unsaid, and the content that elements elsewhere take from one
/// that is constrained. In the order of a snapshot. Errors: kInvalid (a path outside of the type, an element
/// twice), kUnsupported (slices of what nothing slices), kTooLarge (kProfileElementsMax, kProfileDepthMax).
/// Source: R4 profiling.html, elementdefinition.html.
Result<std::vector<codec::Json>> elements_of_differential(std::vector<codec::Json> const& differential,
                                                          Node const& type);

}  // namespace tacenda::fhir
