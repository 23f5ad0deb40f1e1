#pragma once

#include "cli/internal/add_command.hpp"
#include "cli/internal/commands.hpp"

namespace tacenda::cli {

/// `tacenda alerts`. Its options go into `options`, which outlives `app`.
void add_alert_commands(CLI::App& app, AlertOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
