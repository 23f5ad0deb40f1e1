#pragma once

#include "cli/options.hpp"
#include "core/secret.hpp"

namespace tacenda::start {

// The subcommands that put the whole server together. Each gives the exit code.
int init(cli::InitOptions const& options);
int serve(cli::ServeOptions const& options);
int verify(cli::VerifyOptions const& options);
int add_passphrase(cli::SlotOptions const& options, SecretBuffer const& passphrase);

}  // namespace tacenda::start
