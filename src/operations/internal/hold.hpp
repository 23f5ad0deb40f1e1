#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "fhir/resource.hpp"
#include "operations/context.hpp"
#include "operations/validation.hpp"

namespace tacenda::operations {

/// Holds a resource that is about to be written to the rules that the configuration has for its type; what
/// there is to say goes into the context's remarks. Errors: kUnprocessable.
Result<void> hold(Context const& context, fhir::Resource const& resource);

/// One resource that a transaction is about to write.
struct HeldEntry {
  std::size_t index;  // in the bundle
  fhir::Resource const* resource;
};

/// The same for a transaction: all of its entries are looked at before one is refused, and paths begin with
/// "Bundle.entry[3].resource". `target_type` tells where links between the entries lead. Errors:
/// kUnprocessable.
Result<void> hold(Context const& context, std::span<HeldEntry const> entries,
                  Validation::TargetType target_type);

}  // namespace tacenda::operations
