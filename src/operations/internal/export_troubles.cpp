#include "operations/internal/export_troubles.hpp"

#include <algorithm>

namespace tacenda::operations {

bool ExportTroubles::may_try(std::string_view id, Instant now) const {
  auto const found = troubles_.find(id);
  return found == troubles_.end() || found->second.again <= now;
}

bool ExportTroubles::note(std::string_view id, Instant now) {
  auto& trouble = troubles_[std::string(id)];
  auto wait = kFirstWait;
  for (int i = 0; i < trouble.tries && wait < kLongestWait; ++i) wait *= 2;
  trouble.again = now + std::min(wait, kLongestWait);
  return ++trouble.tries < kTries;
}

void ExportTroubles::forget(std::string_view id) {
  if (auto const found = troubles_.find(id); found != troubles_.end()) troubles_.erase(found);
}

void ExportTroubles::keep(std::function<bool(std::string_view id)> const& is_there) {
  std::erase_if(troubles_, [&](auto const& each) { return !is_there(each.first); });
}

}  // namespace tacenda::operations
