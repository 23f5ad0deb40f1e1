#include "crypto/table_hash.hpp"

#include <set>

#include <gtest/gtest.h>

namespace tacenda::crypto {
namespace {

TEST(TableHash, IsOfTheConcatenation) {
  auto const whole = to_bytes("Patient/1|consents");
  auto const begin = to_bytes("Patient/1");
  auto const end = to_bytes("|consents");
  EXPECT_EQ(table_hash({whole}), table_hash({begin, end}));
  EXPECT_EQ(table_hash({whole}), table_hash({whole}));
  EXPECT_NE(table_hash({whole}), table_hash({begin}));
  EXPECT_EQ(table_hash({}), table_hash({ByteView(), ByteView()}));
}

TEST(TableHash, TakesAnyLength) {
  std::set<std::uint64_t> seen;
  Bytes text;
  for (std::size_t size = 0; size < 1'100; ++size, text.push_back(std::byte{'x'})) {
    seen.insert(table_hash({text}));
    auto const half = ByteView(text).first(size / 2);
    EXPECT_EQ(table_hash({text}), table_hash({half, ByteView(text).subspan(size / 2)})) << size;
  }
  EXPECT_EQ(seen.size(), 1'100);
}

}  // namespace
}  // namespace tacenda::crypto
