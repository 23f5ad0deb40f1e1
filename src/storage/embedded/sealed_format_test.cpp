#include "storage/embedded/sealed_format.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace tacenda::storage {
namespace {

HeaderBytes header_of(FileKind kind, unsigned char id) {
  FileHeader header{.kind = kind, .id = {}, .wrapped_key = to_bytes("wrapped")};
  header.id.fill(static_cast<std::byte>(id));
  return encode_header(header);
}

crypto::AeadKey key_of(unsigned char value) {
  crypto::AeadKey key;
  std::ranges::fill(key.reveal_mutable(), static_cast<std::byte>(value));
  return key;
}

TEST(FileHeader, LayoutIsTheOneThatIsDocumented) {
  auto const bytes = header_of(FileKind::kLog, 0xAB);
  EXPECT_EQ(as_text(ByteView(bytes).first(8)), std::string_view("TACENDA\x01"));
  EXPECT_EQ(bytes[8], std::byte{2});
  EXPECT_EQ(bytes[9], std::byte{2});
  EXPECT_EQ(bytes[10], std::byte{0xAB});
  EXPECT_EQ(bytes[25], std::byte{0xAB});
  EXPECT_EQ(bytes[27], std::byte{7});
  EXPECT_EQ(as_text(ByteView(bytes).subspan(28, 7)), "wrapped");
  EXPECT_EQ(header_of(FileKind::kChunks, 1)[9], std::byte{1});
}

TEST(FileHeader, ReadsBackWhatWasWritten) {
  auto const header = parse_header(header_of(FileKind::kRegistry, 3));
  ASSERT_TRUE(header.has_value());
  EXPECT_EQ(header->kind, FileKind::kRegistry);
  EXPECT_EQ(header->id[5], std::byte{3});
  EXPECT_EQ(header->wrapped_key, to_bytes("wrapped"));
}

TEST(FileHeader, RefusesOtherVersionsKindsLengthsAndFillers) {
  auto const with = [](std::size_t index, unsigned char value) {
    auto bytes = header_of(FileKind::kLog, 1);
    bytes[index] = static_cast<std::byte>(value);
    return parse_header(bytes);
  };
  EXPECT_TRUE(with(10, 9).has_value());
  EXPECT_FALSE(with(0, 't').has_value());
  EXPECT_FALSE(with(7, 2).has_value());
  EXPECT_FALSE(with(8, 0).has_value());
  EXPECT_FALSE(with(8, 5).has_value());
  EXPECT_FALSE(with(9, 1).has_value());
  EXPECT_FALSE(with(27, 0).has_value());
  EXPECT_FALSE(with(26, 2).has_value());
  EXPECT_FALSE(with(511, 1).has_value());
  EXPECT_FALSE(parse_header(ByteView(header_of(FileKind::kLog, 1)).first(511)).has_value());
}

TEST(PlainSize, IsKnownFromTheSealedSizeAlone) {
  EXPECT_EQ(*plain_size(512 + 16), 0U);
  EXPECT_EQ(*plain_size(512 + 17), 1U);
  EXPECT_EQ(*plain_size(512 + 16'400), 16'384U);
  EXPECT_EQ(*plain_size(512 + 16'400 + 17), 16'385U);
  EXPECT_FALSE(plain_size(511).has_value());
  EXPECT_FALSE(plain_size(512).has_value());
  EXPECT_FALSE(plain_size(512 + 16'400 + 3).has_value());
}

class Chunks : public testing::Test {
 protected:
  Bytes seal(std::uint64_t index, ChunkPlace place) const {
    Bytes out(5 + crypto::kTagBytes);
    codec_.seal(index, place, as_bytes("chunk"), out);
    return out;
  }
  static bool opens(ChunkCodec const& codec, std::uint64_t index, ChunkPlace place, Bytes const& sealed) {
    Bytes out(sealed.size() - crypto::kTagBytes);
    return codec.open(index, place, sealed, out).has_value();
  }
  ChunkCodec codec_{key_of(1), header_of(FileKind::kChunks, 1)};
};

TEST_F(Chunks, OpenOnlyAtTheirPlaceInTheirFile) {
  Bytes const sealed = seal(4, ChunkPlace::kInner);
  EXPECT_TRUE(opens(codec_, 4, ChunkPlace::kInner, sealed));
  EXPECT_FALSE(opens(codec_, 5, ChunkPlace::kInner, sealed));
  EXPECT_FALSE(opens(codec_, 4, ChunkPlace::kLast, sealed));
  EXPECT_FALSE(opens(ChunkCodec(key_of(1), header_of(FileKind::kChunks, 2)), 4, ChunkPlace::kInner, sealed));
  EXPECT_FALSE(opens(ChunkCodec(key_of(2), header_of(FileKind::kChunks, 1)), 4, ChunkPlace::kInner, sealed));
}

/// A log of three groups, as a writer leaves it that synced after each: "one", "two" in two records, "three".
class Log : public testing::Test {
 protected:
  Log() {
    auto const header = header_of(FileKind::kLog, 1);
    crypto::MacKey nonce_key;
    RecordSealer sealer(key_, header, nonce_key, random_);
    file_ = to_bytes(ByteView(header));
    add(sealer, "one", GroupEnd::kYes, 0);
    add(sealer, "tw", GroupEnd::kNo, ends_[0]);
    add(sealer, "o", GroupEnd::kYes, ends_[0]);
    add(sealer, "three", GroupEnd::kYes, ends_[2]);
  }
  void add(RecordSealer& sealer, std::string_view payload, GroupEnd end, std::uint64_t synced) {
    ASSERT_TRUE(sealer.seal(as_bytes(payload), end, synced, file_).has_value());
    ends_.push_back(file_.size());
  }
  std::string read(ByteView file, std::uint64_t synced = 0) const {
    auto const content = read_log(key_, file, synced);
    return content ? std::string(as_text(content->plaintext)) : "refused";
  }

  crypto::SystemRandom random_;
  crypto::AeadKey key_ = key_of(7);
  Bytes file_;
  std::vector<std::uint64_t> ends_;  // of each record
};

TEST_F(Log, ReadsWholeGroupsInOrder) {
  EXPECT_EQ(read(file_), "onetwothree");
  EXPECT_EQ(read_log(key_, file_, 0)->end, file_.size());
  EXPECT_EQ(read(file_, file_.size()), "onetwothree");
}

TEST_F(Log, AnUnsyncedTailCutAnywhereIsDroppedUpToTheLastWholeGroup) {
  for (std::size_t size = static_cast<std::size_t>(ends_[0]); size < ends_[2]; ++size) {
    EXPECT_EQ(read(ByteView(file_).first(size)), "one") << size;
  }
  for (std::size_t size = static_cast<std::size_t>(ends_[2]); size < ends_[3]; ++size) {
    EXPECT_EQ(read(ByteView(file_).first(size)), "onetwo") << size;
  }
}

TEST_F(Log, ATailThatAMarkKnowsToHaveBeenSyncedIsRefused) {
  for (std::size_t size = kHeaderBytes; size < file_.size(); ++size) {
    EXPECT_EQ(read(ByteView(file_).first(size), file_.size()), "refused") << size;
  }
  EXPECT_EQ(read(ByteView(file_).first(static_cast<std::size_t>(ends_[2])), ends_[2]), "onetwo");
}

TEST_F(Log, ADamagedRecordBeforeALaterSyncedOneIsRefused) {
  // The last record says that the second group had been synced: no flip in the first two can be a torn tail.
  for (std::size_t at = kHeaderBytes; at < ends_[2]; ++at) {
    Bytes flipped = file_;
    flipped[at] ^= std::byte{0x10};
    EXPECT_EQ(read(flipped), "refused") << at;
  }
}

TEST_F(Log, ADamagedUnsyncedRecordIsATornTailWhateverFollowsIt) {
  Bytes torn = file_;
  torn[static_cast<std::size_t>(ends_[2]) + 3] ^= std::byte{0x01};  // the length of the last record
  append(torn, Bytes(2'000, std::byte{0}));
  EXPECT_EQ(read(torn), "onetwo");
}

TEST_F(Log, NeitherAFlippedHeaderNorAnotherKeyOpensAnything) {
  Bytes other = file_;
  other[12] ^= std::byte{1};  // the file id
  EXPECT_EQ(read(other), "");
  EXPECT_EQ(read(other, file_.size()), "refused");
  EXPECT_FALSE(read_log(key_of(8), file_, file_.size()).has_value());
}

TEST_F(Log, RecordsDoNotOpenInAnotherOrder) {
  Bytes swapped = to_bytes(ByteView(file_).first(kHeaderBytes));
  auto const part = [this](std::uint64_t begin, std::uint64_t end) {
    return ByteView(file_).subspan(static_cast<std::size_t>(begin), static_cast<std::size_t>(end - begin));
  };
  append(swapped, part(ends_[2], ends_[3]));
  append(swapped, part(kHeaderBytes, ends_[0]));
  EXPECT_NE(read(swapped), "threeone");
}

TEST_F(Log, SealingTheSameTwiceWithAFrozenRandomSourceRepeatsNoNonceWithinAFile) {
  class Frozen final : public crypto::Random {
   public:
    Result<void> fill(std::span<std::byte> out) override {
      std::ranges::fill(out, std::byte{0});
      return {};
    }
  } frozen;
  crypto::MacKey nonce_key;
  RecordSealer sealer(key_, header_of(FileKind::kLog, 1), nonce_key, frozen);
  Bytes first;
  Bytes second;
  ASSERT_TRUE(sealer.seal(as_bytes("same"), GroupEnd::kYes, 0, first).has_value());
  ASSERT_TRUE(sealer.seal(as_bytes("same"), GroupEnd::kYes, 0, second).has_value());
  EXPECT_FALSE(equal(ByteView(first).subspan(37, 24), ByteView(second).subspan(37, 24)));
}

}  // namespace
}  // namespace tacenda::storage
