#include "crypto/random.hpp"

#include <pthread.h>
#include <string.h>  // explicit_bzero

#include <algorithm>
#include <array>
#include <atomic>

#include <openssl/rand.h>

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {
namespace {

constexpr std::size_t kBatchBytes = 512;  // a call costs 0.7 us whether it asks for 12 bytes or for 512

// Counts the forks that lie between the first process and this one.
std::atomic<std::uint64_t> fork_generation{0};

std::uint64_t current_generation() {
  // pthread_atfork fails only when memory is gone.
  static bool const registered =
      ::pthread_atfork(nullptr, nullptr, [] { fork_generation.fetch_add(1); }) == 0;
  TACENDA_ASSERT(registered);
  return fork_generation.load(std::memory_order_relaxed);
}

Result<void> draw(std::span<std::byte> out) {
  if (out.empty()) return {};
  // The generator for private values: the one for public ones may show its output to the world.
  if (RAND_priv_bytes_ex(nullptr, internal::out(out), out.size(), 0) != 1) {
    return fail(ErrorKind::kUnavailable, "system random source failed");
  }
  return {};
}

// Random bytes that nobody was given yet. Bytes are wiped as they are handed out, so that memory never
// holds a key of the past.
class Batch {
 public:
  Batch() = default;
  Batch(Batch const&) = delete;
  Batch& operator=(Batch const&) = delete;
  ~Batch() { ::explicit_bzero(bytes_.data(), bytes_.size()); }

  Result<void> take(std::span<std::byte> out) {
    std::uint64_t const generation = current_generation();
    if (out.size() > left_ || generation != generation_) {
      left_ = 0;
      TACENDA_TRY_VOID(draw(bytes_));
      left_ = bytes_.size();
      generation_ = generation;
    }
    auto const taken = std::span(bytes_).subspan(bytes_.size() - left_, out.size());
    std::ranges::copy(taken, out.begin());
    if (!taken.empty()) ::explicit_bzero(taken.data(), taken.size());
    left_ -= out.size();
    return {};
  }

 private:
  std::array<std::byte, kBatchBytes> bytes_{};
  std::size_t left_ = 0;
  std::uint64_t generation_ = 0;
};

}  // namespace

Result<void> SystemRandom::fill(std::span<std::byte> out) {
  thread_local Batch batch;
  if (out.size() > kBatchBytes / 4) return draw(out);
  return batch.take(out);
}

}  // namespace tacenda::crypto
