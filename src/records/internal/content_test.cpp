// Contents that lie apart, on the real engine: what was exchanged, cut or taken from another is never served.
#include "records/internal/content.hpp"

#include <gtest/gtest.h>

#include "codec/text.hpp"
#include "records/internal/document.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::records {
namespace {

constexpr std::size_t kChunk = kContentChunkBytes;

class Contents : public ::testing::Test {
 protected:
  /// Bytes of which no two chunks are the same.
  static Bytes bytes(std::size_t size, std::uint8_t seed = 1) {
    Bytes out(size);
    std::uint32_t state = seed;
    for (auto& each : out) {
      state = state * 1'664'525U + 1'013'904'223U;
      each = static_cast<std::byte>(state >> 24U);
    }
    return out;
  }

  static Document document(ByteView held) {
    auto const text = R"({"resourceType":"Binary","contentType":"application/pdf","data":")" +
                      codec::base64_encode(held) + R"(","language":"en"})";
    return to_document(fhir::parse_resource(text).value(), ResourceId::parse("b1").value());
  }

  /// Stores it; gives the document as it is kept.
  Document kept(ByteView held) {
    auto made = document(held);
    vault::WriteSet set;
    EXPECT_TRUE(put_content_apart(*store_.vault, view_, set, made).has_value());
    EXPECT_TRUE(store_.commit(std::move(set)).has_value());
    return made;
  }

  Rows rows() const { return {*store_.vault, view_, nullptr}; }
  std::optional<std::string> read(Document const& from, std::uint64_t first, std::size_t size) const {
    auto const found = read_content(rows(), *from.content, {first, size});
    if (found.has_value()) return *found;
    EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
    return std::nullopt;
  }

  Bytes engine_key(Document const& of, std::uint32_t index) const {
    auto const seal = vault::ChunkSeal::restore(*store_.vault, of.content->secret).value();
    return view_.full_key(vault::chunk_key(seal.id(), index));
  }
  std::optional<Bytes> raw(Document const& of, std::uint32_t index) const {
    return store_.engine->get(engine_key(of, index)).value();
  }
  void overwrite(Document const& of, std::uint32_t index, std::optional<Bytes> value) {
    storage::WriteBatch batch;
    value ? batch.put(engine_key(of, index), *std::move(value)) : batch.erase(engine_key(of, index));
    ASSERT_TRUE(store_.engine->write(batch).has_value());
  }

  vault::testing::TestStore store_;
  vault::View view_ = store_.vault->view(vault::Keeper::kRecords);
};

TEST_F(Contents, ComeBackAsTheyWereSentInWholeAndInPart) {
  for (std::size_t const size : {kChunk + 1, 2 * kChunk, 3 * kChunk - 1, 5 * kChunk + 7}) {
    auto const held = bytes(size);
    auto const text = document(held).text;
    auto stored = kept(held);
    ASSERT_TRUE(stored.content.has_value()) << size;
    EXPECT_LT(stored.text.size(), 200U);
    EXPECT_EQ(stored.content->size_bytes, size);
    for (std::size_t const first : {std::size_t{0}, std::size_t{1}, kChunk - 1, kChunk, size - 1, size}) {
      for (std::size_t const count : {std::size_t{0}, std::size_t{1}, kChunk, size}) {
        auto const length = std::min(count, size - first);
        EXPECT_EQ(read(stored, first, length), as_text(ByteView(held).subspan(first, length)));
      }
    }
    EXPECT_TRUE(verify_content(rows(), *stored.content).has_value());
    ASSERT_TRUE(put_content_back(rows(), stored).has_value());
    EXPECT_EQ(stored.text, text);
    EXPECT_FALSE(stored.content.has_value());
  }
}

TEST_F(Contents, StayInTheTextWhenTheyAreSmallOrNotAsBase64WritesThem) {
  EXPECT_FALSE(kept(bytes(kChunk)).content.has_value());
  EXPECT_FALSE(kept(bytes(1)).content.has_value());
  auto odd = document(bytes(kChunk + 1));
  odd.text[odd.data.offset + 10] = ' ';
  vault::WriteSet set;
  ASSERT_TRUE(put_content_apart(*store_.vault, view_, set, odd).has_value());
  EXPECT_FALSE(odd.content.has_value());
  EXPECT_TRUE(set.empty());
}

TEST_F(Contents, NothingOfThemIsReadableOnTheDisk) {
  auto const stored = kept(Bytes(2 * kChunk, std::byte{'w'}));
  EXPECT_FALSE(as_text(*raw(stored, 0)).contains("wwwwwwww"));
  EXPECT_NE(raw(stored, 0), raw(stored, 1));
}

TEST_F(Contents, ARangeOpensNoChunkThatItDoesNotNeed) {
  auto const held = bytes(4 * kChunk);
  auto const stored = kept(held);
  overwrite(stored, 0, tacenda::to_bytes(std::string_view("damaged")));
  overwrite(stored, 3, std::nullopt);
  EXPECT_EQ(read(stored, kChunk, 2 * kChunk), as_text(ByteView(held).subspan(kChunk, 2 * kChunk)));
  EXPECT_EQ(read(stored, kChunk - 1, 2), std::nullopt);
  EXPECT_EQ(read(stored, 3 * kChunk, 1), std::nullopt);
}

TEST_F(Contents, ChunksThatWereExchangedAreRefused) {
  auto const stored = kept(bytes(3 * kChunk));
  auto const first = raw(stored, 0);
  overwrite(stored, 0, raw(stored, 1));
  overwrite(stored, 1, first);
  EXPECT_EQ(read(stored, 0, 1), std::nullopt);
  EXPECT_EQ(read(stored, kChunk, 1), std::nullopt);
  EXPECT_EQ(verify_content(rows(), *stored.content).error().kind(), ErrorKind::kCorrupt);
}

TEST_F(Contents, ChunksOfAnotherContentAreRefused) {
  auto const held = bytes(2 * kChunk);
  auto const stored = kept(held);
  auto const before = kept(held);  // the same bytes, as a version before would have them
  overwrite(stored, 0, raw(before, 0));
  EXPECT_EQ(read(stored, 0, 1), std::nullopt);
}

TEST_F(Contents, AContentThatWasCutIsRefused) {
  auto const stored = kept(bytes(3 * kChunk));
  overwrite(stored, 2, std::nullopt);
  EXPECT_EQ(verify_content(rows(), *stored.content).error().kind(), ErrorKind::kCorrupt);
  // A chunk that is not the last does not end it, though the record claimed a smaller size.
  auto shorter = *stored.content;
  shorter.size_bytes = 2 * kChunk;
  EXPECT_EQ(read_content(rows(), shorter, {kChunk, 1}).error().kind(), ErrorKind::kCorrupt);
  auto altered = stored;
  EXPECT_EQ(put_content_back(rows(), altered).error().kind(), ErrorKind::kCorrupt);
}

TEST_F(Contents, RangesBeyondTheEndAreNoneOfIt) {
  auto const stored = kept(bytes(2 * kChunk));
  for (ContentRange const range :
       {ContentRange{2 * kChunk, 1}, ContentRange{0, 2 * kChunk + 1}, ContentRange{~std::uint64_t{0}, 2}}) {
    EXPECT_EQ(read_content(rows(), *stored.content, range).error().kind(), ErrorKind::kInvalid);
  }
}

TEST_F(Contents, KeysAreReadBack) {
  vault::ChunkSeal::Id id{};
  id.front() = std::byte{7};
  auto const key = vault::chunk_key(id, 9);
  auto const parsed = parse_content_key(key).value();
  EXPECT_EQ(parsed.id, id);
  EXPECT_EQ(parsed.index, 9U);
  EXPECT_FALSE(parse_content_key(ByteView(key).first(key.size() - 1)).has_value());
  EXPECT_FALSE(parse_content_key(Bytes(30)).has_value());
}

}  // namespace
}  // namespace tacenda::records
