#include "authorization/assertion.hpp"

#include <algorithm>
#include <charconv>

#include "authorization/clients.hpp"
#include "codec/jose.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {
namespace {

using codec::Json;

constexpr std::int64_t kSecondsMax = 253'402'300'799;  // the year 9999

bool equals_ignoring_case(std::string_view a, std::string_view b) {
  constexpr auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

/// NumericDate of RFC 7519 section 2, whole seconds. nullopt: the claim is not there. Errors: kInvalid.
Result<std::optional<Time>> time_of(Json const& claims, std::string_view name) {
  auto const* claim = claims.find(name);
  if (claim == nullptr) return std::nullopt;
  std::int64_t seconds = 0;
  if (claim->is_number()) {
    auto text = claim->number_text();
    text = text.substr(0, text.find('.'));  // fractions of a second are cut off
    auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
    if (error == std::errc() && end == text.data() + text.size() && seconds >= 0 && seconds <= kSecondsMax)
      return from_unix_ms(static_cast<std::uint64_t>(seconds) * 1'000);
  }
  return fail(ErrorKind::kInvalid, "a time of the assertion is no number of seconds");
}

/// Exactly this one: an assertion that is good for others as well could be shown here by one of them.
bool is_for(Json const& claims, std::string_view audience) {
  auto const* claim = claims.find("aud");
  if (claim == nullptr) return false;
  if (claim->is_string()) return claim->as_string() == audience;
  auto const& items = claim->items();
  return claim->is_array() && items.size() == 1 && items.front().is_string() &&
         items.front().as_string() == audience;
}

Result<Time> check_times(Json const& claims, Time now) {
  auto const expires = TACENDA_TRY(time_of(claims, "exp"));
  if (!expires) return fail(ErrorKind::kInvalid, "the assertion has no exp");
  if (*expires + limits::kAssertionSkew <= now) return fail(ErrorKind::kInvalid, "the assertion has expired");
  if (*expires > now + limits::kAssertionAge + limits::kAssertionSkew)
    return fail(ErrorKind::kInvalid, "the assertion expires more than 5 minutes ahead");
  for (auto const* name : {"nbf", "iat"}) {
    auto const time = TACENDA_TRY(time_of(claims, name));
    if (time && *time > now + limits::kAssertionSkew)
      return fail(ErrorKind::kInvalid, "the assertion is of a time to come");
  }
  return *expires;
}

Result<void> check_header(codec::Jws const& jws) {
  if (!equals_ignoring_case(jws.header.text_of("typ"), "JWT"))
    return fail(ErrorKind::kInvalid, "the header's typ is not JWT");
  if (jws.key_id().empty()) return fail(ErrorKind::kInvalid, "the header names no key (kid)");
  auto const* address = jws.header.find("jku");
  if (address != nullptr && (!address->is_string() || address->as_string().empty()))
    return fail(ErrorKind::kInvalid, "the header's jku is no address");
  for (auto const* name : {"jwk", "x5u", "x5c"}) {
    if (jws.header.find(name) != nullptr)
      return fail(ErrorKind::kInvalid, "the header brings a key along: keys are registered");
  }
  return {};
}

Result<Claims> claims_of(codec::Jws const& jws, std::string_view audience, Time now) {
  TACENDA_TRY_VOID(check_header(jws));
  auto const payload = codec::parse_json(as_text(jws.payload),
                                         {.depth = 8, .size_bytes = codec::kJwsBytesMax, .values = 4'096});
  if (!payload.has_value() || !payload->is_object())
    return fail(ErrorKind::kInvalid, "the assertion's claims are no JSON object");
  Claims claims;
  claims.client = payload->text_of("iss");
  if (claims.client.empty() || payload->text_of("sub") != claims.client)
    return fail(ErrorKind::kInvalid, "iss and sub of the assertion are not the client id");
  if (!is_for(*payload, audience))
    return fail(ErrorKind::kInvalid, "the assertion's aud is not this token endpoint");
  claims.expires = TACENDA_TRY(check_times(*payload, now));
  claims.id = payload->text_of("jti");
  if (claims.id.empty() || claims.id.size() > limits::kAssertionIdBytes)
    return fail(ErrorKind::kInvalid, "the assertion's jti is missing or too long");
  claims.key_id = jws.key_id();
  claims.keys_url = jws.header.text_of("jku");
  claims.algorithm = jws.algorithm();
  return claims;
}

}  // namespace

Result<Claims> read_claims(std::string_view text, std::string_view audience, Time now) {
  return claims_of(TACENDA_TRY(codec::parse_jws(text)), audience, now);
}

Result<std::shared_ptr<ClientKey const>> registered_key(Client const& client, std::string_view key_id) {
  auto const found = std::ranges::find(client.keys, key_id, &ClientKey::key_id);
  if (found == client.keys.end())
    return fail(ErrorKind::kUnauthenticated, "the application has no key of this kid");
  return std::make_shared<ClientKey const>(*found);
}

Result<Assertion> check_assertion(Clients const& clients, KeyOf const& key_of, std::string_view text,
                                  std::string_view audience, Time now) {
  auto const jws = TACENDA_TRY(codec::parse_jws(text));
  auto const claims = TACENDA_TRY(claims_of(jws, audience, now));
  auto client = clients.find(claims.client);
  if (!client) return fail(ErrorKind::kUnauthenticated, "unknown application");
  if (!client->enabled) return fail(ErrorKind::kUnauthenticated, "disabled application");
  if (!claims.keys_url.empty() && claims.keys_url != client->jwks_url)
    return fail(ErrorKind::kUnauthenticated, "the header's jku is not the registered address of keys");
  auto const key = TACENDA_TRY(key_of(*client, claims.key_id));
  if (claims.algorithm != name_of(key->algorithm))
    return fail(ErrorKind::kUnauthenticated, "the assertion is signed by another algorithm than its key's");
  if (!key->key.verify(key->algorithm, as_bytes(jws.signed_text), jws.signature))
    return fail(ErrorKind::kUnauthenticated, "the assertion's signature is wrong");
  return Assertion{std::move(client), claims.id, claims.expires};
}

}  // namespace tacenda::authorization
