// /scim/v2/Users: accounts that the identity provider keeps. Source: RFC 7644 sections 3.3 to 3.6.
#include "api/internal/scim.hpp"

namespace tacenda::api {

using codec::Json;
using identity::Provisioning;

Released Pipeline::Scim::users(Exchange& exchange) {
  auto const groups = provisioning_.groups_by_id();
  auto const users = provisioning_.users();
  return list(exchange, users.size(),
              [&](std::size_t place) { return user_json(users[place], groups, base_); });
}

Released Pipeline::Scim::user(Exchange& exchange) {
  auto const& method = exchange.request.method;
  if (method == "DELETE") return remove_user(exchange);
  if (method == "PUT" || method == "PATCH") return change_user(exchange);
  auto const found = provisioning_.user(exchange.route.version);
  if (!found.has_value()) return refuse(exchange, found.error());
  exchange.origin.target = found->name;
  return show(exchange, json_of(*found));
}

Released Pipeline::Scim::add_user(Exchange& exchange) {
  auto const body = scim_object_of(exchange.request.body);
  if (!body.has_value()) return refuse(exchange, body.error());
  auto const wanted = user_of(*body, {});
  if (!wanted.has_value()) return refuse(exchange, wanted.error());
  MutexLock const turn(pipeline_.provisioning_);
  if (auto ended = refuse_who_ended(exchange)) return std::move(*ended);
  auto added = provisioning_.add(*wanted);
  if (!added.has_value()) return refuse(exchange, added.error());
  audit::Event event = exchange.origin;
  event.target = added->user.name;
  event.new_value = text_of(*added->user.is) + (added->user.active ? "" : ", suspended");
  auto const json = json_of(added->user);
  auto response = scim_response(201, json);
  response.headers.push_back({"location", std::string(json.find("meta")->text_of("location"))});
  response.headers.push_back({"etag", std::string(json.find("meta")->text_of("version"))});
  return commit(exchange, added->pending, {std::move(event)}, std::move(response));
}

Released Pipeline::Scim::change_user(Exchange& exchange) {
  auto const body = scim_object_of(exchange.request.body);
  if (!body.has_value()) return refuse(exchange, body.error());
  MutexLock const turn(pipeline_.provisioning_);
  if (auto ended = refuse_who_ended(exchange)) return std::move(*ended);
  // Read again: what is changed is what is there when it is this request's turn.
  auto const before = provisioning_.user(exchange.route.version);
  if (!before.has_value()) return refuse(exchange, before.error());
  exchange.origin.target = before->name;
  if (auto const fits = check_version(exchange, before->is->version); !fits.has_value())
    return refuse(exchange, fits.error());
  Provisioning::Wanted const was{before->is->user_name, before->is->external_id, before->is->display_name,
                                 before->is->active};
  auto const wanted = exchange.request.method == "PUT" ? user_of(*body, was) : patched_user(*body, was);
  if (!wanted.has_value()) return refuse(exchange, wanted.error());
  auto changed = provisioning_.change(before->id, *wanted);
  if (!changed.has_value()) return refuse(exchange, changed.error());
  auto const& after = changed->effects.empty() ? *before : changed->effects.front().after;
  auto const json = json_of(after);
  auto response = scim_response(200, json);
  response.headers.push_back({"etag", std::string(json.find("meta")->text_of("version"))});
  return commit(exchange, changed->pending, events_of(exchange.origin, {*before, after}),
                std::move(response));
}

Released Pipeline::Scim::remove_user(Exchange& exchange) {
  MutexLock const turn(pipeline_.provisioning_);
  if (auto ended = refuse_who_ended(exchange)) return std::move(*ended);
  auto const before = provisioning_.user(exchange.route.version);
  if (!before.has_value()) return refuse(exchange, before.error());
  exchange.origin.target = before->name;
  if (auto const fits = check_version(exchange, before->is->version); !fits.has_value())
    return refuse(exchange, fits.error());
  auto removed = provisioning_.remove(before->id);
  if (!removed.has_value()) return refuse(exchange, removed.error());
  net::Response response;
  response.status = 204;
  return commit(exchange, removed->pending, events_of(exchange.origin, removed->effects.front()),
                std::move(response));
}

}  // namespace tacenda::api
