#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "cli/options.hpp"
#include "core/secret.hpp"
#include "vault/key_slots.hpp"
#include "vault/share_collection.hpp"

namespace tacenda::cli {

/// The subcommands that need the whole server put together; start gives them.
struct Compositions {
  std::function<int(InitOptions const&)> init;
  std::function<int(ServeOptions const&)> serve;
  /// Verification of a store that no server has open.
  std::function<int(VerifyOptions const&, vault::Unlock const&)> verify;
  // Changes of the ways to open a store that no server has open.
  std::function<int(SlotOptions const&, vault::Unlock const&, SecretBuffer const& passphrase)> add_passphrase;
  std::function<int(SlotOptions const&, vault::Unlock const&, vault::HandOut const& show)> add_shares;
  std::function<int(SlotOptions const&, vault::Unlock const&)> add_key_file;
  std::function<int(SlotOptions const&, vault::Unlock const&)> remove_slot;
  std::function<int(SlotOptions const&)> list_slots;
  /// As vault::list_slots.
  std::function<Result<std::vector<vault::SlotInfo>>(std::filesystem::path const& data,
                                                     std::filesystem::path const& key_file)>
      slots_of;
  std::function<std::unique_ptr<vault::ShareCollection>(std::filesystem::path const& data,
                                                        std::filesystem::path const& key_file)>
      share_collection;
};

/// Reads the command line and runs one subcommand; gives the exit code.
int run(int argc, char** argv, Compositions const& compositions);

}  // namespace tacenda::cli
