#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

namespace tacenda::audit {

// Linux futexes. std::atomic::wait is the portable form, but libstdc++ 12 spins and yields in it before it
// sleeps, which costs the committer its processor when more callers wait than there are cores, and it knows
// no time-out.

/// Sleeps while `word` is `expected`. Wake-ups may be spurious.
void futex_wait(std::atomic<std::uint32_t> const& word, std::uint32_t expected,
                std::optional<std::chrono::milliseconds> timeout = std::nullopt);
void futex_wake_one(std::atomic<std::uint32_t> const& word);
void futex_wake_all(std::atomic<std::uint32_t> const& word);

}  // namespace tacenda::audit
