#include "cli/internal/terminal.hpp"

#include <fcntl.h>
#include <termios.h>
#include <unistd.h>

#include <fstream>
#include <iostream>
#include <iterator>

namespace tacenda::cli {
namespace {

/// Keeps the terminal from showing what is typed.
class Quiet {
 public:
  Quiet() : active_(::isatty(STDIN_FILENO) == 1 && ::tcgetattr(STDIN_FILENO, &before_) == 0) {
    if (!active_) return;
    termios quiet = before_;
    quiet.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    // The worst case is a visible password, and he sees it.
    (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &quiet);
  }
  ~Quiet() {
    if (!active_) return;
    (void)::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before_);  // as above
    std::cerr << "\n";
  }
  Quiet(Quiet const&) = delete;
  Quiet& operator=(Quiet const&) = delete;

 private:
  termios before_{};
  bool active_;
};

}  // namespace

Result<SecretBuffer> read_secret(std::string_view prompt) {
  Quiet const quiet;  // before it is asked: what was typed until then is thrown away
  if (::isatty(STDIN_FILENO) == 1) std::cerr << prompt << std::flush;
  std::string line;
  line.reserve(2048);  // one allocation, wiped below
  if (!std::getline(std::cin, line)) return fail(ErrorKind::kInvalid, "the input ended before the secret");
  SecretBuffer secret(as_bytes(line));
  ::explicit_bzero(line.data(), line.capacity());
  return secret;
}

Result<void> write_private_file(std::string const& path, std::string_view content) {
  std::string const fresh = path + ".new";
  // Left over from a run that was cut off; if it stays, the open below says so.
  (void)::unlink(fresh.c_str());
  int const file = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (file < 0) return fail(ErrorKind::kUnavailable, "a private file cannot be made");
  bool const written = ::write(file, content.data(), content.size()) == static_cast<ssize_t>(content.size());
  bool const closed = ::close(file) == 0;
  if (!written || !closed || ::rename(fresh.c_str(), path.c_str()) != 0) {
    return fail(ErrorKind::kUnavailable, "a private file cannot be written");
  }
  return {};
}

Result<std::string> read_file(std::string const& path, std::size_t size_bytes_max) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return fail(ErrorKind::kNotFound, "a file cannot be read");
  file.seekg(0, std::ios::end);
  auto const size = file.tellg();
  if (size < 0) return fail(ErrorKind::kNotFound, "a file cannot be read");
  if (static_cast<std::uint64_t>(size) > size_bytes_max)
    return fail(ErrorKind::kTooLarge, "a file is too large");
  std::string content(static_cast<std::size_t>(size), '\0');
  file.seekg(0);
  file.read(content.data(), size);
  if (!file) return fail(ErrorKind::kNotFound, "a file cannot be read");
  return content;
}

}  // namespace tacenda::cli
