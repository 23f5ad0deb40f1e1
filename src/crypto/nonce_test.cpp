#include "crypto/nonce.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

MacKey nonce_key(unsigned char byte = 3) {
  return testing::secret_of<MacKey>(Bytes(32, std::byte{byte}));
}

XaesNonce next(HedgedNonces& nonces, std::string_view associated_data, std::string_view plaintext) {
  auto const nonce = nonces.next(as_bytes(associated_data), as_bytes(plaintext));
  EXPECT_TRUE(nonce.has_value());
  return nonce.value_or(XaesNonce{});
}

// SECURITY_DESIGN section 1: the machine is cloned, so that both copies have the same counter and draw the
// same random bytes.
TEST(HedgedNonces, OfAClonedMachineDifferWhereTheMessagesDo) {
  testing::FrozenRandom random;
  auto const first_of_a_clone = [&](std::string_view associated_data, std::string_view plaintext) {
    HedgedNonces clone(nonce_key(), random);
    return next(clone, associated_data, plaintext);
  };
  std::set<XaesNonce> const different{
      first_of_a_clone("aad", "plaintext"),   first_of_a_clone("aad", "other plaintext"),
      first_of_a_clone("other", "plaintext"), first_of_a_clone("", "aadplaintext"),
      first_of_a_clone("aadplaintext", ""),   first_of_a_clone("aadp", "laintext"),
      first_of_a_clone("plaintext", "aad"),
  };
  EXPECT_EQ(different.size(), 7U);
  // The one case left: the same message under the same nonce, which tells an observer no more than that.
  EXPECT_EQ(first_of_a_clone("aad", "plaintext"), first_of_a_clone("aad", "plaintext"));
}

// The same by a real fork: one key, one counter, and a source that is frozen in both processes, as that of a
// resumed snapshot is.
TEST(HedgedNonces, K13OfAForkedProcessDifferFromItsParents) {
  testing::FrozenRandom random;
  HedgedNonces nonces(nonce_key(), random);
  (void)next(nonces, "aad", "before the fork");
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  constexpr int kMessages = 100;
  pid_t const child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    bool done = true;
    for (int i = 0; i < kMessages; ++i) {
      auto const nonce = nonces.next(as_bytes("aad"), as_bytes("the child's " + std::to_string(i)));
      done = done && nonce.has_value() && ::write(pipe[1], nonce->data(), nonce->size()) == kXaesNonceBytes;
    }
    ::_exit(done ? 0 : 1);
  }
  ::close(pipe[1]);
  std::set<XaesNonce> seen;
  for (int i = 0; i < kMessages; ++i) seen.insert(next(nonces, "aad", "the parent's " + std::to_string(i)));
  for (int i = 0; i < kMessages; ++i) {
    XaesNonce nonce{};
    ASSERT_EQ(::read(pipe[0], nonce.data(), nonce.size()), static_cast<ssize_t>(kXaesNonceBytes));
    seen.insert(nonce);
  }
  int status = -1;
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  ::close(pipe[0]);
  EXPECT_EQ(seen.size(), std::size_t{2} * kMessages);
}

TEST(HedgedNonces, OfOneObjectNeverRepeatWithAFrozenSource) {
  testing::FrozenRandom random;
  HedgedNonces nonces(nonce_key(), random);
  std::set<XaesNonce> seen;
  for (int i = 0; i < 10'000; ++i) seen.insert(next(nonces, "aad", "plaintext"));
  EXPECT_EQ(seen.size(), 10'000U);
}

TEST(HedgedNonces, NeverRepeatAcrossThreads) {
  testing::FrozenRandom random;
  HedgedNonces nonces(nonce_key(), random);
  std::mutex mutex;
  std::set<XaesNonce> seen;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        std::vector<XaesNonce> own;
        for (int j = 0; j < 1'000; ++j) own.push_back(nonces.next({}, {}).value());
        std::scoped_lock const lock(mutex);
        seen.insert(own.begin(), own.end());
      });
    }
  }
  EXPECT_EQ(seen.size(), 8'000U);
}

TEST(HedgedNonces, DependOnTheKeyAndOnTheRandomSource) {
  testing::FrozenRandom frozen;
  SystemRandom system;
  HedgedNonces one(nonce_key(1), frozen);
  HedgedNonces two(nonce_key(2), frozen);
  HedgedNonces three(nonce_key(1), system);
  XaesNonce const nonce = next(one, "a", "b");
  EXPECT_NE(nonce, next(two, "a", "b"));
  EXPECT_NE(nonce, next(three, "a", "b"));
}

TEST(HedgedNonces, FailWhenTheRandomSourceDoes) {
  testing::BrokenRandom broken;
  HedgedNonces nonces(nonce_key(), broken);
  EXPECT_EQ(nonces.next({}, {}).error().kind(), ErrorKind::kUnavailable);
}

}  // namespace
}  // namespace tacenda::crypto
