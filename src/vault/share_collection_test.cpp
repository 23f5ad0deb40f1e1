#include "vault/share_collection.hpp"

#include <gtest/gtest.h>

#include "vault/internal/share_text.hpp"
#include "vault/internal/slots_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::shares_of;
using testing::TestStore;
using testing::typed;

class ShareCollections : public ::testing::Test {
 protected:
  ShareCollections() {
    store_.close();
    texts_ = shares_of(store_, {3, 5});
  }
  Result<ShareCollection::Progress> add(std::size_t number) {
    return shares_.add(typed(texts_.at(number - 1)));
  }
  unsigned have() { return shares_.progress().have; }
  /// Share `number` with other bytes and a right check.
  static std::string forged(std::string const& text) {
    auto share = decode_share(as_bytes(text)).value();
    share.share.bytes.reveal_mutable()[0] ^= std::byte{1};
    return std::string(as_text(encode_share(share).reveal()));
  }
  /// Gives a set of which one is forged; what comes of it.
  Result<void> give_a_wrong_set() {
    TACENDA_TRY_VOID(add(1));
    TACENDA_TRY_VOID(add(2));
    auto const progress = TACENDA_TRY(shares_.add(typed(forged(texts_[2]))));
    return shares_.settle(store_.open(*progress.ready));
  }

  TestStore store_;
  std::vector<std::string> texts_;
  ShareCollection shares_{*store_.files, store_.places, store_.clock};
};

TEST_F(ShareCollections, K09CountUpToTheThresholdAndOpenTheStore) {
  EXPECT_EQ(shares_.progress().need, 0U);
  EXPECT_EQ(add(5)->have, 1U);
  auto const second = add(1);
  EXPECT_EQ(second->have, 2U);
  EXPECT_EQ(second->need, 3U);
  EXPECT_FALSE(second->ready.has_value());
  auto const third = add(3);
  ASSERT_TRUE(third.has_value() && third->ready.has_value());
  EXPECT_EQ(third->description, "shares 1, 3, 5 of slot 1");
  EXPECT_TRUE(shares_.settle(store_.open(*third->ready)));
  EXPECT_EQ(have(), 0U) << "nothing is kept";
}

TEST_F(ShareCollections, K09TheSameShareAgainDoesNotCountTwice) {
  for (int i = 0; i < 5; ++i) {
    auto const progress = add(2);
    ASSERT_TRUE(progress.has_value());
    EXPECT_EQ(progress->have, 1U);
    EXPECT_FALSE(progress->ready.has_value());
  }
}

TEST_F(ShareCollections, K09AnotherShareOfTheSameNumberIsRefusedAndTheFirstKept) {
  ASSERT_TRUE(add(1));
  auto const refused = shares_.add(typed(forged(texts_[0])));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  ASSERT_TRUE(add(2));
  EXPECT_TRUE(add(3)->ready.has_value());
}

TEST_F(ShareCollections, K09AWrongShareSpoilsTheSetAndIsNotNamed) {
  auto const opened = give_a_wrong_set();
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().kind(), ErrorKind::kUnauthenticated);
  for (auto const digit : {'1', '2', '3'}) EXPECT_FALSE(opened.error().message().contains(digit));
  EXPECT_EQ(have(), 0U);
  EXPECT_EQ(shares_.take_failures(), 1U);
  EXPECT_EQ(shares_.take_failures(), 0U);
}

TEST_F(ShareCollections, K09SharesOfAnotherStoreAreRefusedAndChangeNothing) {
  ASSERT_TRUE(add(1));
  TestStore other;
  other.close();
  auto const foreign = shares_.add(typed(shares_of(other, {3, 5})[1]));
  ASSERT_FALSE(foreign.has_value());
  EXPECT_EQ(foreign.error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(shares_.add(typed("TCS1-nonsense")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(shares_.add(typed("")).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(have(), 1U);
}

TEST_F(ShareCollections, K09AShareThatClaimsOtherNumbersIsRefused) {
  auto share = decode_share(as_bytes(texts_[0])).value();
  share.threshold = 2;
  EXPECT_EQ(shares_.add(encode_share(share)).error().kind(), ErrorKind::kNotFound);
  share = decode_share(as_bytes(texts_[0])).value();
  share.share.index = 6;
  EXPECT_EQ(shares_.add(encode_share(share)).error().kind(), ErrorKind::kNotFound);
  share = decode_share(as_bytes(texts_[0])).value();
  share.slot = 0;  // the key file's
  EXPECT_EQ(shares_.add(encode_share(share)).error().kind(), ErrorKind::kNotFound);
}

TEST_F(ShareCollections, K09AreForgottenOnResetAndAfterFifteenMinutes) {
  ASSERT_TRUE(add(1));
  shares_.reset();
  EXPECT_EQ(have(), 0U);
  ASSERT_TRUE(add(1));
  store_.clock.advance(std::chrono::minutes(14));
  shares_.tick();
  EXPECT_EQ(add(2)->have, 2U);
  store_.clock.advance(std::chrono::minutes(14));
  shares_.tick();
  EXPECT_EQ(have(), 2U) << "each one gives the others time";
  store_.clock.advance(std::chrono::minutes(1));
  shares_.tick();
  EXPECT_EQ(have(), 0U);
}

TEST_F(ShareCollections, K09AreNotTakenWhenTheirTimeIsOverThoughNothingTicked) {
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(add(2));
  store_.clock.advance(std::chrono::minutes(15));
  EXPECT_EQ(add(3)->have, 1U);
}

TEST_F(ShareCollections, K09AfterFiveWrongSetsNobodyTriesForAWhile) {
  for (unsigned i = 0; i < ShareCollection::kFailuresMax; ++i)
    EXPECT_EQ(give_a_wrong_set().error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_EQ(add(1).error().kind(), ErrorKind::kThrottled);
  store_.clock.advance(std::chrono::minutes(14));
  EXPECT_EQ(add(1).error().kind(), ErrorKind::kThrottled);
  store_.clock.advance(std::chrono::minutes(1));
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(add(2));
  EXPECT_TRUE(shares_.settle(store_.open(*add(3)->ready)));
}

TEST_F(ShareCollections, AFailureOfTheStoreIsNoGuess) {
  EXPECT_EQ(shares_.settle(fail(ErrorKind::kCorrupt, "damaged")).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(shares_.take_failures(), 0U);
}

TEST_F(ShareCollections, K09AreKeptWhenWhatFailedHasNothingToDoWithThem) {
  ASSERT_TRUE(add(1));
  ASSERT_TRUE(add(2));
  ASSERT_TRUE(add(4)->ready.has_value());
  auto const full = shares_.settle(fail(ErrorKind::kNoSpace, "disk is full"));
  EXPECT_EQ(full.error().kind(), ErrorKind::kNoSpace);
  EXPECT_EQ(have(), 3U);
  auto const again = add(4);
  ASSERT_TRUE(again.has_value() && again->ready.has_value()) << "one holder is enough to try again";
  EXPECT_TRUE(shares_.settle(store_.open(*again->ready)));
  EXPECT_EQ(have(), 0U);
}

TEST_F(ShareCollections, K09MoreThanAreNeededOpenTheStoreWhenTheFirstTryFailedForAnotherReason) {
  for (std::size_t const number : {1U, 2U, 3U}) ASSERT_TRUE(add(number));
  ASSERT_FALSE(shares_.settle(fail(ErrorKind::kUnavailable, "no medium")).has_value());
  auto const fourth = add(4);
  ASSERT_TRUE(fourth.has_value() && fourth->ready.has_value());
  EXPECT_EQ(fourth->description, "shares 1, 2, 3, 4 of slot 1");
  EXPECT_TRUE(shares_.settle(store_.open(*fourth->ready)));
}

TEST_F(ShareCollections, K09AreForgottenThoughTheyWereTriedAndKept) {
  for (std::size_t const number : {1U, 2U, 3U}) ASSERT_TRUE(add(number));
  ASSERT_FALSE(shares_.settle(fail(ErrorKind::kUnavailable, "no medium")).has_value());
  store_.clock.advance(std::chrono::minutes(15));
  shares_.tick();
  EXPECT_EQ(have(), 0U);
}

}  // namespace
}  // namespace tacenda::vault
