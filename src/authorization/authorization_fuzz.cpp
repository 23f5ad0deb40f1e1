// The outside bytes of the authorization server, and its rows; the first byte chooses which.
#include <cstddef>
#include <cstdint>

#include "authorization/assertion.hpp"
#include "authorization/authorization_request.hpp"
#include "authorization/form.hpp"
#include "authorization/grants.hpp"
#include "authorization/remote_keys.hpp"
#include "authorization/used_assertions.hpp"
#include "core/application_limits.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  ByteView const input = std::as_bytes(std::span(data + 1, size - 1));
  auto const text = as_text(input);
  switch (data[0] % 8) {
    case 0: {
      auto const form = authorization::Form::parse(text);
      TACENDA_ASSERT(!form.has_value() || form->fields().size() <= limits::kFormFields);
      break;
    }
    case 1: {
      auto const now = from_unix_ms(1'800'000'000'000);
      auto const claims = authorization::read_claims(text, "https://records.example.org/oauth/token", now);
      TACENDA_ASSERT(!claims.has_value() || (!claims->client.empty() && !claims->id.empty() &&
                                             claims->expires < now + std::chrono::minutes(6)));
      break;
    }
    case 2: {
      auto const client = authorization::decode_client(input);
      if (!client.has_value()) break;
      auto const again = authorization::decode_client(authorization::encode_client(*client));
      TACENDA_ASSERT(again.has_value() && again->id == client->id && again->enabled == client->enabled &&
                     again->scopes == client->scopes && again->redirect_uris == client->redirect_uris &&
                     again->jwks_url == client->jwks_url);
      break;
    }
    case 3: {
      auto const used = authorization::decode_used(input);
      TACENDA_ASSERT(!used.has_value() ||
                     equal(authorization::encode_used(used->first, used->second), input));
      break;
    }
    case 4: {
      auto const grant = authorization::decode_grant(input);
      if (!grant.has_value()) break;
      auto const again = authorization::decode_grant(authorization::encode_grant(*grant));
      TACENDA_ASSERT(again.has_value() && again->user == grant->user && again->scopes == grant->scopes &&
                     again->generation == grant->generation && again->account_epoch == grant->account_epoch);
      break;
    }
    case 5: {
      auto const request = authorization::decode_request(input);
      if (!request.has_value()) break;
      auto const again = authorization::decode_request(authorization::encode_request(*request));
      TACENDA_ASSERT(again.has_value() && again->state == request->state &&
                     again->session == request->session && again->scopes == request->scopes);
      break;
    }
    case 6: {
      auto const life = authorization::keys_lifetime(text);
      TACENDA_ASSERT(life >= limits::kKeysLifeMin && life <= limits::kKeysLifeMax);
      break;
    }
    default:
      TACENDA_ASSERT(!authorization::is_keys_url(text) ||
                     (text.starts_with("https://") && !text.contains('#')));
      TACENDA_ASSERT(!authorization::is_redirect_uri(text) || (!text.contains('#') && !text.contains(';') &&
                                                               !text.contains(' ') && !text.contains('\n')));
  }
  return 0;
}
