#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cli/internal/add_command.hpp"

namespace tacenda::cli {

/// `tacenda erase` and `tacenda hold`.
struct ErasureOptions {
  std::filesystem::path data;
  std::string id;
  std::string patient;
  std::string reason;
  std::vector<std::string> grounds;
  std::string ground;
  std::string until;
  bool dry_run = false;
  bool json = false;
};

/// Their subcommands, which read into `options`; it outlives them.
void add_erasure(CLI::App& app, ErasureOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
