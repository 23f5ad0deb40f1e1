#include "authorization/codes.hpp"

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
  if (codes_.size() >= limits::kCodes) return fail(ErrorKind::kThrottled, "too many people sign in at once");
  Entry entry;
  entry.grant = use.grant.id;
  entry.client = use.grant.client;
  entry.expires = now + limits::kCodeLife;
  entry.forgotten = now + limits::kCodeMemory;
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
  taken.client = entry.client;
  if (!entry.use) {
    taken.used_grant = entry.grant;
    return taken;
  }
  auto use = std::exchange(entry.use, std::nullopt);
  if (now < entry.expires) taken.use = std::move(use);
  return taken;
}

}  // namespace tacenda::authorization
