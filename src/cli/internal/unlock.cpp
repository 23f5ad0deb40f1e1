#include "cli/internal/unlock.hpp"

#include <unistd.h>

#include <iostream>

#include "cli/internal/terminal.hpp"
#include "cli/passphrase.hpp"

namespace tacenda::cli {
namespace {

constexpr std::size_t kShareFileBytesMax = 64 * 1024;

/// Waits for the line to end; what is typed does not count.
Result<void> wait_for_enter(std::string_view prompt) {
  std::cerr << prompt << std::flush;
  std::string line;
  if (!std::getline(std::cin, line))
    return fail(ErrorKind::kInvalid, "the input ended before all shares were shown");
  return {};
}

/// The rest of the shares, once there is one. A wrong one is asked for again at a terminal.
Result<vault::Unlock> collect(vault::ShareCollection& shares, SecretBuffer first) {
  SecretBuffer typed = std::move(first);
  while (true) {
    auto progress = shares.add(typed);
    if (progress.has_value() && progress->ready) return std::move(*progress->ready);
    if (!progress.has_value() && ::isatty(STDIN_FILENO) != 1) return std::unexpected(progress.error());
    if (progress.has_value())
      std::cerr << progress->have << " of " << progress->need << " shares\n";
    else
      std::cerr << progress.error().message() << "\n";
    typed = TACENDA_TRY(read_secret("next share: "));
  }
}

}  // namespace

Result<vault::Unlock> read_unlock(std::filesystem::path const& data, std::filesystem::path const& key_file,
                                  Compositions const& compositions) {
  std::error_code error;
  if (key_file.empty() || std::filesystem::exists(key_file, error)) return vault::Unlock{};
  auto typed = read_secret("passphrase, or a share: ");
  if (!typed.has_value())
    return fail(ErrorKind::kNotFound,
                "the key file is not there, and neither passphrase nor share was given");
  if (vault::is_share(*typed))
    return collect(*compositions.share_collection(data, key_file), std::move(*typed));
  return unlock_by(std::move(*typed));
}

Result<SecretBuffer> read_share_file(std::string const& path) {
  auto content = TACENDA_TRY(read_file(path, kShareFileBytesMax));
  SecretBuffer found;
  for (std::size_t at = 0; at < content.size() && found.empty();) {
    std::size_t const end = std::min(content.find('\n', at), content.size());
    SecretBuffer line(as_bytes(std::string_view(content).substr(at, end - at)));
    if (vault::is_share(line)) found = std::move(line);
    at = end + 1;
  }
  ::explicit_bzero(content.data(), content.size());
  if (found.empty()) return fail(ErrorKind::kInvalid, "there is no share in the file");
  return found;
}

Result<void> show_shares(std::span<SecretBuffer const> texts) {
  bool const to_terminal = ::isatty(STDOUT_FILENO) == 1;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (to_terminal) {
      std::cerr << "share " << i + 1 << " of " << texts.size();
      TACENDA_TRY_VOID(wait_for_enter(": its holder alone looks at the screen now; press Enter"));
    }
    std::cout << as_text(texts[i].reveal()) << std::endl;
    if (!std::cout) return fail(ErrorKind::kUnavailable, "the shares cannot be written");
    if (!to_terminal) continue;
    TACENDA_TRY_VOID(
        wait_for_enter("written down and compared? press Enter, and it is taken off the screen"));
    std::cout << "\033[2J\033[3J\033[H" << std::flush;  // the screen, and what was scrolled off it
  }
  return {};
}

}  // namespace tacenda::cli
