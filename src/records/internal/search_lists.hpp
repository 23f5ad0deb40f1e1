#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <utility>
#include <vector>

#include "core/mutex.hpp"

namespace tacenda::records {

/// Orders of sorted searches, kept for the pages behind the first. Thread-safe.
class SearchLists {
 public:
  using Key = std::array<std::byte, 16>;
  using List = std::shared_ptr<std::vector<std::uint64_t> const>;  // shared: a page may outlive its eviction

  void put(Key const& key, List list);
  /// nullptr: it is gone.
  List get(Key const& key) const;

 private:
  mutable Mutex mutex_;
  std::deque<std::pair<Key, List>> lists_ TACENDA_GUARDED_BY(mutex_);  // oldest first
  std::size_t documents_ TACENDA_GUARDED_BY(mutex_) = 0;
};

}  // namespace tacenda::records
