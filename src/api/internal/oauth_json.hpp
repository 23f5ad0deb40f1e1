#pragma once

#include <string>

#include "authorization/refusal.hpp"
#include "core/error.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// JSON that no cache keeps (RFC 6749 section 5.1; `Cache-Control` is added with the other safety headers).
net::Response json_text_response(std::string json);

/// RFC 6749 section 5.2.
net::Response oauth_refusal(authorization::OAuthError error, Literal description);

}  // namespace tacenda::api
