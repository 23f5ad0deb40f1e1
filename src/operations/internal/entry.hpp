#pragma once

#include <optional>
#include <string_view>

#include "audit/event.hpp"
#include "core/permit.hpp"
#include "operations/context.hpp"
#include "operations/internal/entry_target.hpp"

/// What entries of batches and of transactions have in common.
namespace tacenda::operations {

/// The right that an entry needs.
Action action_of(EntryKind kind);
audit::EventKind event_kind(EntryKind kind);
/// The order of processing, R4 http.html#trules: DELETE, POST, PUT or PATCH, GET.
int rank(EntryKind kind);

/// True when the entry's resource is the version it makes: not so of a patch.
bool makes_version(EntryKind kind);

/// True of what looks at one resource only, whose change can be noticed.
bool reads_one(EntryKind kind);

/// False for a search of the system or within a compartment: each type of its answer is asked for by itself.
bool needs_permit(EntryTarget const& target);

/// What the entry asks by parameters or criteria, as the log keeps it.
std::string asked_by(fhir::BundleEntry const& entry);

/// The request's context as that of one entry: its events say what the entry asks. `origin` and `remarks`
/// outlive it.
Context context_of_entry(Context const& context, audit::Event const& origin, Remarks* remarks);

/// An entry that reads (rank 3), as if it had come by itself. `permit`: nullptr when it needs none. Errors:
/// those of the interaction; kNotSupported (a page token: what it leads to is a request of its own).
Result<Outcome> read_entry(Context const& context, Permit const* permit, EntryTarget const& target);

/// Moves what an interaction came to into the answer of its entry. `event`: the place that the first of its
/// events gets among those of the request.
void take_result(EntryOutcome& entry, Outcome& outcome, Context const& context, EntryTarget const& target,
                 std::size_t event);

}  // namespace tacenda::operations
