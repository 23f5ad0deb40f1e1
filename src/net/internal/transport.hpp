#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "net/internal/tls_context.hpp"

namespace tacenda::net {

/// A non-blocking socket, with TLS or without. It says what to wait for and never waits itself.
///
/// TLS reads and writes the socket directly (no pair of memory BIOs, no stream object with buffers), so an
/// idle connection holds no buffer at all.
class Transport {
 public:
  enum class Status : std::uint8_t { kDone, kWantRead, kWantWrite, kEnded, kFailed, kBadCertificate };
  struct Outcome {
    Status status;
    std::size_t bytes;
  };

  /// `fd` stays the caller's and must outlive this. `tls` null: plain bytes.
  Transport(int fd, Tls tls) : fd_(fd), tls_(std::move(tls)) {}

  bool is_tls() const { return tls_ != nullptr; }
  ssl_st* tls() const { return tls_.get(); }

  /// Goes on with the TLS handshake; kBadCertificate when the client's certificate is missing or not trusted.
  Status handshake();
  Outcome read(std::span<char> into);
  Outcome write(std::string_view bytes);
  /// Reads the socket itself, before TLS begins on it.
  Outcome read_raw(std::span<char> into);
  /// Are received bytes waiting inside TLS, which the socket will not announce again?
  bool has_buffered() const;
  /// Ends our direction: TLS close_notify, then FIN.
  void end();
  /// Takes and forgets whatever arrives after `end`.
  Outcome discard(std::span<char> scratch);

 private:
  Status status_of(int result) const;

  int const fd_;
  Tls tls_;
};

}  // namespace tacenda::net
