// Administration of applications (OAuth clients).
#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "api/internal/auth_json.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using authorization::Client;
using codec::Json;

std::string_view name_of(Client::Kind kind) {
  switch (kind) {
    case Client::Kind::kService:
      return "service";
    case Client::Kind::kConfidential:
      return "confidential";
    case Client::Kind::kPublic:
      return "public";
  }
  return {};
}

Json keys_json(Client const& client) {
  Json keys = Json::array();
  for (auto const& key : client.keys) {
    Json item = Json::object();
    item.set("kid", Json::string(key.key_id));
    item.set("alg", Json::string(authorization::name_of(key.algorithm)));
    keys.push(std::move(item));
  }
  return keys;
}

Json client_json(Client const& client) {
  Json json = Json::object();
  json.set("client_id", Json::string(client.id));
  json.set("title", Json::string(client.title));
  json.set("kind", Json::string(name_of(client.kind)));
  json.set("enabled", Json::boolean(client.enabled));
  json.set("created", Json::string(codec::format_instant(client.created)));
  json.set("scope", Json::string(codec::write_scopes(client.scopes)));
  json.set("keys", keys_json(client));
  if (!client.jwks_url.empty()) json.set("jwks_url", Json::string(client.jwks_url));
  if (client.certificate) json.set("certificate", Json::string(codec::hex_encode(*client.certificate)));
  json.set("bound_tokens", Json::boolean(client.binds_tokens));
  json.set("redirect_uris", texts_json(client.redirect_uris));
  if (client.networks) json.set("networks", texts_json(*client.networks));
  return json;
}

/// What the log says of keys: their ids, or where they are.
std::string names_of_keys(Client const& client) {
  if (client.certificate) return "certificate " + codec::hex_encode(*client.certificate);
  return client.jwks_url.empty() ? authorization::names_of_keys(client.keys) : "keys at " + client.jwks_url;
}

authorization::Clients::KeySet keys_of(Json const& body) {
  return {std::string(body.text_of("jwks")), std::string(body.text_of("jwks_url")),
          std::string(body.text_of("certificate"))};
}

Client::Kind kind_of(Json const& body) {
  if (!body.text_of("role").empty()) return Client::Kind::kService;
  auto const keys = keys_of(body);
  bool const has_keys = !keys.jwks.empty() || !keys.url.empty() || !keys.certificate.empty();
  return has_keys ? Client::Kind::kConfidential : Client::Kind::kPublic;
}

}  // namespace

Released Admin::clients(Call& call) {
  Json list = Json::array();
  for (auto const& client : parts_.authorization.clients().all()) list.push(client_json(*client));
  Json json = Json::object();
  json.set("clients", std::move(list));
  return answer(call, codec::write_json(json));
}

Result<Admin::Plan> Admin::add_client(Call& call) {
  authorization::Clients::Registration registration;
  registration.id = call.body.text_of("client_id");
  registration.title = call.body.text_of("title");
  registration.role = call.body.text_of("role");
  registration.scopes = call.body.text_of("scope");
  registration.keys = keys_of(call.body);
  if (auto const* bound = call.body.find("bound_tokens"); bound != nullptr && bound->is_boolean())
    registration.binds_tokens = bound->as_boolean();
  registration.kind = kind_of(call.body);
  if (auto const* uris = call.body.find("redirect_uris"); uris != nullptr) {
    for (auto const& uri : uris->items())
      registration.redirect_uris.emplace_back(uri.is_string() ? uri.as_string() : "");
  }
  call.origin.target = registration.id;
  call.origin.new_value =
      registration.role.empty() ? registration.scopes : registration.role + ": " + registration.scopes;
  TACENDA_TRY_VOID(parts_.authorization.clients().check_new(registration));
  Plan plan;
  if (registration.kind == Client::Kind::kService) {
    auto const role = parts_.gate.role(registration.role);
    if (!role) return fail(ErrorKind::kInvalid, "the policy has no such role");
    if (role->own_record_only)
      return fail(ErrorKind::kInvalid, "an application that acts for itself is no patient");
    plan.entrusts = role->is_privileged();
  }
  Json json = Json::object();
  json.set("client_id", Json::string(registration.id));
  json.set("kind", Json::string(name_of(registration.kind)));
  json.set("token_endpoint", Json::string(parts_.authorization.token_endpoint()));
  plan.act = [this, registration = std::move(registration),
              json = codec::write_json(json)]() -> Result<Done> {
    return Done{TACENDA_TRY(parts_.authorization.clients().add(registration)), json};
  };
  return plan;
}

Released Admin::disable_client(Call& call) {
  std::string const id(call.body.text_of("client_id"));
  call.origin.target = id;
  auto pending = parts_.authorization.clients().disable(id);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Result<Admin::Plan> Admin::replace_client_keys(Call& call) {
  std::string id(call.body.text_of("client_id"));
  call.origin.target = id;
  auto& clients = parts_.authorization.clients();
  auto const before = clients.find(id);
  if (!before) return fail(ErrorKind::kNotFound, "there is no such application");
  call.origin.old_value = names_of_keys(*before);
  auto asked = keys_of(call.body);
  if (before->kind == Client::Kind::kPublic)
    return fail(ErrorKind::kForbidden, "a public application has no keys");
  call.origin.new_value = names_of_keys(TACENDA_TRY(authorization::Clients::with_keys(*before, asked)));
  Plan plan;
  if (before->account) {
    // Whoever has the keys has the role of its account, and every one that it is given later.
    auto const account = parts_.directory.find_user(id);
    plan.entrusts = true;
    plan.subject = before->account->view();
    plan.basis = account ? basis_of(*account) : std::string();
  }
  plan.act = [&clients, id = std::move(id), asked = std::move(asked)]() -> Result<Done> {
    return Done{TACENDA_TRY(clients.replace_keys(id, asked))};
  };
  return plan;
}

Result<Admin::Plan> Admin::restrict_client(Call& call) {
  std::string id(call.body.text_of("client_id"));
  call.origin.target = id;
  auto& clients = parts_.authorization.clients();
  auto const before = clients.find(id);
  if (!before || !before->enabled) return fail(ErrorKind::kNotFound, "there is no such application");
  auto networks = TACENDA_TRY(networks_of(call.body));
  call.origin.old_value = text_of(before->networks);
  call.origin.new_value = text_of(networks);
  // Whoever has caught its keys or tokens could use them from there.
  Plan plan{.entrusts = widens(before->networks, networks)};
  if (before->account) plan.subject = before->account->view();
  plan.act = [&clients, id = std::move(id), networks = std::move(networks)]() -> Result<Done> {
    return Done{TACENDA_TRY(clients.restrict_networks(id, networks))};
  };
  return plan;
}

}  // namespace tacenda::api
