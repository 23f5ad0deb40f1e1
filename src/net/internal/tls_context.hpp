#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "net/server.hpp"

struct ssl_st;  // SSL and SSL_CTX of OpenSSL, whose headers only the .cpp files include
struct ssl_ctx_st;

namespace tacenda::net {

struct TlsContextFree {
  void operator()(ssl_ctx_st* context) const;
};
using TlsContext = std::unique_ptr<ssl_ctx_st, TlsContextFree>;

struct TlsFree {
  void operator()(ssl_st* tls) const;
};
using Tls = std::unique_ptr<ssl_st, TlsFree>;

/// Makes the TLS settings of a listener: TLS 1.3 (1.2 by switch, with ephemeral keys and AEAD only), no
/// renegotiation, compression, early data or resumption. Resumption is off because a resumed session would
/// skip the check of the client certificate and weaken forward secrecy; a full handshake costs 0.2 ms.
/// Errors: kInvalid for a certificate, key or trust anchor that cannot be read, or a key of another
/// certificate.
Result<TlsContext> make_tls_context(TlsOptions const& options);

/// Makes the server's end of one TLS connection over the socket `fd`; nullptr when memory is short.
Tls make_tls(ssl_ctx_st& context, int fd);

/// SHA-256 of the DER of the verified certificate that the peer presented.
std::optional<Digest> peer_certificate_digest(ssl_st& tls);

/// Did both sides choose HTTP/2 (ALPN "h2")?
bool is_http2_chosen(ssl_st& tls);

}  // namespace tacenda::net
