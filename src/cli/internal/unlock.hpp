#pragma once

#include <span>

#include "cli/cli.hpp"
#include "core/error.hpp"

/// Secrets that open a store, between people and the program.
namespace tacenda::cli {

/// How a store that no server has open is opened: with the key file when it is there, else with a passphrase,
/// or shares one after the other, from the terminal or lines of standard input. Errors: kNotFound (no
/// key file, and nothing was given), kInvalid (the input ended), those of ShareCollection::add.
Result<vault::Unlock> read_unlock(std::filesystem::path const& data, std::filesystem::path const& key_file,
                                  Compositions const& compositions);

/// The share in a file, whatever lines are around it. Errors: kNotFound (no file), kInvalid (no share in it).
Result<SecretBuffer> read_share_file(std::string const& path);

/// Shows shares one by one on a terminal, each to its holder alone; on anything else one a line. Errors:
/// kInvalid (the input ended), kUnavailable (they cannot be written).
Result<void> show_shares(std::span<SecretBuffer const> texts);

}  // namespace tacenda::cli
