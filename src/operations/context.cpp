#include "operations/context.hpp"

#include "operations/internal/code_criteria.hpp"
#include "operations/internal/stored_record.hpp"
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
    watch |= stored_record(services, written.type, written.id).watch;
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
