#pragma once

#include <cstdint>
#include <string_view>

#include "core/error.hpp"

namespace tacenda::authorization {

/// Error codes of RFC 6749 sections 4.1.2.1 and 5.2.
enum class OAuthError : std::uint8_t {
  kInvalidRequest,
  kInvalidClient,
  kInvalidGrant,
  kUnauthorizedClient,
  kUnsupportedGrantType,
  kInvalidScope,
  kAccessDenied,
  kUnsupportedResponseType,
  kServerError,
  kTemporarilyUnavailable,
};
std::string_view code_of(OAuthError error);

/// Why an application gets nothing.
struct Refusal {
  OAuthError error = OAuthError::kInvalidRequest;
  Literal description{"the request cannot be understood"};  // told to the client's developer
  Literal reason{
      "the request cannot be understood"};  // for the audit log: may say what the client is not told

  Refusal(OAuthError the_error, Literal the_description)
      : error(the_error), description(the_description), reason(the_description) {}
  Refusal(OAuthError the_error, Literal the_description, Literal the_reason)
      : error(the_error), description(the_description), reason(the_reason) {}
};

}  // namespace tacenda::authorization
