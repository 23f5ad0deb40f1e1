#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/mutex.hpp"
#include "net/server.hpp"

struct ssl_st;
struct ssl_ctx_st;

namespace tacenda::net::testing {

/// A certificate with its key, made for one test run. PEM.
struct Identity {
  std::string certificate_pem;
  std::string key_pem;
};

enum class Validity : std::uint8_t { kCurrent, kExpired };

/// Makes an authority that signs itself.
Identity make_authority(std::string const& name);
/// Makes a certificate for `name` (a DNS name and 127.0.0.1), signed by `issuer`.
Identity make_identity(std::string const& name, Identity const& issuer,
                       Validity validity = Validity::kCurrent);

/// SHA-256 of the DER of a certificate, by way of OpenSSL's PEM reader.
Digest digest_of(std::string const& certificate_pem);

/// A folder that is removed with the object.
class Folder {
 public:
  Folder();
  ~Folder();
  Folder(Folder const&) = delete;
  Folder& operator=(Folder const&) = delete;
  std::string operator/(std::string const& name) const { return (path_ / name).string(); }
  std::string write(std::string const& name, std::string const& text) const;

 private:
  std::filesystem::path path_;
};

/// A blocking client that sends what it is told and no more.
class RawClient {
 public:
  struct Options {
    int version_min = 0;  // of TLS; 0: OpenSSL's
    int version_max = 0;
    std::string suites;  // of TLS 1.2
    std::vector<std::string> protocols{"http/1.1"};
    Identity const* identity = nullptr;
    int receive_buffer = 0;       // SO_RCVBUF; 0: the system's
    std::string before_tls = {};  // sent in clear, as a proxy does
  };

  explicit RawClient(std::uint16_t port);                 // plain TCP
  RawClient(std::uint16_t port, Options const& options);  // TLS
  explicit RawClient(std::string const& unix_path);
  ~RawClient();
  RawClient(RawClient const&) = delete;
  RawClient& operator=(RawClient const&) = delete;

  bool is_connected() const { return is_connected_; }  // with TLS: the handshake is done, as far as we see
  bool send(std::string_view bytes);
  /// Reads until the peer closes; at most 10 s.
  std::string receive_all();
  /// Reads until `count` responses with their bodies are there, or the peer closes.
  std::string receive_responses(std::size_t count);
  /// Reads until `text` has come, or the peer closes.
  std::string receive_until(std::string_view text);
  bool is_closed_by_peer();  // waits for it, at most 10 s
  void close();
  std::string protocol() const;  // ALPN
  std::string version() const;   // "TLSv1.3"

 private:
  long read(char* into, std::size_t size);
  int fd_ = -1;
  bool is_connected_ = false;
  ssl_ctx_st* context_ = nullptr;
  ssl_st* tls_ = nullptr;
};

/// A server with one TLS listener on a free port, which remembers what it was told.
class TestServer {
 public:
  using Handle = std::function<Response(Request&&)>;

  explicit TestServer(Handle handle, Limits const& limits = {}, Server::Options const& options = {2, 4, 64},
                      TlsOptions tls = {});
  ~TestServer() { server->stop(std::chrono::milliseconds(0)); }

  Handlers handlers(Handle handle);
  std::vector<ConnectionFailure> failures();
  /// Waits until `failure` was reported; false after 10 s.
  bool has_failed_with(ConnectionFailure failure);

  std::unique_ptr<Server> server;
  std::uint16_t port = 0;
  std::function<bool(std::string_view)> accept;                          // set before the first connection
  std::function<std::optional<std::size_t>(Request const&)> body_limit;  // likewise
  std::function<bool(std::string_view)> sends_proxy_header;              // likewise

 private:
  Mutex mutex_;
  std::vector<ConnectionFailure> failures_ TACENDA_GUARDED_BY(mutex_);
};

/// The authority and the server certificate that all tests share.
Identity const& test_authority();
Identity const& test_identity();
/// Settings of a listener with `identity`.
TlsOptions tls_options(Identity const& identity = test_identity());

/// Answers 200 with the method, path and body of the request.
Response echo(Request&& request);

}  // namespace tacenda::net::testing
