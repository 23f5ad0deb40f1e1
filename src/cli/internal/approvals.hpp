#pragma once

#include <filesystem>
#include <string>

#include "cli/internal/add_command.hpp"

namespace tacenda::cli {

/// `tacenda approvals`.
struct ApprovalsOptions {
  std::filesystem::path data;
  std::string id;
  std::string reason;
  bool json = false;
};

/// The subcommands of `tacenda approvals`, which read into `options`; it outlives them.
void add_approvals(CLI::App& app, ApprovalsOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
