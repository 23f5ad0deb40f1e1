#include "core/bytes.hpp"

#include <gtest/gtest.h>

namespace tacenda {
namespace {

TEST(ByteWriter, WritesIntegersBigEndianSoThatKeysSortLikeNumbers) {
  Bytes small;
  Bytes large;
  ByteWriter(small).u64(255);
  ByteWriter(large).u64(256);
  EXPECT_TRUE(less(small, large));
  EXPECT_FALSE(less(large, small));
  Bytes two;
  ByteWriter(two).u16(0x0102).u8(3).u32(0x04050607);
  EXPECT_EQ(as_text(two), std::string_view("\x01\x02\x03\x04\x05\x06\x07"));
}

TEST(ByteReader, ReadsBackEveryField) {
  Bytes bytes;
  ByteWriter(bytes).u8(1).u16(2).u32(3).u64(4).sized("five").raw(as_bytes("6"));
  ByteReader reader(bytes);
  EXPECT_EQ(reader.u8().value(), 1);
  EXPECT_EQ(reader.u16().value(), 2);
  EXPECT_EQ(reader.u32().value(), 3U);
  EXPECT_EQ(reader.u64().value(), 4U);
  EXPECT_EQ(as_text(reader.sized().value()), "five");
  EXPECT_EQ(as_text(reader.raw(1).value()), "6");
  EXPECT_TRUE(reader.done());
}

TEST(ByteReader, RefusesEveryCutOffField) {
  Bytes bytes;
  ByteWriter(bytes).sized("text");
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    ByteReader reader(ByteView(bytes).first(size));
    auto const field = reader.sized();
    ASSERT_FALSE(field.has_value()) << size;
    EXPECT_EQ(field.error().kind(), ErrorKind::kCorrupt);
  }
}

TEST(ByteReader, RefusesALengthBeyondTheEnd) {
  Bytes bytes;
  ByteWriter(bytes).u32(0xFFFFFFFF).raw(as_bytes("x"));
  EXPECT_EQ(ByteReader(bytes).sized().error().kind(), ErrorKind::kCorrupt);
}

TEST(Less, OrdersAPrefixFirst) {
  EXPECT_TRUE(less(as_bytes("a"), as_bytes("aa")));
  EXPECT_TRUE(less(as_bytes(""), as_bytes("a")));
  EXPECT_TRUE(less(as_bytes("\x7F"), as_bytes("\x80")));
  EXPECT_FALSE(less(as_bytes("a"), as_bytes("a")));
}

}  // namespace
}  // namespace tacenda
