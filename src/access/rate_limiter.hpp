#pragma once

#include <array>
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
/// Owner: start. Thread-safe. At most limits::kRateKeys buckets of each kind; one that is full again is
/// forgotten. A flood of one kind, as anybody can send from many addresses, forgets none of another.
class RateLimiter {
 public:
  RateLimiter(Clock const& clock, Rates rates) : clock_(clock), rates_(rates) {}

  enum class Kind : std::uint8_t { kPerson, kService, kAddress, kApplication };
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
  using Buckets = std::map<std::string, Bucket, std::less<>>;
  static constexpr std::size_t kKinds = 4;
  std::size_t rate_of(Kind kind) const;
  static void forget_full(Buckets& buckets, std::chrono::steady_clock::time_point now);

  Clock const& clock_;
  Rates const rates_;
  mutable Mutex mutex_;
  std::array<Buckets, kKinds> buckets_ TACENDA_GUARDED_BY(mutex_);  // by Kind
};

}  // namespace tacenda::access
