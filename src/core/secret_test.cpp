#include "core/secret.hpp"

#include <concepts>
#include <ostream>

#include <gtest/gtest.h>

namespace tacenda {
namespace {

using Key = Secret<struct KeyTag, 32>;
using OtherKey = Secret<struct OtherKeyTag, 32>;

template <typename T>
concept Printable = requires(std::ostream& out, T const& value) { out << value; };

TEST(Secret, IsWipedWhenMovedFrom) {
  Key key;
  key.reveal_mutable()[0] = std::byte{7};
  Key const moved = std::move(key);
  EXPECT_EQ(moved.reveal()[0], std::byte{7});
  EXPECT_EQ(key.reveal()[0], std::byte{0});  // NOLINT(bugprone-use-after-move): that is the point
}

TEST(Secret, ComparesByValue) {
  Key a;
  Key b;
  EXPECT_TRUE(a == b);
  b.reveal_mutable()[31] = std::byte{1};
  EXPECT_FALSE(a == b);
}

TEST(SecretBuffer, ComparesByValueAndLength) {
  EXPECT_TRUE(SecretBuffer(as_bytes("abc")) == SecretBuffer(as_bytes("abc")));
  EXPECT_FALSE(SecretBuffer(as_bytes("abc")) == SecretBuffer(as_bytes("abd")));
  EXPECT_FALSE(SecretBuffer(as_bytes("abc")) == SecretBuffer(as_bytes("ab")));
}

static_assert(!std::copyable<Key> && !Printable<Key>);
static_assert(!std::copyable<SecretBuffer> && !Printable<SecretBuffer>);
static_assert(!std::constructible_from<Key, OtherKey>);

}  // namespace
}  // namespace tacenda
