#include "identity/id_token.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

namespace tacenda::identity {
namespace {

using codec::Json;
using crypto::WebAlgorithm;

constexpr std::chrono::seconds kSkew{60};              // between two clocks
constexpr std::chrono::seconds kTokenAge{600};         // an id_token is shown when it was made
constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the year 9999
constexpr std::size_t kSubjectBytes = 255;             // OpenID Connect Core section 2

struct Name {
  std::string_view text;
  WebAlgorithm algorithm;
};
constexpr auto kAlgorithms = std::to_array<Name>({{"RS256", WebAlgorithm::kRs256},
                                                  {"RS384", WebAlgorithm::kRs384},
                                                  {"ES256", WebAlgorithm::kEs256},
                                                  {"ES384", WebAlgorithm::kEs384}});

std::optional<WebAlgorithm> algorithm_of(std::string_view text) {
  auto const* found = std::ranges::find(kAlgorithms, text, &Name::text);
  return found == kAlgorithms.end() ? std::nullopt : std::optional(found->algorithm);
}

Result<crypto::WebPublicKey> public_key_of(codec::Jwk const& jwk) {
  if (jwk.kind == codec::Jwk::Kind::kRsa) return crypto::WebPublicKey::rsa(jwk.modulus, jwk.exponent);
  return crypto::WebPublicKey::ec(jwk.curve == "P-256" ? crypto::Curve::kP256 : crypto::Curve::kP384, jwk.x,
                                  jwk.y);
}

std::unexpected<Error> refused(Literal message) {
  return fail(ErrorKind::kUnauthenticated, message);
}

/// NumericDate of RFC 7519 section 2. nullopt: it is not there, or none.
std::optional<Time> time_of(Json const& claims, std::string_view name) {
  auto const* claim = claims.find(name);
  if (claim == nullptr || !claim->is_number()) return std::nullopt;
  auto text = claim->number_text();
  text = text.substr(0, text.find('.'));  // fractions of a second are cut off
  std::int64_t seconds = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 0 || seconds > kSecondsMax)
    return std::nullopt;
  return from_unix_ms(static_cast<std::uint64_t>(seconds) * 1'000);
}

/// For this client and for nobody else: what others are given as well, one of them could show here.
bool is_for(Json const& claims, std::string_view client_id) {
  auto const* claim = claims.find("aud");
  if (claim == nullptr) return false;
  if (claim->is_string()) return claim->as_string() == client_id;
  auto const& items = claim->items();
  return claim->is_array() && items.size() == 1 && items.front().is_string() &&
         items.front().as_string() == client_id;
}

Result<void> check_claims(Json const& claims, IdTokenRules const& rules) {
  if (claims.text_of("iss") != rules.issuer) return refused("the id_token is another issuer's");
  if (!is_for(claims, rules.client_id))
    return refused("the id_token is not for this server, or not for it alone");
  auto const* party = claims.find("azp");
  if (party != nullptr && (!party->is_string() || party->as_string() != rules.client_id))
    return refused("the id_token was made for another client");
  auto const* nonce = claims.find("nonce");
  if (nonce == nullptr || !nonce->is_string() || nonce->as_string() != rules.nonce)
    return refused("the id_token is of another sign-in: its nonce is not ours");
  auto const expires = time_of(claims, "exp");
  if (!expires || *expires + kSkew <= rules.now) return refused("the id_token has expired");
  auto const issued = time_of(claims, "iat");
  if (!issued || *issued > rules.now + kSkew || *issued + kTokenAge < rules.now)
    return refused("the id_token was not made now");
  return {};
}

}  // namespace

bool is_subject(std::string_view text) {
  return !text.empty() && text.size() <= kSubjectBytes &&
         std::ranges::none_of(text, [](unsigned char c) { return c < 0x20 || c == 0x7F; });
}

Result<std::vector<ProviderKey>> provider_keys(std::string_view jwks) {
  std::vector<ProviderKey> keys;
  for (auto const& jwk : TACENDA_TRY(codec::parse_jwks(jwks))) {
    auto key = public_key_of(jwk);
    auto const algorithm = algorithm_of(jwk.algorithm);
    if (!key.has_value() || (!jwk.algorithm.empty() && !algorithm)) continue;
    keys.push_back({jwk.key_id, algorithm, std::move(*key)});
  }
  return keys;
}

Result<void> check_signature(codec::Jws const& jws, std::span<ProviderKey const> keys) {
  auto const algorithm = algorithm_of(jws.algorithm());
  if (!algorithm) return refused("the id_token is signed by no algorithm that is taken");
  ProviderKey const* chosen = nullptr;
  for (auto const& key : keys) {
    bool const is_named = jws.key_id().empty() || key.key_id == jws.key_id();
    if (!is_named || !key.key.fits(*algorithm) || (key.algorithm && key.algorithm != algorithm)) continue;
    // Without a name there must be no choice (OpenID Connect Core section 10.1).
    if (chosen != nullptr && jws.key_id().empty()) return refused("the id_token does not name its key");
    if (chosen == nullptr) chosen = &key;
  }
  if (chosen == nullptr) return fail(ErrorKind::kNotFound, "the id_token is signed by an unknown key");
  if (!chosen->key.verify(*algorithm, as_bytes(jws.signed_text), jws.signature))
    return refused("the signature of the id_token is wrong");
  return {};
}

Result<IdToken> check_id_token(std::string_view token, std::span<ProviderKey const> keys,
                               IdTokenRules const& rules) {
  auto const jws = codec::parse_jws(token);
  if (!jws.has_value()) return refused("the id_token cannot be read");
  TACENDA_TRY_VOID(check_signature(*jws, keys));
  auto claims = codec::parse_json(as_text(jws->payload),
                                  {.depth = 8, .size_bytes = codec::kJwsBytesMax, .values = 4'096});
  if (!claims.has_value() || !claims->is_object())
    return refused("the claims of the id_token are no JSON object");
  TACENDA_TRY_VOID(check_claims(*claims, rules));
  IdToken read;
  read.subject = claims->text_of("sub");
  if (!is_subject(read.subject)) return refused("the id_token names nobody");
  // Asked for by max_age, and so demanded (OpenID Connect Core section 2).
  auto const authenticated = time_of(*claims, "auth_time");
  if (!authenticated || *authenticated > rules.now + kSkew)
    return refused("the id_token does not say when the person signed in");
  if (*authenticated + rules.sign_in_age + kSkew < rules.now)
    return refused("the person signed in at the provider too long ago");
  read.authenticated = std::min(*authenticated, rules.now);
  read.claims = std::move(*claims);
  return read;
}

}  // namespace tacenda::identity
