// The alert feed: what the log was found to tell, and who looked after it.
#include <algorithm>
#include <charconv>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using monitor::Alert;
using monitor::AlertState;

Json number(std::uint64_t value) {
  return Json::number(static_cast<std::int64_t>(value));
}

/// Names of users by their ids.
class Names {
 public:
  explicit Names(identity::Directory const& directory) {
    for (auto const& view : directory.users()) names_.emplace(view.id, view.name);
  }
  std::string const& of(std::string const& user) const {
    auto const found = names_.find(user);
    return found == names_.end() ? user : found->second;
  }

 private:
  std::map<std::string, std::string> names_;
};

Json alert_json(Alert const& alert, std::optional<std::string> const& patient, Names const& names) {
  auto const* const facts = monitor::facts_of(alert.id.rule);
  Json json = Json::object();
  json.set("id", Json::string(alert.id.text()));
  json.set("rule", Json::string(facts == nullptr ? "unknown" : facts->name));
  json.set("severity", Json::string(facts == nullptr ? "high" : monitor::name_of(facts->severity)));
  json.set("text", Json::string(facts == nullptr ? "" : facts->text));
  json.set("state", Json::string(monitor::name_of(alert.state)));
  json.set("sequence", number(alert.id.sequence));
  json.set("first", Json::string(codec::format_instant(alert.first)));
  json.set("last", Json::string(codec::format_instant(alert.last)));
  json.set("last_sequence", number(alert.last_sequence));
  json.set("count", number(alert.count));
  if (alert.stands_for_many) json.set("stands_for_many", Json::boolean(true));
  if (!alert.user.empty()) json.set("user", Json::string(names.of(alert.user)));
  if (patient) json.set("patient", Json::string(*patient));
  if (alert.patient && !patient) json.set("patient_erased", Json::boolean(true));
  if (!alert.emergency.empty()) json.set("emergency", Json::string(alert.emergency));
  if (alert.answered) {
    json.set("answered", Json::string(codec::format_instant(*alert.answered)));
    json.set("answered_by", Json::string(names.of(alert.answered_by)));
    json.set("note", Json::string(alert.note));
  }
  return json;
}

Result<monitor::Alerts::Filter> filter_of(std::map<std::string, std::string, std::less<>> const& query) {
  monitor::Alerts::Filter filter;
  for (auto const& [name, value] : query) {
    if (name == "open") {
      filter.open_only = true;
    } else if (name == "patient") {
      filter.patient = TACENDA_TRY(PatientId::parse(value)).view();
    } else if (name == "after") {
      filter.after = TACENDA_TRY(monitor::AlertId::parse(value));
    } else if (name == "limit") {
      auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), filter.limit);
      if (error != std::errc() || end != value.data() + value.size())
        return fail(ErrorKind::kInvalid, "a parameter is not a number");
    } else {
      return fail(ErrorKind::kInvalid, "alerts are listed by open, patient, after and limit");
    }
  }
  return filter;
}

}  // namespace

Released Admin::alerts(Call& call) {
  auto const filter = filter_of(call.query);
  if (!filter.has_value()) return refuse(call, filter.error());
  if (filter->patient) call.origin.patients.push_back(*filter->patient);
  auto const found = parts_.alerts.list(*filter);
  if (!found.has_value()) return refuse(call, found.error());
  Names const names(parts_.directory);
  Json list = Json::array();
  for (auto const& alert : *found) {
    auto const patient = parts_.alerts.patient_of(alert);
    if (!patient.has_value()) return refuse(call, patient.error());
    list.push(alert_json(alert, *patient, names));
  }
  Json json = Json::object();
  json.set("alerts", std::move(list));
  json.set("open", number(parts_.alerts.open_count()));
  return answer(call, codec::write_json(json));
}

Released Admin::answer_alert(Call& call) {
  std::string const id(call.body.text_of("id"));
  std::string const note(call.body.text_of("note"));
  auto const state = call.body.text_of("state");
  call.origin.target = id;
  auto const parsed = monitor::AlertId::parse(id);
  if (!parsed.has_value()) return refuse(call, parsed.error());
  if (state != "acknowledged" && state != "closed")
    return refuse(call, Error(ErrorKind::kInvalid, "an alert is acknowledged or closed"));
  call.origin.new_value = std::string(state) + ": " + note;
  auto changed =
      parts_.alerts.answer(*parsed, state == "closed" ? AlertState::kClosed : AlertState::kAcknowledged,
                           call.origin.actor_id, note);
  if (!changed.has_value()) return refuse(call, changed.error());
  return change(call, std::move(changed->set), std::move(changed->committed), "{}");
}

}  // namespace tacenda::api
