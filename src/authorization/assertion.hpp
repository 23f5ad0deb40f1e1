#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "authorization/client.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace tacenda::authorization {

class Clients;

/// A client that has proved who it is, but for whether this proof was shown before.
struct Assertion {
  std::shared_ptr<Client const> client;  // shared with Clients
  std::string id;                        // jti
  Time expires{};
};

/// What an assertion says, before anything of it is believed.
struct Claims {
  std::string client;  // iss and sub
  std::string key_id;
  std::string keys_url;  // jku; empty: the header names none
  std::string algorithm;
  std::string id;  // jti
  Time expires{};
};

/// The key of this kid that an application may sign with. Errors: kUnauthenticated (it has none),
/// kUnavailable.
using KeyOf =
    std::function<Result<std::shared_ptr<ClientKey const>>(Client const& client, std::string_view key_id)>;
/// Of those that stand in the registration.
Result<std::shared_ptr<ClientKey const>> registered_key(Client const& client, std::string_view key_id);

/// Takes an assertion apart and checks what needs no key: three parts; alg, kid, typ "JWT", and no member
/// that would bring a key along (jku names an address, which is compared and never asked); iss = sub; aud is
/// `audience` and nothing else; exp within limits::kAssertionAge from now on; nbf and iat not ahead; a jti.
/// Errors: kInvalid (the message may be told to anybody), kTooLarge.
Result<Claims> read_claims(std::string_view text, std::string_view audience, Time now);

/// private_key_jwt: a client authenticates by a signature under a key that it registered. The key is chosen
/// by its kid among those of `iss`, as `key_of` has them, the algorithm by the key. A
/// jku must be the registered address. Errors: kInvalid and kTooLarge as read_claims;
/// kUnauthenticated (no such client, disabled, no such key, another algorithm, a wrong signature: the message
/// is for the log alone); those of `key_of`.
/// Source: RFC 7521, RFC 7523 section 3; SMART App Launch 2.2, client-confidential-asymmetric.html.
Result<Assertion> check_assertion(Clients const& clients, KeyOf const& key_of, std::string_view text,
                                  std::string_view audience, Time now);

}  // namespace tacenda::authorization
