#pragma once

#include "cli/internal/add_command.hpp"
#include "cli/internal/commands.hpp"

namespace tacenda::cli {

/// `tacenda bench`. Its options go into `options`, which outlives `app`.
void add_bench_command(CLI::App& app, BenchOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
