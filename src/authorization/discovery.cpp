#include "authorization/discovery.hpp"

#include <initializer_list>

#include "codec/json.hpp"

namespace tacenda::authorization {
namespace {

using codec::Json;

Json texts(std::initializer_list<std::string_view> values) {
  Json list = Json::array();
  for (auto const value : values) list.push(Json::string(value));
  return list;
}

/// What both documents say: endpoints, and what they take.
Json common(std::string const& base, bool takes_certificates) {
  Json json = Json::object();
  json.set("issuer", Json::string(base));
  json.set("jwks_uri", Json::string(base + "/oauth/jwks"));
  json.set("authorization_endpoint", Json::string(base + "/oauth/authorize"));
  json.set("token_endpoint", Json::string(base + "/oauth/token"));
  json.set("revocation_endpoint", Json::string(base + "/oauth/revoke"));
  json.set("introspection_endpoint", Json::string(base + "/oauth/introspect"));
  json.set("grant_types_supported", texts({"authorization_code", "refresh_token", "client_credentials"}));
  json.set("response_types_supported", texts({"code"}));
  json.set("scopes_supported",
           texts({"openid", "fhirUser", "launch", "launch/patient", "launch/encounter", "offline_access",
                  "online_access", "patient/*.cruds", "user/*.cruds", "system/*.cruds"}));
  json.set("token_endpoint_auth_methods_supported",
           takes_certificates ? texts({"private_key_jwt", "self_signed_tls_client_auth", "none"})
                              : texts({"private_key_jwt", "none"}));
  // RFC 8705 section 3.3.
  json.set("tls_client_certificate_bound_access_tokens", Json::boolean(takes_certificates));
  json.set("token_endpoint_auth_signing_alg_values_supported", texts({"RS384", "ES384"}));
  json.set("code_challenge_methods_supported", texts({"S256"}));
  json.set("authorization_response_iss_parameter_supported", Json::boolean(true));
  return json;
}

}  // namespace

std::string smart_configuration(std::string_view origin, bool takes_certificates) {
  auto json = common(std::string(origin), takes_certificates);
  json.set("capabilities",
           texts({"launch-ehr", "launch-standalone", "authorize-post", "sso-openid-connect", "client-public",
                  "client-confidential-asymmetric", "context-ehr-patient", "context-ehr-encounter",
                  "context-banner", "context-standalone-patient", "context-standalone-encounter",
                  "permission-offline", "permission-online", "permission-patient", "permission-user",
                  "permission-v1", "permission-v2"}));
  return codec::write_json(json);
}

std::string openid_configuration(std::string_view origin, bool takes_certificates) {
  auto json = common(std::string(origin), takes_certificates);
  json.set("subject_types_supported", texts({"public"}));
  json.set("id_token_signing_alg_values_supported", texts({"RS256"}));
  json.set("claims_supported", texts({"iss", "sub", "aud", "exp", "iat", "auth_time", "nonce", "fhirUser"}));
  return codec::write_json(json);
}

}  // namespace tacenda::authorization
