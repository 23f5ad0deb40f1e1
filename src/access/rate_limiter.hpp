#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "core/application_limits.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"
#include "core/mutex.hpp"

namespace tacenda::access {

/// How many requests a second each of them may make on average; 0: as many as there are (W-03).
struct Rates {
  std::size_t person = limits::kRatePerson;
  std::size_t service = limits::kRateService;
  std::size_t address = limits::kRateAddress;  // of those whom nobody recognised
  // An application that acts for people, for all of them together, beside the rate of each; what acts for
  // itself has an account of its own, and the rate of a service.
  std::size_t application = limits::kRateApplication;
};

/// Holds everybody to his rate by a bucket of his own, which is full at first, holds
/// limits::kRateBurstSeconds of the rate and loses one for each request.
///
/// Owner: start. Thread-safe. At most limits::kRateKeys buckets; one that is full again is forgotten.
class RateLimiter {
 public:
  RateLimiter(Clock const& clock, Rates rates) : clock_(clock), rates_(rates) {}

  enum class Kind : char { kPerson = 'p', kService = 's', kAddress = 'a', kApplication = 'c' };
  /// Takes one from the bucket of `who` (a user id, a client id, or an address: of IPv6 its /64 counts). The
  /// time until there is one again when the bucket is empty.
  std::optional<std::chrono::seconds> take(Kind kind, std::string_view who);
  /// How many buckets are kept.
  std::size_t size() const;

 private:
  struct Bucket {
    double filled = 0;
    std::chrono::steady_clock::time_point at;
  };
  std::size_t rate_of(Kind kind) const;
  void forget_full(std::chrono::steady_clock::time_point now) TACENDA_REQUIRES(mutex_);

  Clock const& clock_;
  Rates const rates_;
  mutable Mutex mutex_;
  std::map<std::string, Bucket, std::less<>> buckets_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::access
