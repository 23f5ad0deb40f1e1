#include "codec/jose.hpp"

#include <algorithm>
#include <array>

#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

constexpr std::size_t kDepth = 8;

Result<Json> object_of(std::string_view text, std::size_t size_max) {
  auto json = TACENDA_TRY(parse_json(text, {.depth = kDepth, .size_bytes = size_max, .values = 4'096}));
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "a JOSE object is no JSON object");
  return json;
}

bool is_text_or_absent(Json const& object, std::string_view name) {
  auto const* member = object.find(name);
  return member == nullptr || member->is_string();
}

/// Base64url of an unsigned number (RFC 7518 section 2); empty: it is none.
Bytes number_of(Json const& key, std::string_view name) {
  return base64url_decode(key.text_of(name)).value_or(Bytes());
}

/// Is this one for signatures? Section 4.2: a key's `use` and `key_ops` bind.
bool is_for_signatures(Json const& key) {
  if (auto const* use = key.find("use"); use != nullptr && (!use->is_string() || use->as_string() != "sig"))
    return false;
  auto const* operations = key.find("key_ops");
  if (operations == nullptr) return true;
  return std::ranges::any_of(operations->items(), [](Json const& operation) {
    return operation.is_string() && operation.as_string() == "verify";
  });
}

/// Has its owner given it away?
bool is_secret(Json const& key) {
  constexpr auto kPrivate = std::to_array<std::string_view>({"d", "p", "q", "dp", "dq", "qi", "oth", "k"});
  return std::ranges::any_of(kPrivate, [&](auto name) { return key.find(name) != nullptr; });
}

/// nullopt: a key that we have no use for.
std::optional<Jwk> jwk_of(Json const& json) {
  if (!json.is_object() || !is_text_or_absent(json, "kid") || !is_text_or_absent(json, "alg"))
    return std::nullopt;
  Jwk key;
  key.key_id = json.text_of("kid");
  key.algorithm = json.text_of("alg");
  if (!is_for_signatures(json)) return std::nullopt;
  if (json.text_of("kty") == "RSA") {
    key.kind = Jwk::Kind::kRsa;
    key.modulus = number_of(json, "n");
    key.exponent = number_of(json, "e");
    return key.modulus.empty() || key.exponent.empty() ? std::nullopt : std::optional(std::move(key));
  }
  if (json.text_of("kty") != "EC") return std::nullopt;
  key.kind = Jwk::Kind::kEc;
  key.curve = json.text_of("crv");
  if (key.curve != "P-256" && key.curve != "P-384") return std::nullopt;
  key.x = number_of(json, "x");
  key.y = number_of(json, "y");
  return key.x.empty() || key.y.empty() ? std::nullopt : std::optional(std::move(key));
}

}  // namespace

Result<Jws> parse_jws(std::string_view text) {
  if (text.size() > kJwsBytesMax) return fail(ErrorKind::kTooLarge, "a JWS is too long");
  auto const first = text.find('.');
  auto const second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos || text.find('.', second + 1) != std::string_view::npos)
    return fail(ErrorKind::kInvalid, "a JWS has three parts");
  Jws jws;
  jws.signed_text = text.substr(0, second);
  auto const header = TACENDA_TRY(base64url_decode(text.substr(0, first)));
  jws.header = TACENDA_TRY(object_of(as_text(header), kJwsBytesMax));
  jws.payload = TACENDA_TRY(base64url_decode(text.substr(first + 1, second - first - 1)));
  jws.signature = TACENDA_TRY(base64url_decode(text.substr(second + 1)));
  if (jws.algorithm().empty() || !is_text_or_absent(jws.header, "kid") ||
      !is_text_or_absent(jws.header, "typ"))
    return fail(ErrorKind::kInvalid, "alg, kid or typ of a JWS is missing or no text");
  if (jws.header.find("crit") != nullptr || jws.header.find("b64") != nullptr)
    return fail(ErrorKind::kInvalid, "a JWS demands an extension");
  return jws;
}

std::string jws_signing_input(Json const& header, ByteView payload) {
  return base64url_encode(as_bytes(write_json(header))) + "." + base64url_encode(payload);
}

Result<std::vector<Jwk>> parse_jwks(std::string_view text) {
  auto const set = TACENDA_TRY(object_of(text, kJwksBytesMax));
  auto const* keys = set.find("keys");
  if (keys == nullptr || !keys->is_array()) return fail(ErrorKind::kInvalid, "a set of keys has no keys");
  if (keys->items().size() > kJwksKeysMax) return fail(ErrorKind::kTooLarge, "a set has too many keys");
  std::vector<Jwk> known;
  for (auto const& item : keys->items()) {
    if (item.is_object() && is_secret(item))
      return fail(ErrorKind::kInvalid, "a set of public keys has a private or symmetric key in it");
    if (auto key = jwk_of(item)) known.push_back(std::move(*key));
  }
  return known;
}

std::string rsa_thumbprint_input(ByteView modulus, ByteView exponent) {
  return R"({"e":")" + base64url_encode(exponent) + R"(","kty":"RSA","n":")" + base64url_encode(modulus) +
         R"("})";
}

}  // namespace tacenda::codec
