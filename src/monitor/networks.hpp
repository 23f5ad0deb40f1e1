#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace tacenda::monitor {

/// From where somebody signs in: the /24 of an IPv4 address, the /64 of an IPv6 address. nullopt: from no
/// address (the administration socket).
std::optional<std::string> network_of(std::string_view address);

/// The networks that a person has signed in from, so that a new one shows (S-13). Bounded: the one not seen
/// for longest makes room; one that was not seen for kKept is forgotten.
class Networks {
 public:
  static constexpr std::size_t kMax = 32;
  static constexpr std::chrono::days kKept{180};
  /// A network that was seen within this time is not written again.
  static constexpr std::chrono::hours kFresh{24};

  enum class Verdict : std::uint8_t {
    kKnown,    // nothing to keep
    kRenewed,  // known, and now known for longer
    kFirst,    // nothing was known of this person
    kNew,
  };
  Verdict see(std::string_view network, Time now);
  /// Forgets what was not seen for kKept. True when something was.
  bool forget(Time now);
  bool empty() const { return seen_.empty(); }

  // Plaintext of a row (docs/data-file.md, "Alert rows"). Errors: kCorrupt, kUnsupported.
  Bytes encode() const;
  static Result<Networks> decode(ByteView row);

 private:
  struct Seen {
    std::string network;
    Time last;
  };
  std::vector<Seen> seen_;
};

}  // namespace tacenda::monitor
