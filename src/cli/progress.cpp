#include "cli/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <string>

namespace tacenda::cli {
namespace {

constexpr std::size_t kBarWidth = 30;

std::string bar(std::uint64_t done, std::uint64_t total) {
  if (total == 0) return std::to_string(done);
  std::size_t const filled = static_cast<std::size_t>(std::min(done, total) * kBarWidth / total);
  return "[" + std::string(filled, '#') + std::string(kBarWidth - filled, '.') + "] " + std::to_string(done) +
         "/" + std::to_string(total);
}

}  // namespace

Progress::Progress(bool wanted) : wanted_(wanted), terminal_(::isatty(STDERR_FILENO) == 1) {}

void Progress::show(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view note) {
  if (!wanted_) return;
  auto const now = std::chrono::steady_clock::now();
  MutexLock const lock(mutex_);
  auto const pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::milliseconds(5'000);
  if (now - start_ < std::chrono::seconds(1) || now - last_ < pause) return;
  last_ = now;
  shown_ = true;
  std::cerr << (terminal_ ? "\r\x1b[K" : "") << what << " " << bar(done, total);
  if (!note.empty()) std::cerr << " " << note;
  if (!terminal_) std::cerr << "\n";
  std::cerr.flush();
}

void Progress::done() {
  MutexLock const lock(mutex_);
  if (shown_ && terminal_) std::cerr << "\r\x1b[K" << std::flush;
  shown_ = false;
}

}  // namespace tacenda::cli
