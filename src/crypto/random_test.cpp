#include "crypto/random.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/bytes.hpp"
#include "crypto/aead.hpp"
#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

TEST(SystemRandom, NeverGivesTheSameTwice) {
  SystemRandom random;
  std::set<std::array<std::byte, 24>> seen;
  for (int i = 0; i < 5'000; ++i) {
    std::array<std::byte, 24> bytes{};
    ASSERT_TRUE(random.fill(bytes).has_value());
    seen.insert(bytes);
  }
  EXPECT_EQ(seen.size(), 5'000U);
}

TEST(SystemRandom, FillsEveryLength) {
  SystemRandom random;
  for (std::size_t const size :
       std::initializer_list<std::size_t>{0, 1, 127, 128, 129, 511, 512, 513, 100'000}) {
    // A byte that is zero after eight draws was not written (chance 2^-64 each).
    Bytes any(size);
    for (int i = 0; i < 8; ++i) {
      Bytes bytes(size);
      ASSERT_TRUE(random.fill(bytes).has_value());
      for (std::size_t j = 0; j < size; ++j) any[j] |= bytes[j];
    }
    EXPECT_EQ(std::ranges::count(any, std::byte{0}), 0) << size;
  }
}

// The child has a copy of the parent's batch and must not hand it out.
TEST(SystemRandom, GivesAForkedChildOtherBytesThanItsParent) {
  SystemRandom random;
  std::array<std::byte, 32> bytes{};
  ASSERT_TRUE(random.fill(bytes).has_value());  // so that there is a batch
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  pid_t const child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool const filled = random.fill(bytes).has_value();
    ::_exit(filled && ::write(pipe[1], bytes.data(), bytes.size()) == 32 ? 0 : 1);
  }
  ASSERT_TRUE(random.fill(bytes).has_value());
  std::array<std::byte, 32> childs{};
  EXPECT_EQ(::read(pipe[0], childs.data(), childs.size()), 32);
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  EXPECT_NE(childs, bytes);
}

TEST(SystemRandom, K13AMillionTokensAreUnique) {
  using Token = std::array<std::byte, 16>;  // 128 bits: the shortest that anything here is
  constexpr std::size_t kTokens = 1'000'000;
  constexpr std::size_t kThreads = 4;
  SystemRandom random;
  std::vector<Token> tokens(kTokens);
  {
    std::vector<std::jthread> threads;
    for (std::size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back(
          [&random, own = std::span(tokens).subspan(i * kTokens / kThreads, kTokens / kThreads)] {
            for (auto& token : own) {
              if (!random.fill(token).has_value()) return;  // stays zero, and is found below
            }
          });
    }
  }
  std::ranges::sort(tokens);
  EXPECT_EQ(std::ranges::adjacent_find(tokens), tokens.end());
  EXPECT_NE(tokens.front(), Token{});
  // Each bit is set in about half of them: 8 standard deviations are 4,000.
  for (std::size_t bit = 0; bit < 128; ++bit) {
    auto const set = std::ranges::count_if(tokens, [bit](Token const& token) {
      return (std::to_integer<unsigned>(token[bit / 8]) >> (bit % 8) & 1U) != 0;
    });
    EXPECT_NEAR(static_cast<double>(set), kTokens / 2.0, 4'000.0) << bit;
  }
}

/// What a forked child, and its own child, draw; written to `out` one behind the other.
bool draw_in_descendants(SystemRandom& random, int out, int generations) {
  std::array<std::byte, 32> bytes{};
  bool done = random.fill(bytes).has_value() && ::write(out, bytes.data(), bytes.size()) == 32;
  if (generations > 1) {
    pid_t const child = ::fork();
    if (child == 0) ::_exit(draw_in_descendants(random, out, generations - 1) ? 0 : 1);
    int status = -1;
    done = done && child > 0 && ::waitpid(child, &status, 0) == child && status == 0;
  }
  return done;
}

TEST(SystemRandom, K13ReseedsInChildrenGrandchildrenAndSiblings) {
  SystemRandom random;
  std::set<std::array<std::byte, 32>> seen;
  std::array<std::byte, 32> bytes{};
  ASSERT_TRUE(random.fill(bytes).has_value());  // so that there is a batch
  constexpr int kSiblings = 4;
  constexpr int kGenerations = 3;
  for (int i = 0; i < kSiblings; ++i) {
    std::array<int, 2> pipe{};
    ASSERT_EQ(::pipe(pipe.data()), 0);
    // The parent draws nothing in between: all siblings begin from the same memory.
    pid_t const child = ::fork();
    ASSERT_GE(child, 0);
    if (child == 0) ::_exit(draw_in_descendants(random, pipe[1], kGenerations) ? 0 : 1);
    ::close(pipe[1]);
    for (int n = 0; n < kGenerations; ++n) {
      ASSERT_EQ(::read(pipe[0], bytes.data(), bytes.size()), 32);
      seen.insert(bytes);
    }
    int status = -1;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    EXPECT_EQ(status, 0);
    ::close(pipe[0]);
  }
  ASSERT_TRUE(random.fill(bytes).has_value());
  seen.insert(bytes);
  EXPECT_EQ(seen.size(), std::size_t{kSiblings} * kGenerations + 1);
}

TEST(SystemRandom, GivesThreadsDifferentBytes) {
  SystemRandom random;
  std::array<std::byte, 32> mine{};
  std::array<std::byte, 32> others{};
  ASSERT_TRUE(random.fill(mine).has_value());
  std::jthread([&] { EXPECT_TRUE(random.fill(others).has_value()); }).join();
  EXPECT_NE(mine, others);
}

TEST(RandomSecret, PassesAFailureOn) {
  testing::BrokenRandom random;
  EXPECT_EQ(random_secret<AeadKey>(random).error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tacenda::crypto
