#include "operations/refused.hpp"

#include "fhir/types.hpp"
#include "operations/internal/stored_record.hpp"

namespace tacenda::operations {
namespace {

constexpr std::string_view kPermitted = "permitted";  // access::Gate::why

/// What somebody wanted who caused this event; nullopt: nothing that the gate judges by type.
std::optional<Action> wanted_by(audit::EventKind kind) {
  switch (kind) {
    case audit::EventKind::kRead:
    case audit::EventKind::kTerminology:
      return Action::kRead;
    case audit::EventKind::kVread:
      return Action::kVread;
    case audit::EventKind::kHistoryInstance:
      return Action::kHistoryInstance;
    case audit::EventKind::kHistoryType:
      return Action::kHistoryType;
    case audit::EventKind::kHistorySystem:
      return Action::kHistorySystem;
    case audit::EventKind::kSearch:
      return Action::kSearch;
    case audit::EventKind::kCreate:
      return Action::kCreate;
    case audit::EventKind::kExportStarted:
    case audit::EventKind::kExportFile:
      return Action::kExport;
    case audit::EventKind::kUpdate:
    case audit::EventKind::kPatch:
      return Action::kUpdate;
    case audit::EventKind::kDelete:
      return Action::kDelete;
    default:
      return std::nullopt;
  }
}

/// What denies it of every record; of a search of all types, what denies the type that comes furthest.
std::string_view denied_before_records(Services const& services, identity::Principal const& principal,
                                       audit::Event const& event) {
  auto const action = wanted_by(event.kind);
  if (!action) return kPermitted;
  if (!event.resource_type.empty() || *action != Action::kSearch)
    return services.gate.why(principal, *action, event.resource_type);
  constexpr std::string_view kRole = "role";
  for (auto const type : fhir::resource_types()) {
    auto const word = services.gate.why(principal, *action, type);
    if (word != kRole) return word;
  }
  return kRole;
}

bool is_write(audit::EventKind kind) {
  return kind == audit::EventKind::kCreate || kind == audit::EventKind::kUpdate ||
         kind == audit::EventKind::kPatch || kind == audit::EventKind::kDelete;
}

}  // namespace

bool is_hidden(Error const& error) {
  return error.kind() == ErrorKind::kForbidden || error.kind() == ErrorKind::kNotFound;
}

std::unexpected<Error> deny(Context const& context, std::string_view by, Literal says) {
  if (context.remarks != nullptr) context.remarks->denied_by = by;
  return fail(ErrorKind::kForbidden, says);
}

void mark_denied(std::string_view by, audit::Event& event) {
  event.reason = "denied by " + std::string(by) + (event.reason.empty() ? "" : ": ") + event.reason;
}

void mark_refused(Services const& services, identity::Principal const& principal, Refused const& refused,
                  audit::Event& event) {
  std::string denial(refused.denied_by);
  if (!event.resource_type.empty() && !event.resource_id.empty()) {
    auto const action = wanted_by(event.kind).value_or(Action::kRead);
    auto stored =
        stored_record(services, event.resource_type, event.resource_id, [&](RecordFacts const& facts) {
          if (denial.empty()) denial = services.gate.why(principal, action, facts);
          // What is changed must be seen first.
          if (denial == kPermitted) denial = services.gate.why(principal, Action::kRead, facts);
        });
    event.labels = stored.watch.text();
    event.patients = std::move(stored.patients);
  }
  if (denial.empty()) denial = denied_before_records(services, principal, event);
  // The record is not there yet, or would be another: what was sent is not kept, and so not asked about
  // again.
  if (denial == kPermitted && refused.kind == ErrorKind::kForbidden && is_write(event.kind))
    denial = "record";
  if (denial != kPermitted) mark_denied(denial, event);
}

}  // namespace tacenda::operations
