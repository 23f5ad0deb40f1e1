// Chunks that no record owns yet: the one commit without an event.
#include <gtest/gtest.h>

#include "audit/internal/test_store.hpp"
#include "audit/log.hpp"

namespace tacenda::audit {
namespace {

using test::commit;
using test::read_of;
using test::Store;

vault::ChunkSeal new_seal(Store const& store) {
  return vault::ChunkSeal::make(*store.vault).value();
}

vault::ChunkBatch batch_of(Store const& store, vault::ChunkSeal const& seal, std::uint32_t index) {
  vault::ChunkBatch batch(*store.vault);
  batch.add(seal, {.index = index, .is_last = false}, as_bytes("words"));
  return batch;
}

bool is_stored(Store const& store, vault::ChunkSeal const& seal, std::uint32_t index) {
  return store.vault->view(vault::Keeper::kRecords)
      .get(vault::chunk_key(seal.id(), index))
      .value()
      .has_value();
}

TEST(AuditLogUnseen, StoresChunksAndTheLogStaysAsItWas) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  auto const before = store.log->checkpoint().value();
  auto const seal = new_seal(store);
  for (std::uint32_t index = 0; index < 3; ++index) {
    ASSERT_TRUE(store.log->commit_unseen(batch_of(store, seal, index)));
    EXPECT_TRUE(is_stored(store, seal, index));
  }
  EXPECT_EQ(store.log->size(), 1U);
  EXPECT_EQ(store.log->checkpoint().value(), before);
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  EXPECT_TRUE(store.log->verify({})->empty());
  ASSERT_TRUE(store.reopen());
  EXPECT_TRUE(store.log->verify({})->empty());
  EXPECT_TRUE(is_stored(store, seal, 2));
}

TEST(AuditLogUnseen, SharesItsBatchWithCommitsThatHaveEvents) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const seal = new_seal(store);
  {
    std::vector<std::jthread> callers;
    for (std::uint32_t i = 0; i < 8; ++i) {
      callers.emplace_back([&, i] {
        for (std::uint32_t n = 0; n < 20; ++n) {
          EXPECT_TRUE(store.log->commit_unseen(batch_of(store, seal, i * 100 + n)));
          EXPECT_TRUE(commit(*store.log, read_of("p1")));
        }
      });
    }
  }
  EXPECT_EQ(store.log->size(), 160U);
  EXPECT_TRUE(is_stored(store, seal, 719));
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogUnseen, StoresNothingOfNothing) {
  Store store;
  ASSERT_TRUE(store.open());
  int const writes = store.disk->writes;
  EXPECT_TRUE(store.log->commit_unseen(vault::ChunkBatch(*store.vault)));
  EXPECT_EQ(store.disk->writes, writes);
}

TEST(AuditLogUnseen, FailsOnAFullDiskAndGoesOnAfterwards) {
  Store store;
  ASSERT_TRUE(store.open());
  ASSERT_TRUE(commit(*store.log, read_of("p1")));
  auto const seal = new_seal(store);
  store.disk->full = true;
  EXPECT_EQ(store.log->commit_unseen(batch_of(store, seal, 0)).error().kind(), ErrorKind::kNoSpace);
  store.disk->full = false;
  EXPECT_FALSE(is_stored(store, seal, 0));
  EXPECT_TRUE(store.log->commit_unseen(batch_of(store, seal, 0)));
  EXPECT_TRUE(commit(*store.log, read_of("p1")));
  EXPECT_TRUE(store.log->verify({})->empty());
}

TEST(AuditLogUnseen, AddsNothingToADamagedStore) {
  Store store;
  ASSERT_TRUE(store.open());
  store.disk->damaged = true;
  EXPECT_EQ(store.log->commit_unseen(batch_of(store, new_seal(store), 0)).error().kind(),
            ErrorKind::kCorrupt);
  EXPECT_TRUE(commit(*store.log, read_of("p1"))) << "the log goes on";
}

TEST(AuditLogUnseen, AcknowledgesNothingAfterAFailedFsync) {
  Store store;
  ASSERT_TRUE(store.open());
  auto const seal = new_seal(store);
  store.disk->broken = true;
  EXPECT_EQ(store.log->commit_unseen(batch_of(store, seal, 0)).error().kind(), ErrorKind::kUnavailable);
  EXPECT_TRUE(store.log->failed());
}

}  // namespace
}  // namespace tacenda::audit
