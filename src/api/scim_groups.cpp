// /scim/v2/Groups: groups of the identity provider, which give roles by the policy. Source: RFC 7644 sections
// 3.3 to 3.6.
#include "api/internal/scim.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using identity::Provisioning;

std::string text_of(Provisioning::GroupView const& group) {
  std::string text = "displayName " + group.is->display_name;
  if (!group.is->external_id.empty()) text += ", externalId " + group.is->external_id;
  return text + ", members " + std::to_string(group.members.size());
}

/// What the log says of a group, and of each account whose place in it or whose role changed.
std::vector<audit::Event> events_of_group(audit::Event const& origin, Provisioning::GroupChange const& change,
                                          std::string before, std::string after) {
  audit::Event event = origin;
  event.target = change.before.is->display_name;
  event.old_value = std::move(before);
  event.new_value = std::move(after);
  std::vector<audit::Event> events{std::move(event)};
  for (auto const& effect : change.effects) events.push_back(event_of(origin, effect, *change.after.is));
  return events;
}

}  // namespace

Released Pipeline::Scim::groups(Exchange& exchange) {
  auto const groups = provisioning_.groups();
  return list(exchange, groups.size(), [&](std::size_t place) { return group_json(groups[place], base_); });
}

Released Pipeline::Scim::group(Exchange& exchange) {
  auto const& method = exchange.request.method;
  if (method == "PUT" || method == "PATCH" || method == "DELETE") return change_group(exchange);
  auto const found = provisioning_.group(exchange.route.version);
  if (!found.has_value()) return refuse(exchange, found.error());
  exchange.origin.target = found->is->display_name;
  return show(exchange, group_json(*found, base_));
}

Released Pipeline::Scim::add_group(Exchange& exchange) {
  auto const body = scim_object_of(exchange.request.body);
  if (!body.has_value()) return refuse(exchange, body.error());
  auto const wanted = group_of(*body);
  if (!wanted.has_value()) return refuse(exchange, wanted.error());
  MutexLock const turn(pipeline_.provisioning_);
  if (auto ended = refuse_who_ended(exchange)) return std::move(*ended);
  auto added = provisioning_.add_group(*wanted);
  if (!added.has_value()) return refuse(exchange, added.error());
  auto const json = group_json(added->after, base_);
  auto response = scim_response(201, json);
  response.headers.push_back({"location", std::string(json.find("meta")->text_of("location"))});
  response.headers.push_back({"etag", std::string(json.find("meta")->text_of("version"))});
  auto events = events_of_group(exchange.origin, *added, "", text_of(added->after));
  return commit(exchange, added->pending, std::move(events), std::move(response));
}

Released Pipeline::Scim::change_group(Exchange& exchange) {
  bool const removes = exchange.request.method == "DELETE";
  auto const body = removes ? ScimResult<Json>(Json::object()) : scim_object_of(exchange.request.body);
  if (!body.has_value()) return refuse(exchange, body.error());
  MutexLock const turn(pipeline_.provisioning_);
  if (auto ended = refuse_who_ended(exchange)) return std::move(*ended);
  auto const before = provisioning_.group(exchange.route.version);
  if (!before.has_value()) return refuse(exchange, before.error());
  exchange.origin.target = before->is->display_name;
  if (auto const fits = check_version(exchange, before->is->version); !fits.has_value())
    return refuse(exchange, fits.error());
  if (removes) {
    auto removed = provisioning_.remove_group(before->is->id);
    if (!removed.has_value()) return refuse(exchange, removed.error());
    net::Response response;
    response.status = 204;
    auto events = events_of_group(exchange.origin, *removed, text_of(*before), "deleted");
    return commit(exchange, removed->pending, std::move(events), std::move(response));
  }
  Provisioning::WantedGroup was{before->is->display_name, before->is->external_id, before->members};
  auto const wanted =
      exchange.request.method == "PUT" ? group_of(*body) : patched_group(*body, std::move(was));
  if (!wanted.has_value()) return refuse(exchange, wanted.error());
  auto changed = provisioning_.change_group(before->is->id, *wanted);
  if (!changed.has_value()) return refuse(exchange, changed.error());
  auto const json = group_json(changed->after, base_);
  auto response = scim_response(200, json);
  response.headers.push_back({"etag", std::string(json.find("meta")->text_of("version"))});
  auto events = events_of_group(exchange.origin, *changed, text_of(*before), text_of(changed->after));
  return commit(exchange, changed->pending, std::move(events), std::move(response));
}

}  // namespace tacenda::api
