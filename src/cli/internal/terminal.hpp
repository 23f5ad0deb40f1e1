#pragma once

#include <string>
#include <string_view>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace tacenda::cli {

/// One line from the terminal without echo, after `prompt`; or the next line of standard input when that is
/// no terminal. Errors: kInvalid (end of input).
Result<SecretBuffer> read_secret(std::string_view prompt);

/// Writes a file of mode 0600 that only its owner reads, new or in the place of the old. Errors:
/// kUnavailable.
Result<void> write_private_file(std::string const& path, std::string_view content);

/// A whole small file. Errors: kNotFound, kTooLarge.
Result<std::string> read_file(std::string const& path, std::size_t size_bytes_max);

}  // namespace tacenda::cli
