#pragma once

#include <memory>

#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "identity/sign_in_provider.hpp"
#include "start/config.hpp"
#include "storage/files.hpp"

namespace tacenda::start {

/// The OpenID provider that the configuration names; nullptr: it names none. It is reached over TLS that is
/// verified, without a redirect or a proxy, for at most kProviderTime a call. Errors: kInvalid (no secret in
/// the file), those of Files::read.
Result<std::unique_ptr<identity::SignInProvider>> sign_in_provider(Config const& config,
                                                                   storage::Files& files, Clock const& clock,
                                                                   crypto::Random& random);

}  // namespace tacenda::start
