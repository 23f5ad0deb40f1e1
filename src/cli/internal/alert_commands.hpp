#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/internal/commands.hpp"

namespace tacenda::cli {

/// Makes a subcommand of `parent` whose parsing chooses `what` to do.
using MakeCommand =
    std::function<CLI::App*(CLI::App& parent, std::string const& name, std::string const& description,
                            std::string const& example, std::function<int()> what)>;

/// `tacenda alerts`. Its options go into `options`, which outlives `app`.
void add_alert_commands(CLI::App& app, AlertOptions& options, MakeCommand const& command);

}  // namespace tacenda::cli
