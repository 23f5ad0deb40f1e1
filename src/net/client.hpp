#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/ip_address.hpp"
#include "core/limits.hpp"
#include "net/http.hpp"

namespace tacenda::net {

/// HTTP client (over libcurl): a verified TLS peer, or a unix socket.
///
/// Owner: one thread per Client; keeps its connection alive between calls.
class Client {
 public:
  struct Options {
    std::string ca_file;      // trust anchors, PEM; empty: the system's
    std::string unix_socket;  // when set, all requests go there, as HTTP
    std::chrono::milliseconds timeout{120'000};
    bool http2 = true;
    /// May an address be connected to? Asked of each that is, after its name was resolved: what a name server
    /// says in between changes nothing. When not set, all may.
    std::function<bool(IpAddress const&)> may_connect;
    std::size_t response_bytes = limits::kBundleBodyBytes;  // of a body; a larger one fails the call
  };

  static Result<std::unique_ptr<Client>> create(Options options);
  virtual ~Client() = default;

  /// Sends one request and waits for the whole answer.
  /// `url` is absolute ("https://host:8443/fhir/Patient"; "http://admin/..." over the unix socket).
  /// Redirects are not followed, no proxy is used.
  /// Errors: kUnavailable (refused, timed out, TLS peer not verified; the message tells which), kTooLarge,
  /// kForbidden (an address that may not be connected to), kInvalid (not a URL, or not https where there is
  /// no unix socket; a header that breaks the grammar).
  virtual Result<Response> send(std::string const& method, std::string const& url,
                                std::vector<Header> const& headers, std::string_view body) = 0;
};

}  // namespace tacenda::net
