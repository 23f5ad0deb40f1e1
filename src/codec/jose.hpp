#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/bytes.hpp"

namespace tacenda::codec {

inline constexpr std::size_t kJwsBytesMax = 16 * 1024;
inline constexpr std::size_t kJwksBytesMax = 64 * 1024;
inline constexpr std::size_t kJwksKeysMax = 32;

/// A JSON Web Signature in its compact form, taken apart and not verified: nothing in it is true yet.
/// Source: RFC 7515 sections 4 and 7.1.
struct Jws {
  Json header;                   // a protected header: an object
  std::string_view signed_text;  // header and payload as they were signed; a view of what was parsed
  Bytes payload;
  Bytes signature;

  std::string_view algorithm() const { return header.text_of("alg"); }
  std::string_view key_id() const { return header.text_of("kid"); }
};

/// `text` outlives the result. Errors: kInvalid (not three parts of base64url; a header that is no object,
/// has a member twice, or whose alg, kid or typ is no text; a `crit`, which names what must be understood: we
/// understand none; `b64`), kTooLarge.
Result<Jws> parse_jws(std::string_view text);

/// `header` and `payload` in the compact form, without the dot and the signature: what is to be signed.
std::string jws_signing_input(Json const& header, ByteView payload);

/// A public JSON Web Key of RFC 7518 section 6, not yet a key. Private members are refused: whoever sends
/// them has given his key away.
struct Jwk {
  enum class Kind : std::uint8_t { kRsa, kEc };
  Kind kind = Kind::kRsa;
  std::string key_id;
  std::string algorithm;  // empty: it names none
  Bytes modulus;          // kRsa
  Bytes exponent;
  std::string curve;  // kEc: "P-256"
  Bytes x;
  Bytes y;
};

/// The signature keys of a set, in their order. What we cannot use is left out, as RFC 7517 section 5 wants
/// it: a key of another type, curve or use, or whose members are missing or not of their form. Errors:
/// kInvalid (not a set; a member twice; a private or symmetric key), kTooLarge.
Result<std::vector<Jwk>> parse_jwks(std::string_view text);

/// RFC 7638: the members that make an RSA key, to be hashed into its thumbprint.
std::string rsa_thumbprint_input(ByteView modulus, ByteView exponent);

}  // namespace tacenda::codec
