#pragma once

#include "authorization/remote_keys.hpp"
#include "start/config.hpp"

namespace tacenda::start {

/// Gets the keys of applications over verified TLS: no redirect, no proxy, at most codec::kJwksBytesMax and
/// limits::kKeysTime, from public addresses and those of Config::keys_networks, which are asked of what is
/// connected to. Errors: kInvalid (the list of networks).
Result<authorization::FetchKeys> key_fetcher(Config const& config);

}  // namespace tacenda::start
