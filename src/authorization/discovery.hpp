#pragma once

#include <string>
#include <string_view>

namespace tacenda::authorization {

/// What `<FHIR base>/.well-known/smart-configuration` says of a server under `origin`. Source: SMART App
/// Launch 2.2, conformance.html.
std::string smart_configuration(std::string_view origin);

/// `/.well-known/openid-configuration`. Source: OpenID Connect Discovery 1.0 section 3; RFC 8414.
std::string openid_configuration(std::string_view origin);

}  // namespace tacenda::authorization
