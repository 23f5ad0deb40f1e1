#pragma once

#include "cli/internal/add_command.hpp"
#include "cli/internal/commands.hpp"

namespace tacenda::cli {

/// `tacenda client`. Its options go into `options`, which outlives `app`.
void add_client(CLI::App& app, ClientOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
