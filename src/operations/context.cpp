#include "operations/context.hpp"

#include "operations/internal/code_criteria.hpp"
#include "operations/internal/writing.hpp"

namespace tacenda::operations {

std::string Remarks::outcome_of(std::size_t index) const {
  auto const at = reports.find(index);
  return codec::write_json(fhir::to_outcome(at == reports.end() ? fhir::Report() : at->second));
}

std::vector<std::string> own_addresses(Context const& context) {
  std::vector<std::string> all{context.base_url};
  auto const& known = context.services.addresses;
  if (known != nullptr) all.insert(all.end(), known->begin(), known->end());
  return all;
}

Result<std::vector<fhir::SearchCriterion>> criteria_of(Context const& context, std::string_view type,
                                                       std::string_view query) {
  auto criteria = TACENDA_TRY(fhir::parse_criteria(*context.services.store.parameters(), type, query));
  TACENDA_TRY_VOID(check_shown(context, type, criteria));
  CodeCriteria codes(context);
  TACENDA_TRY_VOID(codes.resolve(criteria));
  return criteria;
}

records::Watch watch_of(Context const& context) {
  if (context.deadline == nullptr) return {};
  return [deadline = context.deadline]() -> Result<void> {
    if (!deadline->is_expired()) return {};
    return fail(ErrorKind::kTooCostly, "this search takes too long: make it narrower, or ask for less of it");
  };
}

namespace {

constexpr std::string_view kPermitted = "permitted";  // access::Gate::why

struct Stored {
  access::Watch watch;
  std::vector<std::string> patients;
};

/// What is watched of a record as it stands, and what `look` finds in it. What cannot be read is taken for
/// the most secret.
Stored watch_of_stored(Services const& services, std::string_view type, std::string_view id,
                       std::function<void(RecordFacts const&)> const& look = {}) {
  Stored stored;
  auto const place = ResourceId::parse(id);
  if (!place.has_value()) return stored;
  auto const looked = services.store.with_facts(
      services.gate.system_permit(Action::kRead), type, *place, [&](RecordFacts const& facts) {
        stored.patients.assign(facts.patients.begin(), facts.patients.end());
        stored.watch = services.gate.watch(facts.patients);
        if (look) look(facts);
        if (!facts.may_have_labels || facts.content == nullptr) return;
        auto const text = facts.content->text();
        if (text) stored.watch |= access::watch_of_text(*text);
        if (!text) stored.watch.very_restricted = true;
      });
  if (!looked.has_value() && looked.error().kind() != ErrorKind::kNotFound)
    stored.watch.very_restricted = true;
  return stored;
}

/// What somebody wanted who caused this event.
Action action_of(audit::EventKind kind) {
  switch (kind) {
    case audit::EventKind::kVread:
      return Action::kVread;
    case audit::EventKind::kHistoryInstance:
      return Action::kHistoryInstance;
    case audit::EventKind::kSearch:
      return Action::kSearch;
    case audit::EventKind::kUpdate:
    case audit::EventKind::kPatch:
      return Action::kUpdate;
    case audit::EventKind::kDelete:
      return Action::kDelete;
    default:
      return Action::kRead;
  }
}

}  // namespace

bool is_hidden(Error const& error) {
  return error.kind() == ErrorKind::kForbidden || error.kind() == ErrorKind::kNotFound;
}

void mark_refused(Services const& services, identity::Principal const& principal, std::string_view denied_by,
                  audit::Event& event) {
  if (event.resource_type.empty() || event.resource_id.empty()) return;
  std::string denial(denied_by);
  auto const action = action_of(event.kind);
  auto stored =
      watch_of_stored(services, event.resource_type, event.resource_id, [&](RecordFacts const& facts) {
        if (denial.empty()) denial = services.gate.why(principal, action, facts);
        // What is changed must be seen first.
        if (denial == kPermitted) denial = services.gate.why(principal, Action::kRead, facts);
      });
  event.labels = stored.watch.text();
  event.patients = std::move(stored.patients);
  if (denial.empty() || denial == kPermitted) return;
  event.reason = "denied by " + denial + (event.reason.empty() ? "" : ": ") + event.reason;
}

void explain(Context const& context, audit::Event& event, access::Watch watch) {
  watch |= context.services.gate.watch(event.patients);
  event.labels = watch.text();
  auto const found = context.services.gate.explain(context.principal, event.patients);
  event.explained_by = access::word_of(found.relation);
  // What an emergency opened is recorded as that, whatever else the request was for (C-12).
  if (found.emergency) event.purpose_of_use = "BTG";
}

audit::Event event_of(Context const& context, audit::EventKind kind, std::string_view type,
                      std::string_view id) {
  audit::Event event = context.origin;
  event.kind = kind;
  event.resource_type = type;
  event.resource_id = id;
  return event;
}

audit::Event event_of(Context const& context, audit::EventKind kind, records::Written const& written) {
  audit::Event event = event_of(context, kind, written.type, written.id);
  event.resource_version = written.version;
  event.patients = written.patients;
  // Whose record was taken away must find that in his audit trail, too.
  event.patients.insert(event.patients.end(), written.left.begin(), written.left.end());
  event.record_digest = written.digest;
  auto const& services = context.services;
  auto watch = access::watch_of_text(written.text);
  // What it was counts as well: a label may be taken off, and a deletion has none.
  if (written.changed && !written.created && services.gate.may_have_labels(written.type))
    watch |= watch_of_stored(services, written.type, written.id).watch;
  explain(context, event, watch);
  return event;
}

audit::Event event_of(Context const& context, audit::EventKind kind, records::StoredVersion const& version) {
  audit::Event event = event_of(context, kind, version.type, version.id);
  event.resource_version = version.version;
  event.patients = version.patients;
  // An older version may have labels that no living resource has.
  bool const may_have_labels =
      kind != audit::EventKind::kRead || context.services.gate.may_have_labels(version.type);
  explain(context, event, may_have_labels ? access::watch_of_text(version.json) : access::Watch());
  return event;
}

}  // namespace tacenda::operations
