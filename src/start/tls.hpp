#pragma once

#include <filesystem>

#include "cli/options.hpp"
#include "core/clock.hpp"
#include "net/server.hpp"
#include "storage/files.hpp"
#include "vault/vault.hpp"

namespace tacenda::start {

/// Puts certificate and key of the FHIR listener into the vault: the operator's, or those of a development
/// authority made here, whose ca.pem is written beside the key file. Gives the path of the trust anchor.
/// Errors: kInvalid (certificate or key cannot be read), kUnavailable.
Result<std::filesystem::path> keep_tls(vault::Vault& vault, storage::Files& files,
                                       cli::InitOptions const& options, Clock const& clock);

/// Errors: kNotFound.
Result<net::TlsOptions> kept_tls(vault::Vault const& vault);

/// A certificate for the time in which the store is sealed and its own key with it: clients that verify
/// refuse it, and those that do not are told 503.
Result<net::TlsOptions> passing_tls(Clock const& clock);

}  // namespace tacenda::start
