#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http.hpp"
#include "net/internal/budget.hpp"
#include "net/internal/incoming_body.hpp"

namespace tacenda::net {

/// What an HTTP session asks of whoever carries its bytes: the connection, or a test. All on one thread.
class SessionHost {
 public:
  virtual ~SessionHost() = default;

  /// The largest body that the request with this head may have.
  virtual std::size_t body_limit(Request const& head) = 0;
  virtual Budget& body_budget() = 0;
  /// Hands a complete request to the workers; its answer comes back through Session::respond with the
  /// same `stream`. Returns false when the queue is full; then no answer comes.
  virtual bool dispatch(std::uint32_t stream, Request&& request, Reservation&& body) = 0;
  /// Has a worker make the next piece of an answer, which comes back through Session::supply with the same
  /// `stream`. Returns false when the queue is full; then no piece comes.
  virtual bool pull(std::uint32_t stream, std::unique_ptr<BodySource>&& source) = 0;
  /// Is the body of the request with this head taken while it comes?
  virtual bool takes_body(Request const& head) = 0;
  /// Has a worker begin such a request; what comes of it comes back through Session::taken with the same
  /// `stream`. Returns false when the queue is full; then nothing comes.
  virtual bool begin(std::uint32_t stream, Request&& head) = 0;
  /// Has a worker hand the next piece of a body to its sink. Comes back like `begin`.
  virtual bool take(std::uint32_t stream, BodyStep&& step) = 0;
  /// The answer to a request that net itself refuses.
  virtual Response refuse(std::uint16_t status) = 0;
  virtual void failed(ConnectionFailure failure) = 0;
  virtual std::string_view date() = 0;  // value of the Date field
  virtual Peer const& peer() const = 0;
  virtual TimePoint now() const = 0;
};

/// One HTTP conversation without I/O: bytes in, requests out, responses in, bytes out. Bounded memory
/// whatever comes in.
class Session {
 public:
  virtual ~Session() = default;

  /// Takes bytes that arrived. Must not be called while `wants_read` is false.
  virtual void receive(std::string_view bytes) = 0;
  /// The peer will send no more.
  virtual void receive_end() = 0;
  virtual bool wants_read() const = 0;

  /// The answer to a dispatched request; one for a stream that is gone is dropped.
  virtual void respond(std::uint32_t stream, Response&& response) = 0;
  /// A piece that was pulled, and what gives the next; one for a stream that is gone is dropped.
  virtual void supply(std::uint32_t stream, std::unique_ptr<BodySource>&& source,
                      Result<std::string>&& piece) = 0;
  /// What came of a step of a body that is taken while it comes: the answer, or the sink, which takes more.
  /// One for a stream that is gone is dropped.
  virtual void taken(std::uint32_t stream, Uptake&& uptake) = 0;

  /// The next bytes to send; empty when there are none now. Valid until the next call of any function.
  virtual std::string_view output() = 0;
  /// The first `bytes` of `output` were sent.
  virtual void sent(std::size_t bytes) = 0;

  /// Nothing will come in or go out any more, once `output` is empty.
  virtual bool is_finished() const = 0;
  /// Finishes what runs, takes nothing new. For the end of the server.
  virtual void drain() = 0;

  /// When `expire` is to be called, if nothing happens before; nullopt while a worker has the request.
  virtual std::optional<TimePoint> deadline() const = 0;
  /// The deadline passed. Returns false when the connection must be dropped without a further byte.
  virtual bool expire() = 0;
};

}  // namespace tacenda::net
