#include "operations/history.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "codec/text.hpp"
#include "fhir/date_range.hpp"

namespace tacenda::operations {
namespace {

/// The time that a parameter of history names, in milliseconds: the first of them, and the first behind it.
Result<records::HistoryWindow::Span> span_of(std::string_view text) {
  using std::chrono::floor, std::chrono::microseconds, std::chrono::milliseconds;
  auto const range = fhir::parse_date_range(text);
  if (!range) return fail(ErrorKind::kInvalid, "_since or _at is no date and no time");
  return records::HistoryWindow::Span{Time(floor<milliseconds>(microseconds(range->low))),
                                      Time(floor<milliseconds>(microseconds(range->high)) + milliseconds(1))};
}

}  // namespace

Result<HistoryRequest> parse_history(std::string_view query) {
  HistoryRequest request;
  for (auto& [name, value] : TACENDA_TRY(codec::parse_query(query))) {
    if (name == "_count") {
      std::uint64_t number = 0;
      auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
      if (error == std::errc::result_out_of_range)
        number = limits::kPageSizeMax;
      else if (error != std::errc() || end != value.data() + value.size())
        return fail(ErrorKind::kInvalid, "_count is not a number");
      request.count = std::clamp<std::size_t>(number, 1, limits::kPageSizeMax);
    } else if (name == "_page") {
      request.page = std::move(value);
    } else if (name == "_since") {
      request.window.since = TACENDA_TRY(span_of(value)).from;
    } else if (name == "_at") {
      request.window.at = TACENDA_TRY(span_of(value));
    } else if (name != "_format" && name != "_pretty") {
      return fail(ErrorKind::kInvalid, "history takes _count, _since, _at, _page and _format only");
    }
  }
  return request;
}

Result<Outcome> history_of(Context const& context, Permit const& permit, std::string_view type,
                           ResourceId const& id, records::HistoryPosition position, std::size_t count,
                           records::HistoryWindow const& window) {
  Outcome outcome;
  auto page = TACENDA_TRY(context.services.store.history_of(permit, type, id, position, count, window));
  auto event = event_of(context, audit::EventKind::kHistoryInstance, type, id.view());
  std::set<std::string> patients;
  access::Watch watch;
  for (auto const& entry : page.entries) {
    patients.insert(entry.patients.begin(), entry.patients.end());
    watch |= access::watch_of_text(entry.json);
  }
  event.patients.assign(patients.begin(), patients.end());
  explain(context, event, watch);
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
  std::map<std::string, access::Watch> patients;
  for (auto const& entry : page.entries) {
    for (auto const& patient : entry.patients) patients[patient] |= access::watch_of_text(entry.json);
  }
  for (auto const& [patient, watch] : patients) {
    outcome.events.push_back(event_of(context, kind, type, ""));
    outcome.events.back().patients.push_back(patient);
    explain(context, outcome.events.back(), watch);
  }
  if (outcome.events.empty()) outcome.events.push_back(event_of(context, kind, type, ""));
  outcome.result = std::move(page);
  return outcome;
}

}  // namespace tacenda::operations
