#include "crypto/random.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <set>
#include <thread>

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
