#include "access/rate_limiter.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include "core/ip_address.hpp"
#include "core/limits.hpp"

namespace tacenda::access {
namespace {

constexpr double kBurst = limits::kRateBurstSeconds;

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::max(0.0, std::chrono::duration<double>(to - from).count());
}

}  // namespace

std::size_t RateLimiter::rate_of(Kind kind) const {
  switch (kind) {
    case Kind::kPerson:
      return rates_.person;
    case Kind::kService:
      return rates_.service;
    case Kind::kAddress:
      return rates_.address;
    case Kind::kApplication:
      return rates_.application;
  }
  return rates_.address;
}

std::optional<std::chrono::seconds> RateLimiter::take(Kind kind, std::string_view who) {
  std::size_t const rate = rate_of(kind);
  if (rate == 0) return std::nullopt;
  auto const per_second = static_cast<double>(rate);
  std::string key = kind == Kind::kAddress ? subscriber_of(who) : std::string(who);
  auto const now = clock_.monotonic();
  MutexLock const lock(mutex_);
  Buckets& buckets = buckets_.at(std::to_underlying(kind));
  if (buckets.size() >= limits::kRateKeys && !buckets.contains(key)) forget_full(buckets, now);
  auto const [found, is_new] = buckets.try_emplace(std::move(key), Bucket{per_second * kBurst, now});
  Bucket& bucket = found->second;
  bucket.filled = std::min(per_second * kBurst, bucket.filled + seconds_between(bucket.at, now) * per_second);
  bucket.at = now;
  if (bucket.filled < 1.0)
    return std::chrono::seconds(std::max(1L, std::lround(std::ceil((1.0 - bucket.filled) / per_second))));
  bucket.filled -= 1.0;
  return std::nullopt;
}

std::size_t RateLimiter::size() const {
  MutexLock const lock(mutex_);
  std::size_t size = 0;
  for (auto const& buckets : buckets_) size += buckets.size();
  return size;
}

void RateLimiter::forget_full(Buckets& buckets, std::chrono::steady_clock::time_point now) {
  std::erase_if(buckets, [&](auto const& item) {
    // Whatever its rate: after this time it is full.
    return seconds_between(item.second.at, now) >= kBurst;
  });
  // Still full: a flood from many addresses within seconds. Starting anew is better than growing without end.
  if (buckets.size() >= limits::kRateKeys) buckets.clear();
}

}  // namespace tacenda::access
