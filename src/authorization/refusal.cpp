#include "authorization/refusal.hpp"

namespace tacenda::authorization {

std::string_view code_of(OAuthError error) {
  switch (error) {
    case OAuthError::kInvalidRequest:
      return "invalid_request";
    case OAuthError::kInvalidClient:
      return "invalid_client";
    case OAuthError::kInvalidGrant:
      return "invalid_grant";
    case OAuthError::kUnauthorizedClient:
      return "unauthorized_client";
    case OAuthError::kUnsupportedGrantType:
      return "unsupported_grant_type";
    case OAuthError::kInvalidScope:
      return "invalid_scope";
    case OAuthError::kAccessDenied:
      return "access_denied";
    case OAuthError::kUnsupportedResponseType:
      return "unsupported_response_type";
    case OAuthError::kServerError:
      return "server_error";
    case OAuthError::kTemporarilyUnavailable:
      return "temporarily_unavailable";
  }
  return "server_error";
}

}  // namespace tacenda::authorization
