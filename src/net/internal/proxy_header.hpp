#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/limits.hpp"

namespace tacenda::net {

/// How many more bytes may be read without reading beyond the PROXY header that starts with `so_far`; 0 when
/// it is complete. Behind it TLS begins, which must find all of its own bytes.
/// Errors: kInvalid (what came is no such header, or longer than limits::kProxyHeaderBytes).
Result<std::size_t> missing_of_proxy_header(std::string_view so_far);

/// Whom a complete header names as the client; empty when it names nobody (LOCAL, UNKNOWN: the proxy asks for
/// itself). Version 1 is text, version 2 binary; its additional fields are not looked at. Errors: kInvalid.
/// Source: the PROXY protocol, versions 1 and 2, haproxy.org/download/2.9/doc/proxy-protocol.txt.
Result<std::string> client_of_proxy_header(std::string_view header);

}  // namespace tacenda::net
