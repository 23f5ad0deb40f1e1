#pragma once

#include <string>
#include <string_view>

namespace tacenda::authorization {

/// What `<FHIR base>/.well-known/smart-configuration` says of a server under `origin`; `takes_certificates`:
/// its connections may show a client certificate. Source: SMART App Launch 2.2, conformance.html.
std::string smart_configuration(std::string_view origin, bool takes_certificates);

/// `/.well-known/openid-configuration`. Source: OpenID Connect Discovery 1.0 section 3; RFC 8414.
std::string openid_configuration(std::string_view origin, bool takes_certificates);

}  // namespace tacenda::authorization
