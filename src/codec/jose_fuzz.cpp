// The outside bytes of private_key_jwt and of key sets; the first byte chooses which.
#include "codec/jose.hpp"

#include <cstddef>
#include <cstdint>

#include "codec/scope.hpp"
#include "codec/text.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  auto const text = as_text(std::as_bytes(std::span(data + 1, size - 1)));
  if (data[0] % 3 == 0) {
    auto const jws = codec::parse_jws(text);
    if (!jws.has_value()) return 0;
    TACENDA_ASSERT(text.starts_with(jws->signed_text) && !jws->algorithm().empty());
    TACENDA_ASSERT(std::string(jws->signed_text) + "." + codec::base64url_encode(jws->signature) == text);
  } else if (data[0] % 3 == 1) {
    auto const keys = codec::parse_jwks(text);
    TACENDA_ASSERT(!keys.has_value() || keys->size() <= codec::kJwksKeysMax);
  } else {
    auto const scopes = codec::parse_scopes(text);
    if (!scopes.has_value()) return 0;
    auto const again = codec::parse_scopes(codec::write_scopes(*scopes));
    TACENDA_ASSERT(again.has_value() && *again == *scopes);
  }
  return 0;
}
