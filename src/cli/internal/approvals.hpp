#pragma once

#include <filesystem>
#include <functional>
#include <string>

#include <CLI/CLI.hpp>

namespace tacenda::cli {

/// `tacenda approvals`.
struct ApprovalsOptions {
  std::filesystem::path data;
  std::string id;
  std::string reason;
  bool json = false;
};

/// Makes a subcommand of `parent` whose parsing chooses what is done: name, description, example, action.
using AddCommand = std::function<CLI::App*(CLI::App& parent, std::string const&, std::string const&,
                                           std::string const&, std::function<int()>)>;

/// The subcommands of `tacenda approvals`, which read into `options`; it outlives them.
void add_approvals(CLI::App& app, ApprovalsOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
