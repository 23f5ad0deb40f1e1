// /auth/applications: what people allowed applications, and its end.
#include "api/internal/auth_json.hpp"
#include "api/internal/oauth.hpp"
#include "codec/text.hpp"

namespace tacenda::api {

Released Pipeline::OAuth::applications(Exchange& exchange) {
  codec::Json list = codec::Json::array();
  for (auto const& grant : parts_.authorization.grants().of(exchange.principal->id())) {
    codec::Json item = codec::Json::object();
    auto const client = parts_.authorization.clients().find(grant->client);
    item.set("id", codec::Json::string(grant->id));
    item.set("client_id", codec::Json::string(grant->client));
    item.set("title", codec::Json::string(client ? client->title : grant->client));
    item.set("scope", codec::Json::string(codec::write_scopes(grant->scopes)));
    if (grant->patient) item.set("patient", codec::Json::string(*grant->patient));
    item.set("created", codec::Json::string(codec::format_instant(grant->created)));
    item.set("expires", codec::Json::string(codec::format_instant(grant->expires)));
    list.push(std::move(item));
  }
  codec::Json body = codec::Json::object();
  body.set("applications", std::move(list));
  return pipeline_.answer(exchange, exchange.origin, json_response(body));
}

Released Pipeline::OAuth::end_application(Exchange& exchange) {
  auto const grant = parts_.authorization.grants().find(exchange.route.version);
  if (!grant || grant->user != exchange.principal->id())
    return pipeline_.refuse(exchange,
                            Error(ErrorKind::kNotFound, "you have allowed no application such a thing"));
  exchange.origin.target = grant->client;
  exchange.origin.old_value = codec::write_scopes(grant->scopes);
  net::Response response;
  response.status = 204;
  return pipeline_.change_own(exchange, parts_.authorization.grants().end(grant->id), std::move(response));
}

}  // namespace tacenda::api
