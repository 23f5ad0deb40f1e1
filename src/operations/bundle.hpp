#pragma once

#include "fhir/bundle.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// transaction: all entries or none, in the order DELETE, POST, PUT, GET, whatever their order in the
/// bundle; `urn:uuid` links between entries and conditional references are resolved. Every change is in the
/// returned set; nothing is committed here. Source: R4 http.html#transaction, #trules.
/// Errors: kInvalid (an entry, the same identity twice, a link to no entry), kForbidden, kPrecondition (a
/// conditional reference or If-None-Exist with several matches, or a reference with none), kUnprocessable.
/// The resources of `bundle` are used up: a second run needs a fresh copy.
Result<Outcome> transaction(Context const& context, fhir::Bundle& bundle);

/// batch: every entry by itself; one that fails leaves the others alone. Writes are committed one by one
/// with their audit events; the events of reads and refusals are in the returned outcome, whose `rest` runs
/// the reads again. `context` outlives the outcome. Errors: kUnavailable, kNoSpace (no answer may leave).
Result<Outcome> batch(Context const& context, fhir::Bundle bundle);

}  // namespace tacenda::operations
