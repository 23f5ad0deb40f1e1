#pragma once

#include "authorization/refusal.hpp"
#include "core/error.hpp"
#include "net/http.hpp"

namespace tacenda::api {

/// RFC 6749 section 5.2.
net::Response oauth_refusal(authorization::OAuthError error, Literal description);

}  // namespace tacenda::api
