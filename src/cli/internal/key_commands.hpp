#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "cli/internal/add_command.hpp"

namespace tacenda::cli {

/// `tacenda keys`.
struct KeyOptions {
  std::filesystem::path data;
  std::vector<std::string> purposes;
  std::string purpose;
  std::uint32_t term = 0;
  std::string reason;
  bool all = false;
  bool root = false;
  bool drop_slots = false;
  bool json = false;
};

/// The subcommands of `tacenda keys`, which read into `options`; it outlives them.
void add_key_commands(CLI::App& app, KeyOptions& options, AddCommand const& command);

}  // namespace tacenda::cli
