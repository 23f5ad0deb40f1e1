// Uploads on the real engine: what is stored before there is a version, and that it goes when nothing comes
// of it.
#include "records/upload.hpp"

#include <array>

#include <gtest/gtest.h>

#include "records/internal/content.hpp"
#include "records/internal/upload_rows.hpp"
#include "records/store.hpp"
#include "vault/digest.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::records {
namespace {

constexpr std::size_t kChunk = kContentChunkBytes;

class Uploads : public ::testing::Test {
 protected:
  static Bytes bytes(std::size_t size) {
    Bytes out(size);
    std::uint32_t state = 7;
    for (auto& each : out) {
      state = state * 1'664'525U + 1'013'904'223U;
      each = static_cast<std::byte>(state >> 24U);
    }
    return out;
  }

  /// Stores all of it, as a server does, in pieces of one size.
  UploadedContent uploaded(ByteView held, std::size_t piece) {
    auto upload = Upload::begin(*store_.vault).value();
    vault::WriteSet begun;
    upload.begin_in(begun, store_.clock.now());
    EXPECT_TRUE(store_.commit(std::move(begun)).has_value());
    auto const store = [&] { EXPECT_TRUE(store_.commit(upload.next_batch().into_set()).has_value()); };
    while (!held.empty()) {
      auto const count = std::min(piece, held.size());
      upload.add(held.first(count));
      held = held.subspan(count);
      if (upload.is_due()) store();
    }
    upload.finish();
    store();
    return upload.content();
  }
  static ContentApart apart(UploadedContent const& content) {
    return {
        .offset = 0, .size_bytes = content.size_bytes, .digest = content.digest, .secret = content.secret};
  }
  Rows rows() const { return {*store_.vault, view_, nullptr}; }
  std::size_t count(std::string_view prefix) const {
    std::size_t rows = 0;
    EXPECT_TRUE(view_
                    .scan(as_bytes(prefix),
                          [&](ByteView, ByteView) -> Result<bool> {
                            ++rows;
                            return true;
                          })
                    .has_value());
    return rows;
  }

  vault::testing::TestStore store_;
  vault::View view_ = store_.vault->view(vault::Keeper::kRecords);
  Store records_{*store_.vault};
};

TEST_F(Uploads, AreTheContentHoweverItCame) {
  for (std::size_t const size : {kChunk + 1, 2 * kChunk, 40 * kChunk - 1, 40 * kChunk}) {
    for (std::size_t const piece : {std::size_t{100'003}, kChunk, size}) {
      auto const held = bytes(size);
      auto const content = uploaded(held, piece);
      EXPECT_EQ(content.size_bytes, size);
      EXPECT_EQ(content.digest, vault::digest(held));
      EXPECT_TRUE(verify_content(rows(), apart(content)).has_value());
      EXPECT_EQ(read_content(rows(), apart(content), {kChunk - 1, 2}).value(),
                as_text(ByteView(held).subspan(kChunk - 1, 2)));
    }
  }
}

TEST_F(Uploads, GatherNoMoreThanOneBatch) {
  auto upload = Upload::begin(*store_.vault).value();
  auto const piece = bytes(144 * 1024);
  std::size_t most = 0;
  for (int i = 0; i < 100; ++i) {
    upload.add(piece);
    if (!upload.is_due()) continue;
    auto const batch = upload.next_batch();
    most = std::max(most, batch.size_bytes());
  }
  EXPECT_LT(most, Upload::kBatchBytes + 256 * 1024);
}

TEST_F(Uploads, AreListedUntilTheyAreRemoved) {
  EXPECT_TRUE(records_.uploads(10).value().empty());
  auto const content = uploaded(bytes(3 * kChunk), kChunk);
  ASSERT_EQ(records_.uploads(10).value(), std::vector{content.id});
  auto sweep = records_.sweep_upload(content.id, 100).value();
  EXPECT_TRUE(sweep.was_there);
  EXPECT_TRUE(sweep.is_done);
  EXPECT_EQ(sweep.chunks, 3U);
  ASSERT_TRUE(store_.commit(std::move(sweep.set)).has_value());
  EXPECT_TRUE(records_.uploads(10).value().empty());
  EXPECT_EQ(count("B"), 0U);
  EXPECT_FALSE(records_.sweep_upload(content.id, 100).value().was_there);
}

TEST_F(Uploads, AreRemovedInPartsThatAPowerCutMaySeparate) {
  auto const other = uploaded(bytes(2 * kChunk), kChunk);
  auto const content = uploaded(bytes(7 * kChunk), kChunk);
  for (std::size_t left : {5U, 3U, 1U}) {
    auto sweep = records_.sweep_upload(content.id, 2).value();
    EXPECT_FALSE(sweep.is_done);
    ASSERT_TRUE(store_.commit(std::move(sweep.set)).has_value());
    EXPECT_EQ(count("B"), left + 2);
    EXPECT_EQ(decode_upload(*view_.get(upload_key(content.id)).value()).value().state, UploadState::kEnding);
  }
  auto sweep = records_.sweep_upload(content.id, 2).value();
  EXPECT_TRUE(sweep.is_done);
  ASSERT_TRUE(store_.commit(std::move(sweep.set)).has_value());
  EXPECT_EQ(records_.uploads(10).value(), std::vector{other.id});
  EXPECT_TRUE(verify_content(rows(), apart(other)).has_value()) << "nothing of another is touched";
}

TEST_F(Uploads, OneRemovalOfTwoIsRefused) {
  auto const content = uploaded(bytes(2 * kChunk), kChunk);
  auto first = records_.sweep_upload(content.id, 100).value();
  auto second = records_.sweep_upload(content.id, 100).value();
  ASSERT_TRUE(store_.commit(std::move(first.set)).has_value());
  EXPECT_EQ(store_.commit(std::move(second.set)).error().kind(), ErrorKind::kConflict);
}

TEST_F(Uploads, ARowThatCannotBeReadIsRemovedWithItsChunks) {
  auto const content = uploaded(bytes(2 * kChunk), kChunk);
  vault::WriteSet set;
  view_.put(set, upload_key(content.id), tacenda::to_bytes(std::string_view("?")));
  ASSERT_TRUE(store_.commit(std::move(set)).has_value());
  auto sweep = records_.sweep_upload(content.id, 100).value();
  ASSERT_TRUE(store_.commit(std::move(sweep.set)).has_value());
  EXPECT_EQ(count("B") + count("U"), 0U);
}

std::size_t rows_of(vault::View const& view, std::string_view prefix) {
  std::size_t rows = 0;
  EXPECT_TRUE(view.scan(as_bytes(prefix),
                        [&](ByteView, ByteView) -> Result<bool> {
                          ++rows;
                          return true;
                        })
                  .has_value());
  return rows;
}

/// Begins an upload of three chunks in two batches and removes it in two parts; how many commits were
/// acknowledged.
int upload_and_remove(vault::testing::TestStore& store) {
  auto upload = Upload::begin(*store.vault).value();
  vault::WriteSet begun;
  upload.begin_in(begun, store.clock.now());
  if (!store.commit(std::move(begun)).has_value()) return 0;
  upload.add(Bytes(2 * kChunk + 1, std::byte{'x'}));
  if (!store.commit(upload.next_batch().into_set()).has_value()) return 1;
  upload.finish();
  if (!store.commit(upload.next_batch().into_set()).has_value()) return 2;
  Store const records(*store.vault);
  for (int commits = 3; commits < 5; ++commits) {
    auto sweep = records.sweep_upload(upload.id(), 2);
    if (!sweep.has_value() || !store.commit(std::move(sweep->set)).has_value()) return commits;
  }
  return 5;
}

TEST(UploadPower, ACutAtAnyStepLeavesNoChunkWithoutItsRowAndNothingThatIsNotRemoved) {
  constexpr std::array<std::size_t, 6> kChunksAfter{0, 0, 2, 3, 1, 0};
  std::uint64_t step = 1;
  for (bool was_cut = true; was_cut; ++step) {
    ASSERT_LT(step, 200U);
    vault::testing::TestStore store(step);
    store.disk->cut_power_in(step);
    auto const acknowledged = static_cast<std::size_t>(upload_and_remove(store));
    was_cut = store.disk->power_is_cut();
    store.close();
    store.disk->restart();
    ASSERT_TRUE(store.open().has_value()) << step;
    auto const view = store.vault->view(vault::Keeper::kRecords);
    auto const chunks = rows_of(view, "B");
    // The commit that was cut off may have been stored, or not.
    auto const next = std::min<std::size_t>(acknowledged + 1, 5);
    EXPECT_TRUE(chunks == kChunksAfter.at(acknowledged) || chunks == kChunksAfter.at(next))
        << step << ": " << chunks;
    EXPECT_TRUE(chunks == 0 || rows_of(view, "U") == 1) << "at step " << step << " chunks are nobody's";
    Store const records(*store.vault);
    auto const left = records.uploads(10).value();
    for (auto const& id : left) {
      auto sweep = records.sweep_upload(id, 100).value();
      ASSERT_TRUE(store.commit(std::move(sweep.set)).has_value());
    }
    EXPECT_EQ(rows_of(view, "B") + rows_of(view, "U"), 0U) << step;
  }
  EXPECT_GT(step, 5U);
}

TEST(UploadRows, AreReadBack) {
  UploadRow const row{UploadState::kEnding, from_unix_ms(1'800'000'000'000)};
  auto const again = decode_upload(encode_upload(row)).value();
  EXPECT_EQ(again.state, row.state);
  EXPECT_EQ(again.begun, row.begun);
  for (Bytes bad : {Bytes(), Bytes(10), Bytes(11, std::byte{1})})
    EXPECT_FALSE(decode_upload(bad).has_value());
  UploadId id{};
  id.back() = std::byte{9};
  EXPECT_EQ(parse_upload_key(upload_key(id)).value(), id);
  EXPECT_FALSE(parse_upload_key(Bytes(17)).has_value());
}

}  // namespace
}  // namespace tacenda::records
