#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace tacenda::net {

/// One field, name in lower case.
struct Header {
  std::string name;
  std::string value;
};

/// What is known of the other end of a connection.
struct Peer {
  std::string address;    // textual IP address; empty on the unix socket
  std::string forwarded;  // whom a PROXY header names that was expected from it; empty: none
  std::uint16_t port = 0;
  std::optional<std::uint32_t> uid;   // SO_PEERCRED; only on the unix socket
  std::optional<Digest> certificate;  // SHA-256 of the verified client certificate (DER)
  bool tls = false;
};

/// One HTTP request, whatever version brought it (1.1 or 2): already checked against RFC 9110, 9112 and
/// 9113 and within core/limits.hpp.
struct Request {
  std::string method;  // "GET"
  std::string path;    // still percent-encoded, starts with '/'; no query
  std::string query;   // without '?'
  std::vector<Header> headers;
  std::string body;
  Peer peer;
  std::string authority;  // Host or :authority

  /// First value of the field, nullopt when absent. `name` in lower case.
  std::optional<std::string_view> header(std::string_view name) const {
    for (auto const& field : headers) {
      if (field.name == name) return field.value;
    }
    return std::nullopt;
  }
};

/// What is left of a body that is made while it is sent: one piece at a time lies in memory.
///
/// Owner: the response. `next` is called on the worker pool, never twice at once, as the peer takes what was
/// there before; it may block. Destroyed on any thread, at any time: when the peer goes, the rest is not
/// asked for.
class BodySource {
 public:
  BodySource() = default;
  BodySource(BodySource const&) = delete;
  BodySource& operator=(BodySource const&) = delete;
  virtual ~BodySource() = default;
  /// The next piece, at least one byte. On an error the answer is cut off, which the peer can tell by its
  /// length.
  virtual Result<std::string> next() = 0;
};

struct Response {
  std::uint16_t status = 500;
  std::vector<Header> headers;  // without content-length, date and connection: net writes them
  std::string body;
  bool close = false;  // close the connection after it
  /// What comes behind `body`, and exactly how many bytes; nullptr: nothing.
  std::unique_ptr<BodySource> rest = nullptr;
  std::uint64_t rest_bytes = 0;
};

/// Takes the body of one request while it comes: one piece at a time lies in memory.
///
/// Owner: the request. `take` and `finish` are called on the worker pool, never two at once; they may block,
/// and the peer is held back meanwhile. Destroyed on any thread, at any time, also before `finish`: the peer
/// is gone, or was too slow. The destructor must be quick.
class BodySink {
 public:
  BodySink() = default;
  BodySink(BodySink const&) = delete;
  BodySink& operator=(BodySink const&) = delete;
  virtual ~BodySink() = default;
  /// The next bytes, at least one. An answer when no more are wanted: it is sent, and what still comes is
  /// dropped.
  virtual std::optional<Response> take(std::string piece) = 0;
  /// All of the body was taken. The answer to the request; nothing is called after it.
  virtual Response finish() = 0;
};

/// What a request whose body is taken while it comes begins with: an answer at once, or who takes the body.
using Uptake = std::variant<Response, std::unique_ptr<BodySink>>;

/// What a failed connection tells the audit log: no request was made of it.
enum class ConnectionFailure : std::uint8_t {
  kAddressRefused,
  kTlsHandshake,
  kClientCertificate,
  kMalformedRequest,
  kHeaderTooLarge,
  kTimeout,
};

/// What the server asks of its owner. All are called from many threads at once.
struct Handlers {
  /// Answers one request; runs on the worker pool and may block.
  std::function<Response(Request&&)> handle;
  /// Answers one request without keeping the worker until the answer is known; in the place of `handle` when
  /// set. `reply` must be called exactly once, on any thread, before the server has stopped.
  std::function<void(Request&&, std::move_only_function<void(Response)> reply)> answer;
  /// May this address connect? Called at accept, before TLS, on an I/O thread: must be quick (N-05).
  std::function<bool(std::string_view address)> accept;
  /// Must a connection from this address begin with a PROXY header? When not set, none does. Whom it names
  /// must pass `accept` too, and is told as Peer::forwarded. Called on an I/O thread: must be quick.
  std::function<bool(std::string_view address)> sends_proxy_header;
  /// How large a body this request may have, from its line and header fields alone; nullopt: the default.
  /// Called on an I/O thread before any byte of the body is read: must be quick.
  std::function<std::optional<std::size_t>(Request const& head)> body_limit;
  /// Is the body of this request taken while it comes? By its line and header fields alone; `body_limit`
  /// holds. When not set, none is. Called on an I/O thread: must be quick.
  std::function<bool(Request const& head)> takes_body;
  /// Begins such a request, before a byte of its body is asked for: `Expect: 100-continue` is granted when it
  /// gives a sink. In the place of `handle` and `answer`, on the worker pool; may block.
  std::function<Uptake(Request&& head)> begin;
  /// Told of connections that ended without a request. Called on an I/O thread: must be quick.
  std::function<void(ConnectionFailure, std::string_view address)> failed;
  /// The answer to a request that net itself refuses (400, 408, 413, 414, 431, 503, 505).
  std::function<Response(std::uint16_t status)> refuse;
};

}  // namespace tacenda::net
