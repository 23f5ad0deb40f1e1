#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "core/clock.hpp"

namespace tacenda::identity {

/// Counts failures by key and blocks a key for a time once it has too many (K-03). Guarded by its owner's
/// lock. Forgets what is older than the block time; bounded by kKeys.
class Throttle {
 public:
  Throttle(std::uint32_t failures_max, std::chrono::milliseconds block)
      : failures_max_(failures_max), block_(block) {}

  bool is_blocked(std::string const& key, Time now) const {
    auto const found = entries_.find(key);
    return found != entries_.end() && found->second.count >= failures_max_ &&
           now - found->second.last < block_;
  }

  /// True when this failure is the one that blocks the key.
  bool fail(std::string const& key, Time now) {
    if (entries_.size() >= kKeys) forget(now);
    auto& entry = entries_[key];
    if (now - entry.last >= block_) entry.count = 0;
    entry.last = now;
    return ++entry.count == failures_max_;
  }

  void succeed(std::string const& key) { entries_.erase(key); }

 private:
  static constexpr std::size_t kKeys = 100'000;
  struct Entry {
    std::uint32_t count = 0;
    Time last{};
  };
  void forget(Time now) {
    std::erase_if(entries_, [&](auto const& item) { return now - item.second.last >= block_; });
    // Still full: a flood from many addresses. Dropping all is better than growing without end, and the
    // count per account in its row goes on.
    if (entries_.size() >= kKeys) entries_.clear();
  }

  std::uint32_t failures_max_;
  std::chrono::milliseconds block_;
  std::unordered_map<std::string, Entry> entries_;
};

}  // namespace tacenda::identity
