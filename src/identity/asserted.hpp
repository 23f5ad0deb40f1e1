#pragma once

#include <string>

#include "core/clock.hpp"

namespace tacenda::identity {

/// Who signed in at the OpenID provider, with a second factor that counts here.
struct Asserted {
  std::string issuer;
  std::string subject;
  std::string account;  // the external id of a provisioned account; empty: the provider names none
  Time authenticated;   // when he signed in there
};

}  // namespace tacenda::identity
