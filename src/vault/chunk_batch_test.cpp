#include "vault/chunk_batch.hpp"

#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

static_assert(!std::copyable<ChunkBatch>);

class ChunkBatches : public ::testing::Test {
 protected:
  testing::TestStore store_;
  View view_ = store_.vault->view(Keeper::kRecords);
};

TEST_F(ChunkBatches, HoldChunksInTheirPlaces) {
  auto const seal = ChunkSeal::make(*store_.vault).value();
  ChunkBatch batch(*store_.vault);
  EXPECT_TRUE(batch.empty());
  batch.add(seal, {.index = 0, .is_last = false}, as_bytes("first"));
  batch.add(seal, {.index = 1, .is_last = true}, as_bytes("second"));
  EXPECT_GT(batch.size_bytes(), 11U);
  ASSERT_TRUE(store_.commit(std::move(batch).into_set()).has_value());
  auto const row = view_.get(chunk_key(seal.id(), 1)).value();
  ASSERT_TRUE(row.has_value());
  Bytes opened;
  ASSERT_TRUE(seal.open({.index = 1, .is_last = true}, *row, opened).has_value());
  EXPECT_EQ(as_text(opened), "second");
  EXPECT_FALSE(as_text(*row).contains("second"));
}

TEST_F(ChunkBatches, TakeNoChunkOfAContentThatARecordMayOwn) {
  auto const seal = ChunkSeal::make(*store_.vault).value();
  Bytes secret;
  seal.put_secret(secret);
  auto const restored = ChunkSeal::restore(*store_.vault, secret).value();
  EXPECT_TRUE(seal.is_new());
  EXPECT_FALSE(restored.is_new());
  ChunkBatch batch(*store_.vault);
  EXPECT_DEATH(batch.add(restored, {.index = 0, .is_last = false}, as_bytes("over another")), "");
}

}  // namespace
}  // namespace tacenda::vault
