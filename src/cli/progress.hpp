#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "core/mutex.hpp"

namespace tacenda::cli {

/// A progress line on standard error: redrawn on a terminal, one line every five seconds otherwise. Shows
/// nothing of what takes less than a second. Thread-safe.
class Progress {
 public:
  explicit Progress(bool wanted);
  /// `total` 0: not known.
  void show(std::string_view what, std::uint64_t done, std::uint64_t total, std::string_view note = {});
  /// Ends the line.
  void done();

 private:
  bool const wanted_;
  bool const terminal_;
  std::chrono::steady_clock::time_point const start_ = std::chrono::steady_clock::now();
  Mutex mutex_;
  std::chrono::steady_clock::time_point last_ TACENDA_GUARDED_BY(mutex_) = start_;
  bool shown_ TACENDA_GUARDED_BY(mutex_) = false;
};

}  // namespace tacenda::cli
