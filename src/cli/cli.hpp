#pragma once

#include <functional>

#include "cli/options.hpp"
#include "core/secret.hpp"

namespace tacenda::cli {

/// The subcommands that need the whole server put together; start gives them.
struct Compositions {
  std::function<int(InitOptions const&)> init;
  std::function<int(ServeOptions const&)> serve;
  /// Verification of a store that no server has open.
  std::function<int(VerifyOptions const&)> verify;
  /// Adds a passphrase slot to a store that no server has open.
  std::function<int(SlotOptions const&, SecretBuffer const& passphrase)> add_passphrase;
};

/// Reads the command line and runs one subcommand; gives the exit code.
int run(int argc, char** argv, Compositions const& compositions);

}  // namespace tacenda::cli
