#pragma once

#include <string>

#include "cli/cli.hpp"
#include "cli/internal/add_command.hpp"
#include "codec/json.hpp"

namespace tacenda::cli {

/// `tacenda slot` and `tacenda unseal`. The options outlive `app`.
void add_slot_commands(CLI::App& app, SlotOptions& slot, UnsealOptions& unseal,
                       Compositions const& compositions, AddCommand const& command);

/// Verification of a store that no server has open.
int verify_stopped(VerifyOptions const& options, Compositions const& compositions);

/// "2 of 3", of what a sealed server answers.
std::string shares_given(codec::Json const& answer);

}  // namespace tacenda::cli
