#include "api/internal/oauth_json.hpp"

#include "api/internal/auth_json.hpp"

namespace tacenda::api {
namespace {

std::uint16_t status_of(authorization::OAuthError error) {
  switch (error) {
    case authorization::OAuthError::kInvalidClient:
      return 401;
    case authorization::OAuthError::kAccessDenied:
      return 403;
    case authorization::OAuthError::kServerError:
      return 500;
    case authorization::OAuthError::kTemporarilyUnavailable:
      return 503;
    default:
      return 400;
  }
}

}  // namespace

net::Response oauth_refusal(authorization::OAuthError error, Literal description) {
  codec::Json json = codec::Json::object();
  json.set("error", codec::Json::string(authorization::code_of(error)));
  json.set("error_description", codec::Json::string(description.view()));
  auto response = json_response(json);
  response.status = status_of(error);
  if (response.status == 401) response.headers.push_back({"www-authenticate", "Bearer realm=\"tacenda\""});
  if (response.status == 503) response.headers.push_back({"retry-after", "30"});
  return response;
}

}  // namespace tacenda::api
