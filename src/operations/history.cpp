#include "operations/history.hpp"

#include <set>

namespace tacenda::operations {

Result<Outcome> history_of(Context const& context, Permit const& permit, std::string_view type,
                           ResourceId const& id, records::HistoryPosition position, std::size_t count,
                           records::HistoryWindow const& window) {
  Outcome outcome;
  auto page = TACENDA_TRY(context.services.store.history_of(permit, type, id, position, count, window));
  auto event = event_of(context, audit::EventKind::kHistoryInstance, type, id.view());
  std::set<std::string> patients;
  for (auto const& entry : page.entries) patients.insert(entry.patients.begin(), entry.patients.end());
  event.patients.assign(patients.begin(), patients.end());
  outcome.events.push_back(std::move(event));
  outcome.result = std::move(page);
  return outcome;
}

Result<Outcome> history(Context const& context, Permit const& permit, std::string_view type,
                        records::HistoryPosition position, std::size_t count,
                        records::HistoryWindow const& window) {
  auto const kind = type.empty() ? audit::EventKind::kHistorySystem : audit::EventKind::kHistoryType;
  Outcome outcome;
  auto page = TACENDA_TRY(context.services.store.history(permit, type, position, count, window));
  std::set<std::string> patients;
  for (auto const& entry : page.entries) patients.insert(entry.patients.begin(), entry.patients.end());
  for (auto const& patient : patients) {
    outcome.events.push_back(event_of(context, kind, type, ""));
    outcome.events.back().patients.push_back(patient);
  }
  if (outcome.events.empty()) outcome.events.push_back(event_of(context, kind, type, ""));
  outcome.result = std::move(page);
  return outcome;
}

}  // namespace tacenda::operations
