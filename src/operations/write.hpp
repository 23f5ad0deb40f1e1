#pragma once

#include <optional>
#include <vector>

#include "fhir/resource.hpp"
#include "fhir/search_query.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

using Criteria = std::vector<fhir::SearchCriterion>;

/// create: POST [base]/[type], with If-None-Exist as `unless` (conditional create). An id in the resource is
/// replaced by a new one. Source: R4 http.html#create, #ccreate.
/// Errors: kForbidden, kPrecondition (several matches), kInvalid (criteria), kUnprocessable.
Result<Outcome> create(Context const& context, Permit const& permit, fhir::Resource resource,
                       std::optional<Criteria> const& unless);

/// update: PUT [base]/[type]/[id], with the version of If-Match. Source: R4 http.html#update, #upsert.
/// Errors: kForbidden, kPrecondition, kInvalid, kUnprocessable.
Result<Outcome> update(Context const& context, Permit const& permit, fhir::Resource resource,
                       ResourceId const& id, std::optional<std::uint64_t> if_match);

/// delete: DELETE [base]/[type]/[id]; of what is not there it does nothing and says so. Source: R4
/// http.html#delete. Errors: kForbidden, kPrecondition.
Result<Outcome> remove(Context const& context, Permit const& permit, std::string_view type,
                       ResourceId const& id, std::optional<std::uint64_t> if_match);

/// Conditional update: PUT [base]/[type]?criteria. One match is updated; none makes a new resource, under the
/// resource's own id when it has one that is free. Source: R4 http.html#cond-update. Errors: as update;
/// kInvalid (the resource names another id than the match has), kPrecondition (several matches), kConflict
/// (no match, and the id is taken).
Result<Outcome> update_matching(Context const& context, Permit const& permit, fhir::Resource resource,
                                Criteria const& criteria, std::optional<std::uint64_t> if_match);

/// Conditional delete of one resource: DELETE [base]/[type]?criteria. Source: R4 http.html#3.1.0.7.1.
/// Errors: as remove; kPrecondition (several matches, or none and If-Match names a version).
Result<Outcome> remove_matching(Context const& context, Permit const& permit, std::string_view type,
                                Criteria const& criteria, std::optional<std::uint64_t> if_match);

}  // namespace tacenda::operations
