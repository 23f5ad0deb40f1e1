#pragma once

#include <optional>

#include "fhir/criteria.hpp"
#include "fhir/resource.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// create: POST [base]/[type], with If-None-Exist as `unless` (conditional create). An id in the resource is
/// replaced by a new one. Source: R4 http.html#create, #ccreate.
/// Errors: kForbidden, kPrecondition (several matches), kInvalid (criteria), kUnprocessable.
Result<Outcome> create(Context const& context, Permit const& permit, fhir::Resource resource,
                       std::optional<fhir::Criteria> const& unless);

/// update: PUT [base]/[type]/[id], with the version of If-Match. Source: R4 http.html#update, #upsert.
/// Errors: kForbidden, kPrecondition, kInvalid, kUnprocessable.
Result<Outcome> update(Context const& context, Permit const& permit, fhir::Resource resource,
                       ResourceId const& id, std::optional<std::uint64_t> if_match);

/// delete: DELETE [base]/[type]/[id]; of what is not there it does nothing and says so. Source: R4
/// http.html#delete. Errors: kForbidden, kPrecondition.
Result<Outcome> remove(Context const& context, Permit const& permit, std::string_view type,
                       ResourceId const& id, std::optional<std::uint64_t> if_match);

}  // namespace tacenda::operations
