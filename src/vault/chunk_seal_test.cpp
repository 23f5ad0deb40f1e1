#include "vault/chunk_seal.hpp"

#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

static_assert(!std::copyable<ChunkSeal>);

class ChunkSeals : public ::testing::Test {
 protected:
  ChunkSeal made() { return ChunkSeal::make(*store_.vault).value(); }
  ChunkSeal again(ChunkSeal const& seal) {
    Bytes secret;
    seal.put_secret(secret);
    return ChunkSeal::restore(*store_.vault, secret).value();
  }
  static std::string opened(ChunkSeal const& seal, ChunkPlace place, ByteView sealed) {
    Bytes out;
    auto const result = seal.open(place, sealed, out);
    EXPECT_TRUE(result.has_value() || out.empty());
    return result.has_value() ? std::string(as_text(out)) : "refused";
  }

  testing::TestStore store_;
};

TEST_F(ChunkSeals, OpenWhatTheSecretOfTheirRecordOpens) {
  auto const seal = made();
  auto const chunk = seal.seal({.index = 3, .is_last = false}, as_bytes("words"));
  EXPECT_EQ(opened(again(seal), {.index = 3, .is_last = false}, chunk), "words");
  EXPECT_EQ(chunk.size(), 2U + 24 + 5 + 16);
  EXPECT_FALSE(as_text(chunk).contains("words"));
}

TEST_F(ChunkSeals, StandInTheirOwnPlaceAlone) {
  auto const seal = made();
  auto const chunk = seal.seal({.index = 3, .is_last = false}, as_bytes("words"));
  EXPECT_EQ(opened(seal, {.index = 4, .is_last = false}, chunk), "refused");
  EXPECT_EQ(opened(seal, {.index = 3, .is_last = true}, chunk), "refused");
  EXPECT_EQ(opened(made(), {.index = 3, .is_last = false}, chunk), "refused");
}

TEST_F(ChunkSeals, RefuseWhatWasAltered) {
  auto const seal = made();
  auto const chunk = seal.seal({.index = 0, .is_last = true}, as_bytes("words"));
  for (std::size_t i = 0; i < chunk.size(); ++i) {
    Bytes altered = chunk;
    altered[i] ^= std::byte{1};
    EXPECT_EQ(opened(seal, {.index = 0, .is_last = true}, altered), "refused") << i;
    EXPECT_EQ(opened(seal, {.index = 0, .is_last = true}, ByteView(chunk).first(i)), "refused") << i;
  }
}

// A cloned machine draws the same key twice: one nonce for two texts would open both.
TEST_F(ChunkSeals, GiveDifferentTextsDifferentNoncesUnderOneKey) {
  auto const seal = made();
  auto const clone = again(seal);
  auto const nonce = [](Bytes const& chunk) { return Bytes(chunk.begin() + 2, chunk.begin() + 26); };
  ChunkPlace const place{.index = 0, .is_last = true};
  EXPECT_NE(nonce(seal.seal(place, as_bytes("one"))), nonce(clone.seal(place, as_bytes("two"))));
  EXPECT_NE(nonce(seal.seal({.index = 0}, as_bytes("one"))), nonce(seal.seal({.index = 1}, as_bytes("one"))));
}

TEST_F(ChunkSeals, NeedAWholeSecret) {
  EXPECT_EQ(ChunkSeal::restore(*store_.vault, Bytes(47)).error().kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tacenda::vault
