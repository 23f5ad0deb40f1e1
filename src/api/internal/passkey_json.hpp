#pragma once

#include <string_view>

#include "codec/json.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "identity/passkeys.hpp"

namespace tacenda::api {

/// A member of `response` in a credential as a browser writes it. Errors: kInvalid.
Result<Bytes> part_of_credential(codec::Json const& credential, std::string_view name);

/// What a browser answers to a challenge (AuthenticationResponseJSON, WebAuthn level 3, section 5.5).
struct PasskeyAnswer {
  Bytes id;
  Bytes user_handle;
  Bytes client_data_json;
  Bytes authenticator_data;
  Bytes signature;

  /// Errors: kInvalid (no public key credential, or not in this form).
  static Result<PasskeyAnswer> of(codec::Json const& credential);
  /// Views this.
  identity::Passkeys::Answer view() const {
    return {as_text(id), as_text(user_handle), client_data_json, authenticator_data, signature};
  }
};

}  // namespace tacenda::api
