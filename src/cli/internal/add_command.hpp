#pragma once

#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace tacenda::cli {

/// Makes a subcommand of `parent` whose parsing chooses what is done: name, description, example, action.
using AddCommand = std::function<CLI::App*(CLI::App& parent, std::string const&, std::string const&,
                                           std::string const&, std::function<int()>)>;

}  // namespace tacenda::cli
