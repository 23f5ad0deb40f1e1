#include "audit/internal/futex.hpp"

#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <climits>
#include <ctime>

namespace tacenda::audit {
namespace {

static_assert(sizeof(std::atomic<std::uint32_t>) == 4 && std::atomic<std::uint32_t>::is_always_lock_free);

void wake(std::atomic<std::uint32_t> const& word, int count) {
  // The result is the number of threads woken: nobody asks.
  (void)::syscall(SYS_futex, &word, FUTEX_WAKE_PRIVATE, count, nullptr, nullptr, 0);
}

}  // namespace

void futex_wait(std::atomic<std::uint32_t> const& word, std::uint32_t expected,
                std::optional<std::chrono::milliseconds> timeout) {
  timespec relative{};
  if (timeout) {
    relative.tv_sec = static_cast<time_t>(timeout->count() / 1000);
    relative.tv_nsec = static_cast<long>(timeout->count() % 1000) * 1'000'000;
  }
  // Woken, timed out, interrupted or the word had changed: the caller looks again in each case.
  (void)::syscall(SYS_futex, &word, FUTEX_WAIT_PRIVATE, expected, timeout ? &relative : nullptr, nullptr, 0);
}

void futex_wake_one(std::atomic<std::uint32_t> const& word) {
  wake(word, 1);
}
void futex_wake_all(std::atomic<std::uint32_t> const& word) {
  wake(word, INT_MAX);
}

}  // namespace tacenda::audit
