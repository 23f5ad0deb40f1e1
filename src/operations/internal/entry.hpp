#pragma once

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

/// A search that an entry asks for. Errors: as search.
Result<Outcome> search_entry(Context const& context, EntryTarget const& target);

/// Moves what an interaction came to into the answer of its entry.
void take_result(EntryOutcome& entry, Outcome& outcome);

}  // namespace tacenda::operations
