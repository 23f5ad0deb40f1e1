#include "authorization/codes.hpp"

#include <algorithm>
#include <utility>

#include "core/application_limits.hpp"
#include "crypto/hash.hpp"

namespace tacenda::authorization {

void Codes::forget(Time now) {
  std::erase_if(codes_, [&](auto const& item) { return item.second.forgotten <= now; });
}

Result<void> Codes::add(std::string_view code, CodeUse use) {
  Time const now = clock_.now();
  MutexLock const lock(mutex_);
  forget(now);
  auto const own =
      std::ranges::count_if(codes_, [&](auto const& item) { return item.second.user == use.grant.user; });
  if (static_cast<std::size_t>(own) >= limits::kCodesPerUser)
    return fail(ErrorKind::kThrottled, "you sign in for too many applications at once: try again later");
  if (codes_.size() >= limits::kCodes) return fail(ErrorKind::kThrottled, "too many people sign in at once");
  Entry entry(use.grant.user);
  entry.grant = use.grant.id;
  entry.client = use.grant.client;
  entry.forgotten = now + limits::kCodeLife;
  entry.use = std::move(use);
  codes_.insert_or_assign(crypto::sha256(as_bytes(code)), std::move(entry));
  return {};
}

Codes::Taken Codes::take(std::string_view code) {
  Time const now = clock_.now();
  MutexLock const lock(mutex_);
  forget(now);
  Taken taken;
  auto const found = codes_.find(crypto::sha256(as_bytes(code)));
  if (found == codes_.end()) return taken;
  auto& entry = found->second;
  if (!entry.use) {
    taken.used_grant = entry.grant;
    taken.client = entry.client;
    taken.user = entry.user;
    return taken;
  }
  taken.use = std::exchange(entry.use, std::nullopt);
  entry.forgotten = now + limits::kCodeMemory;
  return taken;
}

}  // namespace tacenda::authorization
