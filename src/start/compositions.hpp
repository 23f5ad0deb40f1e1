#pragma once

#include "cli/options.hpp"

namespace tacenda::start {

// The subcommands that put the whole server together. Each gives the exit code.
int init(cli::InitOptions const& options);
int serve(cli::ServeOptions const& options);
int verify(cli::VerifyOptions const& options);

}  // namespace tacenda::start
