#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "core/error.hpp"
#include "core/limits.hpp"
#include "core/secret.hpp"
#include "net/http.hpp"

namespace tacenda::net {

/// TLS of one listener. Certificate and key are PEM.
struct TlsOptions {
  std::string certificate_chain_pem;
  SecretBuffer private_key_pem;
  bool allow_tls12 = false;  // then AEAD suites with forward secrecy only
  enum class ClientCertificate : std::uint8_t { kNone, kOptional, kRequired };
  ClientCertificate client_certificate = ClientCertificate::kNone;
  std::string client_ca_pem;  // trust anchors for client certificates
};

/// Limits of one listener; defaults are those of core/limits.hpp.
struct Limits {
  std::size_t header_bytes = limits::kHeaderBytes;
  std::size_t header_fields = limits::kHeaderFields;
  std::size_t uri_bytes = limits::kUriBytes;
  std::size_t body_bytes = limits::kBodyBytes;
  std::size_t body_bytes_in_flight = limits::kBodyBytesInFlight;
  std::chrono::milliseconds header_time = limits::kHeaderTime;
  std::chrono::milliseconds body_time = limits::kBodyTime;
  std::chrono::milliseconds idle_time = limits::kIdleTime;
  std::size_t connections = limits::kConnections;
  std::size_t connections_per_address = limits::kConnectionsPerAddress;
  std::uint32_t http2_streams = limits::kHttp2Streams;
};

/// HTTP server: HTTP/1.1 and HTTP/2 over TLS 1.3 (ALPN), HTTP/1.1 over a unix socket.
///
/// Owner: main. `start` once per listener, then `stop`. Thread-safe.
/// Source: RFC 9110, 9112, 9113, 8446.
class Server {
 public:
  struct Options {
    std::size_t io_threads = 2;
    std::size_t workers = limits::kWorkers;
    std::size_t queue = limits::kWorkQueue;  // requests waiting for a worker; beyond it 503 with Retry-After
  };

  static std::unique_ptr<Server> create(Options const& options);
  virtual ~Server() = default;

  /// Listens on `address` ("127.0.0.1", "::") and `port` (0: any free one) with TLS.
  /// Returns the port. Errors: kInvalid (address, certificate), kUnavailable (in use, no permission).
  virtual Result<std::uint16_t> listen_tls(std::string const& address, std::uint16_t port, TlsOptions tls,
                                           Limits const& limits, Handlers handlers) = 0;

  /// Listens on a unix socket at `path`, mode 0600; a stale socket file is replaced, one that answers is not.
  virtual Result<void> listen_unix(std::string const& path, Limits const& limits, Handlers handlers) = 0;

  /// Swaps certificate and key of the TLS listener on `port` for new connections.
  virtual Result<void> renew_tls(std::uint16_t port, TlsOptions tls) = 0;

  /// Stops accepting, lets running requests finish for up to `grace`, then closes everything and joins
  /// all threads.
  virtual void stop(std::chrono::milliseconds grace = limits::kShutdownTime) = 0;
};

}  // namespace tacenda::net
