#pragma once

#include "api/internal/exchange.hpp"

namespace tacenda::api {

/// /auth of who is signed in: sessions, second factors, passkeys, awareness; and the sign-in by passkey
/// and at the OpenID provider.
/// Owner: the worker that runs one request.
class Pipeline::Account {
 public:
  explicit Account(Pipeline& pipeline) : pipeline_(pipeline), parts_(pipeline.parts_) {}

  Released dispatch(Exchange& exchange);

 private:
  Released step_up(Exchange& exchange);
  Released change_password(Exchange& exchange);
  Released make_recovery_codes(Exchange& exchange);
  Released sessions(Exchange& exchange);
  Released end_session(Exchange& exchange);
  Released account(Exchange& exchange);
  Released awareness(Exchange& exchange);
  Released acknowledge(Exchange& exchange);
  Released passkeys(Exchange& exchange);
  Released offer_passkey(Exchange& exchange);
  Released add_passkey(Exchange& exchange);
  Released offer_passkey_sign_in(Exchange& exchange);
  Released passkey_sign_in(Exchange& exchange);
  Released list_passkeys(Exchange& exchange);
  Released remove_passkey(Exchange& exchange);
  Released openid(Exchange& exchange);
  Released begin_provider_sign_in(Exchange& exchange);
  Released provider_sign_in(Exchange& exchange);

  Pipeline& pipeline_;
  Parts const& parts_;
};

}  // namespace tacenda::api
