#include "identity/internal/challenge.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"

namespace tacenda::identity {
namespace {

using Ceremony = ChallengeBook::Ceremony;
using MonotonicTime = std::chrono::steady_clock::time_point;

class Challenges : public ::testing::Test {
 protected:
  Bytes offer(Ceremony ceremony, std::string_view user = {}) {
    auto made = book.offer(ceremony, user, start, random);
    EXPECT_TRUE(made.has_value());
    return std::move(*made);
  }
  crypto::SystemRandom random;
  crypto::MacKey key = crypto::random_secret<crypto::MacKey>(random).value();
  ChallengeBook book{key};
  static constexpr ChallengeBook::Holder ada{"ada", 2};
  MonotonicTime start{std::chrono::hours(7)};
};

TEST_F(Challenges, AreTakenOnce) {
  auto const challenge = offer(Ceremony::kSignIn);
  EXPECT_TRUE(book.is_open(challenge, Ceremony::kSignIn, {}, start));
  EXPECT_TRUE(book.use(challenge, ada, start));
  EXPECT_FALSE(book.is_open(challenge, Ceremony::kSignIn, {}, start));
  EXPECT_FALSE(book.use(challenge, ada, start));
}

TEST_F(Challenges, AreForOneCeremonyAndOneUser) {
  auto const challenge = offer(Ceremony::kRegister, "ada");
  EXPECT_TRUE(book.is_open(challenge, Ceremony::kRegister, "ada", start));
  EXPECT_FALSE(book.is_open(challenge, Ceremony::kRegister, "bob", start));
  EXPECT_FALSE(book.is_open(challenge, Ceremony::kSignIn, "ada", start));
}

TEST_F(Challenges, EndAfterTheirTime) {
  auto const challenge = offer(Ceremony::kSignIn);
  auto const last = start + limits::kPasskeyChallenge - std::chrono::milliseconds(1);
  EXPECT_TRUE(book.is_open(challenge, Ceremony::kSignIn, {}, last));
  EXPECT_FALSE(book.is_open(challenge, Ceremony::kSignIn, {}, last + std::chrono::milliseconds(1)));
}

TEST_F(Challenges, OfAnotherMakeAreRefused) {
  auto challenge = offer(Ceremony::kSignIn);
  ChallengeBook const other(crypto::random_secret<crypto::MacKey>(random).value());
  EXPECT_FALSE(other.is_open(challenge, Ceremony::kSignIn, {}, start));
  for (std::size_t i = 0; i < challenge.size(); ++i) {
    auto changed = challenge;
    changed[i] ^= std::byte{1};
    EXPECT_FALSE(book.is_open(changed, Ceremony::kSignIn, {}, start)) << i;
  }
  EXPECT_FALSE(book.is_open(ByteView(challenge).first(39), Ceremony::kSignIn, {}, start));
  EXPECT_FALSE(book.is_open({}, Ceremony::kSignIn, {}, start));
}

TEST_F(Challenges, UsedOnesAreForgottenWhenTheyAreOver) {
  auto const first = offer(Ceremony::kSignIn);
  EXPECT_TRUE(book.use(first, ada, start));
  auto const later = start + limits::kPasskeyChallenge;
  EXPECT_TRUE(book.use(offer(Ceremony::kSignIn), ada, start));
  EXPECT_TRUE(book.use(first, ada, later)) << "its row is gone";
  EXPECT_FALSE(book.is_open(first, Ceremony::kSignIn, {}, later)) << "and its time is over";
}

TEST_F(Challenges, OfOneHolderFillNobodyElsesRoom) {
  constexpr ChallengeBook::Holder kBob{"bob", 2};
  for (int i = 0; i < 2; ++i) EXPECT_TRUE(book.use(offer(Ceremony::kSignIn), ada, start));
  auto const third = offer(Ceremony::kSignIn);
  EXPECT_FALSE(book.use(third, ada, start));
  EXPECT_TRUE(book.is_open(third, Ceremony::kSignIn, {}, start)) << "it is not used";
  EXPECT_TRUE(book.use(offer(Ceremony::kSignIn), kBob, start));
  EXPECT_TRUE(book.use(offer(Ceremony::kSignIn), ada, start + limits::kPasskeyChallenge));
}

}  // namespace
}  // namespace tacenda::identity
