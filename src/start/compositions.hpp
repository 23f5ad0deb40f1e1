#pragma once

#include <memory>
#include <vector>

#include "cli/options.hpp"
#include "core/secret.hpp"
#include "vault/key_slots.hpp"
#include "vault/share_collection.hpp"

namespace tacenda::start {

// The subcommands that put the whole server together. Each gives the exit code.
int init(cli::InitOptions const& options);
int serve(cli::ServeOptions const& options);
int verify(cli::VerifyOptions const& options, vault::Unlock const& unlock);
int add_passphrase(cli::SlotOptions const& options, vault::Unlock const& unlock,
                   SecretBuffer const& passphrase);
int add_shares(cli::SlotOptions const& options, vault::Unlock const& unlock, vault::HandOut const& show);
int add_key_file(cli::SlotOptions const& options, vault::Unlock const& unlock);
int remove_slot(cli::SlotOptions const& options, vault::Unlock const& unlock);
int list_slots(cli::SlotOptions const& options);

/// Of a store that may be served meanwhile; as vault::list_slots.
Result<std::vector<vault::SlotInfo>> slots_of(std::filesystem::path const& data,
                                              std::filesystem::path const& key_file);
std::unique_ptr<vault::ShareCollection> share_collection(std::filesystem::path const& data,
                                                         std::filesystem::path const& key_file);

}  // namespace tacenda::start
