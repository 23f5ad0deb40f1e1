#include <gtest/gtest.h>

#include "audit/log.hpp"
#include "privacy/erasure.hpp"
#include "privacy/holds.hpp"

namespace tacenda::privacy {
namespace {

Erasure an_erasure() {
  Erasure erasure;
  erasure.id = "0b7e0c1e-5f5c-4a7e-9d1e-0d8a36a5a111";
  erasure.patient = "pat-7";
  erasure.key.fill(std::byte{0xAB});
  erasure.reason = "asked for by letter";
  erasure.grounds = {"art17-1-a", "art17-1-b"};
  erasure.asker = "u1";
  erasure.asker_name = "pia";
  erasure.state = Erasure::State::kComplete;
  erasure.ordered = from_unix_ms(1'000);
  erasure.destroyed = from_unix_ms(2'000);
  erasure.completed = from_unix_ms(3'000);
  erasure.resources = {{"Observation", 3}, {"Patient", 1}};
  erasure.versions = 9;
  erasure.rewritten = 1;
  erasure.purged = 2;
  erasure.exports = 1;
  return erasure;
}

TEST(ErasureRow, ComesBackAsItWas) {
  auto const row = encode_erasure(an_erasure());
  auto const read = decode_erasure(row);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode_erasure(*read), row);
  EXPECT_EQ(read->patient, "pat-7");
  EXPECT_EQ(read->resources.at("Observation"), 3U);
  EXPECT_EQ(read->destroyed, from_unix_ms(2'000));
  EXPECT_FALSE(read->is_under_way());
}

TEST(ErasureRow, IsRefusedWhenItIsCutAtAnyByteOrGoesOn) {
  auto row = encode_erasure(an_erasure());
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_erasure(ByteView(row).first(size)).has_value()) << size;
  row.push_back(std::byte{0});
  EXPECT_FALSE(decode_erasure(row).has_value());
}

TEST(ErasureRow, SaysForHowManyRecordsOfOthersItWaits) {
  auto waiting = an_erasure();
  waiting.waiting = 2;
  auto const row = encode_erasure(waiting);
  EXPECT_EQ(decode_erasure(row).value().waiting, 2U);
  EXPECT_EQ(encode_erasure(decode_erasure(row).value()), row);
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_erasure(ByteView(row).first(size)).has_value()) << size;
}

TEST(HoldRow, ComesBackAsItWasAndIsRefusedWhenCut) {
  Hold hold;
  hold.id = "h1";
  hold.patient = "pat-7";
  hold.ground = HoldGround::kLegalClaims;
  hold.reason = "case 12/26";
  hold.until = from_unix_ms(5'000);
  hold.set = from_unix_ms(1'000);
  auto const row = encode_hold(hold);
  auto const read = decode_hold(row);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(encode_hold(*read), row);
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_hold(ByteView(row).first(size)).has_value()) << size;
}

TEST(Hold, StandsUntilItsEndOrUntilItIsLifted_G08) {
  Hold hold;
  EXPECT_TRUE(hold.stands(from_unix_ms(1'000'000)));
  hold.until = from_unix_ms(2'000);
  EXPECT_TRUE(hold.stands(from_unix_ms(1'999)));
  EXPECT_FALSE(hold.stands(from_unix_ms(2'000)));
  hold.lifted = from_unix_ms(1'500);
  EXPECT_FALSE(hold.stands(from_unix_ms(1'600)));
}

TEST(Hold, EveryGroundHasANameAndARefusalThatNamesIt_G08) {
  for (auto const* name : {"art17-3-b", "art17-3-c", "art17-3-d", "art17-3-e", "retention"}) {
    auto const ground = hold_ground_of(name);
    ASSERT_TRUE(ground.has_value()) << name;
    EXPECT_EQ(name_of(*ground), name);
    EXPECT_EQ(refusal_of(*ground).kind(), ErrorKind::kConflict);
    EXPECT_NE(refusal_of(*ground).message().find(name), std::string_view::npos);
  }
  EXPECT_FALSE(hold_ground_of("because").has_value());
}

TEST(Certificate, ListsKeyCopiesMethodAndTimesAndNoNameAndNoLogicalId_K10) {
  auto const text = certificate_of(an_erasure(), "5e1f");
  EXPECT_TRUE(text.starts_with(audit::Log::kCertificateLine));
  for (auto const* line :
       {"store 5e1f\n", "key abababababababababababababababab\n", "keys destroyed 1970-01-01T00:00:02",
        "method NIST SP 800-88r2 cryptographic erase", "copy row of the key vault", "copy vault root file",
        "copy backups: none", "erased Observation 3\n", "versions 9\n", "verified "})
    EXPECT_NE(text.find(line), std::string::npos) << line;
  for (auto const* secret : {"pat-7", "pia", "letter"})
    EXPECT_EQ(text.find(secret), std::string::npos) << secret;
}

}  // namespace
}  // namespace tacenda::privacy
