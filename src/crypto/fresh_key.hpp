#pragma once

#include <cstdint>
#include <span>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "crypto/random.hpp"

namespace tacenda::crypto {

/// Makes a 32-byte key that must never come twice, because counted nonces are used under it. A generator in
/// this process, and a batch drawn before, live on in every clone of the machine and after every return to a
/// snapshot; so the bytes come from getrandom(2) at this moment, and they are hedged with what the clones do
/// not share (see mix_fresh_key). `random` goes in as well, and its failure is passed on.
/// Thread-safe. Errors: kUnavailable.
Result<void> fresh_key(Random& random, Clock const& clock, std::span<std::byte, 32> out);

/// What tells one key from the next even when all random bytes repeat.
struct FreshKeyMoment {
  std::uint64_t counter = 0;       // keys made by this process before
  std::uint64_t process = 0;       // its number
  std::uint64_t wall_ms = 0;       // since 1970
  std::uint64_t monotonic_ns = 0;  // of the machine
};

/// HMAC-SHA-256(kernel, "tacenda/fresh-key/1" || drawn || counter(8) || process(8) || wall(8) ||
/// monotonic(8)): as good as the better of the two sources, and different for two moments when both repeat.
void mix_fresh_key(std::span<std::byte const, 32> kernel, std::span<std::byte const, 32> drawn,
                   FreshKeyMoment const& moment, std::span<std::byte, 32> out);

}  // namespace tacenda::crypto
