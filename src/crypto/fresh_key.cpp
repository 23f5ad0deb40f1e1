#include "crypto/fresh_key.hpp"

#include <string.h>  // explicit_bzero
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <chrono>

#include "crypto/hash.hpp"

namespace tacenda::crypto {
namespace {

using SeedBytes = Secret<struct FreshKeySeedTag, 32>;

Result<void> from_kernel(std::span<std::byte> out) {
  while (!out.empty()) {
    ssize_t const got = ::getrandom(out.data(), out.size(), 0);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return fail(ErrorKind::kUnavailable, "system random source failed");
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace

Result<void> fresh_key(Random& random, Clock const& clock, std::span<std::byte, 32> out) {
  static std::atomic<std::uint64_t> counter{0};
  SeedBytes drawn;
  TACENDA_TRY_VOID(random.fill(drawn.reveal_mutable()));
  SeedBytes kernel;
  TACENDA_TRY_VOID(from_kernel(kernel.reveal_mutable()));
  auto const monotonic =
      std::chrono::duration_cast<std::chrono::nanoseconds>(clock.monotonic().time_since_epoch());
  mix_fresh_key(kernel.reveal(), drawn.reveal(),
                {counter.fetch_add(1), static_cast<std::uint64_t>(::getpid()), to_unix_ms(clock.now()),
                 static_cast<std::uint64_t>(monotonic.count())},
                out);
  return {};
}

void mix_fresh_key(std::span<std::byte const, 32> kernel, std::span<std::byte const, 32> drawn,
                   FreshKeyMoment const& moment, std::span<std::byte, 32> out) {
  Bytes when;
  ByteWriter(when).u64(moment.counter).u64(moment.process).u64(moment.wall_ms).u64(moment.monotonic_ns);
  Digest key = Hmac(ByteView(kernel)).sign({as_bytes("tacenda/fresh-key/1"), drawn, when});
  std::ranges::copy(key, out.begin());
  ::explicit_bzero(key.data(), key.size());
}

}  // namespace tacenda::crypto
