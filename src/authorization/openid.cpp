#include "authorization/openid.hpp"

#include "codec/jose.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {
namespace {

using codec::Json;

constexpr std::string_view kKey = "openid-signing-key";

Json seconds_of(Time time) {
  return Json::number(static_cast<std::int64_t>(to_unix_ms(time) / 1'000));
}

}  // namespace

Result<OpenId> OpenId::open(vault::Vault& vault) {
  auto const kept = vault.kept_secret(kKey);
  if (kept.has_value()) return OpenId(TACENDA_TRY(crypto::RsaSigner::parse(*kept)));
  if (kept.error().kind() != ErrorKind::kNotFound) return std::unexpected(kept.error());
  auto signer = TACENDA_TRY(crypto::RsaSigner::generate());
  TACENDA_TRY_VOID(vault.keep_secret(kKey, signer.der()));
  return OpenId(std::move(signer));
}

OpenId::OpenId(crypto::RsaSigner signer) : signer_(std::move(signer)) {
  auto const modulus = signer_.modulus();
  auto const exponent = signer_.exponent();
  key_id_ = codec::base64url_encode(crypto::sha256(as_bytes(codec::rsa_thumbprint_input(modulus, exponent))));
  Json key = Json::object();
  key.set("kty", Json::string("RSA"));
  key.set("use", Json::string("sig"));
  key.set("alg", Json::string("RS256"));
  key.set("kid", Json::string(key_id_));
  key.set("n", Json::string(codec::base64url_encode(modulus)));
  key.set("e", Json::string(codec::base64url_encode(exponent)));
  Json keys = Json::array();
  keys.push(std::move(key));
  Json set = Json::object();
  set.set("keys", std::move(keys));
  jwks_ = codec::write_json(set);
}

Result<std::string> OpenId::id_token(Identity const& identity) const {
  Json header = Json::object();
  header.set("alg", Json::string("RS256"));
  header.set("typ", Json::string("JWT"));
  header.set("kid", Json::string(key_id_));
  Json claims = Json::object();
  claims.set("iss", Json::string(identity.issuer));
  claims.set("sub", Json::string(identity.user));
  claims.set("aud", Json::string(identity.client));
  claims.set("iat", seconds_of(identity.now));
  claims.set("exp", seconds_of(identity.now + limits::kPersonAccess));
  claims.set("auth_time", seconds_of(identity.signed_in));
  if (!identity.nonce.empty()) claims.set("nonce", Json::string(identity.nonce));
  if (identity.fhir_user) claims.set("fhirUser", Json::string(*identity.fhir_user));
  auto text = codec::jws_signing_input(header, as_bytes(codec::write_json(claims)));
  auto const signature = TACENDA_TRY(signer_.sign(as_bytes(text)));
  return text.append(".").append(codec::base64url_encode(signature));
}

}  // namespace tacenda::authorization
