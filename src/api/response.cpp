#include "api/response.hpp"

#include "api/capability.hpp"
#include "api/internal/auth_json.hpp"
#include "api/internal/format.hpp"
#include "api/internal/oauth_json.hpp"
#include "api/outcome.hpp"

namespace tacenda::api {
namespace {

/// A page may load its own script and style, call the server, and nothing else.
constexpr char kPagePolicy[] =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'";

}  // namespace

void add_safety_headers(net::Response& response) {
  response.headers.push_back({"cache-control", "no-store"});
  response.headers.push_back({"strict-transport-security", "max-age=63072000"});
  response.headers.push_back({"x-content-type-options", "nosniff"});
  response.headers.push_back({"content-security-policy", "default-src 'none'; frame-ancestors 'none'"});
  response.headers.push_back({"referrer-policy", "no-referrer"});
}

Released::Released(audit::Receipt const& receipt, net::Response response) : response_(std::move(response)) {
  response_.headers.push_back({"x-request-id", receipt.request_id()});
  add_safety_headers(response_);
}

Released::Released(Unrecorded reason, std::uint16_t status, fhir::Format format) {
  switch (reason) {
    case Unrecorded::kAuditUnavailable:
    case Unrecorded::kSealed:
      response_.status = 503;
      break;
    case Unrecorded::kNoSpace:
      response_.status = 507;
      break;
    case Unrecorded::kCounted:
    case Unrecorded::kUnparsable:
      response_.status = status;
      break;
    case Unrecorded::kPreflight:
      response_.status = 204;
      break;
    case Unrecorded::kHealthy:
      response_.status = 200;
      break;
  }
  if (response_.status >= 400) {
    response_.body = outcome_json(response_.status);
    response_.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
    put_into(format, response_);
  }
  if (response_.status == 401) response_.headers.push_back({"www-authenticate", "Bearer realm=\"tacenda\""});
  if (response_.status == 503 || response_.status == 507) response_.headers.push_back({"retry-after", "5"});
  if (response_.status == 429) response_.headers.push_back({"retry-after", "30"});
  response_.close = reason == Unrecorded::kUnparsable;
  add_safety_headers(response_);
}

Released::Released(PublicPage which) {
  auto const [content_type, body] = page(which);
  response_.status = 200;
  response_.body = body;
  response_.headers.push_back({"content-type", std::string(content_type)});
  add_safety_headers(response_);
  for (auto& [name, value] : response_.headers) {
    if (name == "content-security-policy") value = kPagePolicy;
  }
}

net::Response response_of(PublicChallenge const& offer) {
  codec::Json options = codec::Json::object();
  options.set("challenge", codec::Json::string(offer.challenge));
  options.set("rpId", codec::Json::string(offer.relying_party));
  options.set("timeout", codec::Json::number(kPasskeyTimeoutMs));
  options.set("userVerification", codec::Json::string("required"));
  options.set("allowCredentials", codec::Json::array());
  return json_response(options);
}

Released::Released(PublicChallenge const& offer) : response_(response_of(offer)) {
  add_safety_headers(response_);
}

net::Response response_of(PublicSignIn const& begun) {
  codec::Json body = codec::Json::object();
  body.set("url", codec::Json::string(begun.url));
  body.set("browser", codec::Json::string(begun.browser));
  return json_response(body);
}

Released::Released(PublicSignIn const& begun) : response_(response_of(begun)) {
  add_safety_headers(response_);
}

Released::Released(PublicStatement const& statement) {
  response_.status = 200;
  response_.body = capability_statement(statement.addresses, "", kCapabilityDate);
  response_.headers.push_back({"content-type", "application/fhir+json; charset=utf-8"});
  put_into(statement.format, response_);
  add_safety_headers(response_);
}

Released::Released(HtmlPage counted) {
  response_.status = counted.status;
  response_.body = std::move(counted.html);
  response_.headers = std::move(counted.headers);
  response_.headers.push_back({"content-type", "text/html; charset=utf-8"});
  add_safety_headers(response_);
  for (auto& [name, value] : response_.headers) {
    if (name != "content-security-policy") continue;
    value =
        "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'self'";
    if (counted.runs_script) value.insert(0, "script-src 'self'; ");
    if (!counted.form_target.empty()) value.append(" ").append(counted.form_target);
  }
}

Released::Released(audit::Receipt const& receipt, HtmlPage page) : Released(std::move(page)) {
  response_.headers.push_back({"x-request-id", receipt.request_id()});
}

Released::Released(PublicDiscovery const& discovery) {
  response_ = json_text_response(discovery.json);
  add_safety_headers(response_);
}

Released::Released(authorization::OAuthError counted) {
  response_ = oauth_refusal(counted, "the request was refused");
  add_safety_headers(response_);
}

void Released::permit_origin(std::string_view origin) {
  response_.headers.push_back({"access-control-allow-origin", std::string(origin)});
  if (origin != "*") response_.headers.push_back({"vary", "origin"});
  if (response_.status == 204 && response_.body.empty()) {
    response_.headers.push_back({"access-control-allow-methods", "GET, HEAD, POST, PUT, PATCH, DELETE"});
    response_.headers.push_back({"access-control-allow-headers",
                                 "authorization, content-type, accept, prefer, if-match, if-none-match, "
                                 "if-modified-since, if-none-exist, x-request-id, x-purpose-of-use"});
    response_.headers.push_back({"access-control-max-age", "600"});
  }
  response_.headers.push_back({"access-control-expose-headers",
                               "etag, last-modified, location, content-location, x-request-id, retry-after"});
}

}  // namespace tacenda::api
