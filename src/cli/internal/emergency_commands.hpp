#pragma once

#include "cli/internal/add_command.hpp"
#include "cli/internal/commands.hpp"

namespace tacenda::cli {

/// `tacenda emergency`. Its options go into `options`, which outlives `app`.
void add_emergency(CLI::App& app, AccessOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
