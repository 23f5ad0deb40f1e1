#pragma once

#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/elements.hpp"

namespace tacenda::fhir {

/// The elements of a snapshot that a differential stands for, as far as they say more than its type: those of
/// `base`, which is the snapshot, or what this function made, of the profile that it is derived from (empty:
/// from `type` itself), with the differential's laid over them, the ones above them that it leaves out, the
/// slicing of extensions and of the types of a choice that it may leave unsaid, and the content that elements
/// elsewhere take from one that is constrained. In the order of a snapshot. Errors: kInvalid (a path outside
/// of the type, an element twice, a type that the base does not allow), kUnsupported (slices of what nothing
/// slices), kTooLarge (kProfileElementsMax, kProfileDepthMax). Source: R4 profiling.html,
/// elementdefinition.html.
Result<std::vector<codec::Json>> elements_of_differential(std::vector<codec::Json> const& differential,
                                                          Node const& type,
                                                          std::vector<codec::Json> const& base = {});

}  // namespace tacenda::fhir
