#include "net/internal/transport.hpp"

#include <errno.h>
#include <sys/socket.h>

#include <algorithm>
#include <limits>

#include <openssl/err.h>
#include <openssl/ssl.h>

namespace tacenda::net {
namespace {

constexpr std::size_t kCallMax = std::numeric_limits<int>::max();

Transport::Status status_of_errno(Transport::Status would_block) {
  return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? would_block : Transport::Status::kFailed;
}

/// Empties OpenSSL's queue: a failed signature stands in it before the failed verification it caused.
bool is_certificate_error() {
  bool found = false;
  while (auto const error = ERR_get_error()) {
    int const reason = ERR_GET_REASON(error);
    found =
        found || (ERR_GET_LIB(error) == ERR_LIB_SSL && (reason == SSL_R_CERTIFICATE_VERIFY_FAILED ||
                                                        reason == SSL_R_PEER_DID_NOT_RETURN_A_CERTIFICATE));
  }
  return found;
}

}  // namespace

Transport::Status Transport::status_of(int result) const {
  switch (SSL_get_error(tls_.get(), result)) {
    case SSL_ERROR_WANT_READ:
      return Status::kWantRead;
    case SSL_ERROR_WANT_WRITE:
      return Status::kWantWrite;
    case SSL_ERROR_ZERO_RETURN:
      return Status::kEnded;
    default:
      break;
  }
  return is_certificate_error() ? Status::kBadCertificate : Status::kFailed;
}

Transport::Status Transport::handshake() {
  ERR_clear_error();
  int const result = SSL_do_handshake(tls_.get());
  return result == 1 ? Status::kDone : status_of(result);
}

Transport::Outcome Transport::read_raw(std::span<char> into) {
  auto const size = ::recv(fd_, into.data(), into.size(), 0);
  if (size > 0) return {Status::kDone, static_cast<std::size_t>(size)};
  return {size == 0 ? Status::kEnded : status_of_errno(Status::kWantRead), 0};
}

Transport::Outcome Transport::read(std::span<char> into) {
  if (!tls_) return read_raw(into);
  ERR_clear_error();
  int const size = SSL_read(tls_.get(), into.data(), static_cast<int>(std::min(into.size(), kCallMax)));
  if (size > 0) return {Status::kDone, static_cast<std::size_t>(size)};
  return {status_of(size), 0};
}

Transport::Outcome Transport::write(std::string_view bytes) {
  if (!tls_) {
    auto const size = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (size >= 0) return {Status::kDone, static_cast<std::size_t>(size)};
    return {status_of_errno(Status::kWantWrite), 0};
  }
  ERR_clear_error();
  int const size = SSL_write(tls_.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), kCallMax)));
  if (size > 0) return {Status::kDone, static_cast<std::size_t>(size)};
  return {status_of(size), 0};
}

bool Transport::has_buffered() const {
  return tls_ && SSL_has_pending(tls_.get()) == 1;
}

void Transport::end() {
  if (tls_) {
    ERR_clear_error();
    (void)SSL_shutdown(tls_.get());  // the FIN below says the same where close_notify cannot be sent any more
  }
  (void)::shutdown(fd_, SHUT_WR);  // fails only when the peer is gone already
}

Transport::Outcome Transport::discard(std::span<char> scratch) {
  return read_raw(scratch);
}

}  // namespace tacenda::net
