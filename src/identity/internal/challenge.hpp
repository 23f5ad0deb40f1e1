#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace tacenda::identity {

/// Offers challenges and takes each back once, before it expires. What was offered is not kept: a challenge
/// carries its end and a MAC of this process, so that who asks for many fills nothing. Only those that were
/// answered rightly are remembered, until they expire. Guarded by its owner's lock.
///
/// Layout: random (16) || end in monotonic ms (8) || first half of HMAC-SHA-256(ceremony, random, end, user).
class ChallengeBook {
 public:
  enum class Ceremony : std::uint8_t { kRegister = 1, kSignIn = 2, kProvider = 3 };
  static constexpr std::size_t kBytes = 40;

  explicit ChallengeBook(crypto::MacKey const& key) : mac_(key) {}

  /// `user`: whose answer alone is taken; empty: anybody's. Errors: kUnavailable.
  Result<Bytes> offer(Ceremony ceremony, std::string_view user, std::chrono::steady_clock::time_point now,
                      crypto::Random& random) const;
  /// Was it offered for this, is it not over, and not used?
  bool is_open(ByteView challenge, Ceremony ceremony, std::string_view user,
               std::chrono::steady_clock::time_point now) const;
  /// Who uses challenges up, by the name of a user or of a network, and how many of his are remembered at
  /// once: nobody fills the book alone.
  struct Holder {
    std::string_view name;
    std::size_t used_max;
  };
  /// Uses an open one up. False when it is used already, or too many are remembered.
  bool use(ByteView challenge, Holder holder, std::chrono::steady_clock::time_point now);

 private:
  Digest mac_of(ByteView random_and_end, Ceremony ceremony, std::string_view user) const;

  crypto::Hmac mac_;
  struct Used {
    std::uint64_t end;  // monotonic ms
    std::string holder;
  };
  std::map<Bytes, Used, std::less<>> used_;
};

}  // namespace tacenda::identity
