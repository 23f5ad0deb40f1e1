#include "crypto/running_hash.hpp"

#include <string>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

static_assert(!std::copyable<RunningSha256>);

// FIPS 180-4 example values, as in hash_test.cpp.
TEST(RunningSha256, GivesTheAnswersOfFips180HoweverTheBytesAreCut) {
  EXPECT_EQ(testing::to_hex(RunningSha256().finish()),
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  std::string const text(1'000'000, 'a');
  for (std::size_t const piece : {std::size_t{1'000'000}, std::size_t{65'536}, std::size_t{63}}) {
    RunningSha256 hash;
    for (std::size_t at = 0; at < text.size(); at += piece)
      hash.add(as_bytes(text).subspan(at).first(std::min(piece, text.size() - at)));
    EXPECT_EQ(testing::to_hex(hash.finish()),
              "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
  }
}

TEST(RunningSha256, IsTheHashOfTheWholeInOnePiece) {
  RunningSha256 hash;
  hash.add(as_bytes("a"));
  hash.add(ByteView());
  hash.add(as_bytes("bc"));
  EXPECT_EQ(hash.finish(), sha256(as_bytes("abc")));
}

}  // namespace
}  // namespace tacenda::crypto
