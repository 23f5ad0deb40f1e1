#include "crypto/password.hpp"

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

constexpr Argon2idCost kCheap{.memory_kib = 8, .passes = 1};  // the least there is

TEST(Password, VerifiesTheHashesOfBotan) {
  std::size_t argon2id = 0;
  auto const check = [&](testing::BotanCase const& values) {
    std::string const& phc = values.at("Passhash");
    if (!phc.starts_with("$argon2id$")) {
      // The other two variants are none of the product's: unreadable, not wrong.
      EXPECT_EQ(verify_password(as_bytes("pass"), phc).error().kind(), ErrorKind::kCorrupt);
      return;
    }
    ++argon2id;
    EXPECT_TRUE(verify_password(as_bytes(values.at("Password")), phc).value());
    EXPECT_FALSE(verify_password(as_bytes("Pass"), phc).value());
  };
  EXPECT_EQ(testing::for_each_botan({"passhash_argon2.vec", "Verify", "Passhash"}, check), 3U);
  EXPECT_EQ(testing::for_each_botan({"passhash_argon2.vec", "Generate", "Passhash"}, check), 3U);
  EXPECT_EQ(argon2id, 2U);
}

// argon2.vec has parallelism above 1, a secret or associated data in every case: nothing of it applies.
// The raw function is held to the PHC strings by making one out of its output.
TEST(Password, MakesAPhcStringOutOfTheRawHash) {
  testing::FrozenRandom random;
  auto const phc = hash_password(as_bytes("pass"), kCheap, random);
  ASSERT_TRUE(phc.has_value());
  EXPECT_TRUE(phc->starts_with("$argon2id$v=19$m=8,t=1,p=1$WlpaWlpaWlpaWlpaWlpaWg$")) << *phc;
  EXPECT_EQ(phc->size(), 27U + 22 + 1 + 43);
  EXPECT_TRUE(verify_password(as_bytes("pass"), *phc).value());  // libsodium's reading of it
  EXPECT_FALSE(verify_password(as_bytes("pasT"), *phc).value());
  EXPECT_FALSE(verify_password({}, *phc).value());
}

TEST(Password, HashesTheSamePasswordDifferentlyEachTime) {
  SystemRandom random;
  EXPECT_NE(hash_password(as_bytes("pass"), kCheap, random).value(),
            hash_password(as_bytes("pass"), kCheap, random).value());
}

TEST(Password, MayHoldEveryByte) {
  SystemRandom random;
  Bytes const with_zero{std::byte{1}, std::byte{0}, std::byte{0xff}};
  std::string const phc = hash_password(with_zero, kCheap, random).value();
  EXPECT_TRUE(verify_password(with_zero, phc).value());
  EXPECT_FALSE(verify_password(ByteView(with_zero).first(1), phc).value());
}

TEST(Password, HashIsNotMadeWithoutRandomness) {
  testing::BrokenRandom random;
  EXPECT_EQ(hash_password(as_bytes("pass"), kCheap, random).error().kind(), ErrorKind::kUnavailable);
}

TEST(Password, RefusesToReadWhatIsNoPhcString) {
  std::string const good =
      "$argon2id$v=19$m=8,t=1,p=1$YWFhYWFhYWE$tPAla38/iYe0rtvQKVaPv04WYar67QEGlc4fhxU185s";
  for (std::string const& phc :
       {std::string(), std::string("x"), good.substr(0, 20), good.substr(0, good.size() - 1), good + "$",
        "$argon2id$v=16" + good.substr(14), "$argon2id$v=19$m=0,t=1,p=1" + good.substr(26),
        "$argon2id$v=19$m=8,t=0,p=1" + good.substr(26), std::string(200, 'a')}) {
    auto const verified = verify_password(as_bytes("pass"), phc);
    ASSERT_FALSE(verified.has_value()) << phc;
    EXPECT_EQ(verified.error().kind(), ErrorKind::kCorrupt) << phc;
  }
}

TEST(Password, NeedsARehashWhenMadeWithLess) {
  testing::FrozenRandom random;
  std::string const phc = hash_password(as_bytes("pass"), {.memory_kib = 16, .passes = 2}, random).value();
  EXPECT_FALSE(needs_rehash(phc, {.memory_kib = 16, .passes = 2}));
  EXPECT_FALSE(needs_rehash(phc, {.memory_kib = 8, .passes = 1}));
  EXPECT_TRUE(needs_rehash(phc, {.memory_kib = 17, .passes = 2}));
  EXPECT_TRUE(needs_rehash(phc, {.memory_kib = 16, .passes = 3}));
  EXPECT_TRUE(needs_rehash("not a hash", kCheap));
}

TEST(Argon2id, RefusesCostsAndLengthsOutOfRange) {
  Bytes const salt(16);
  auto const kind = [&](ByteView with_salt, Argon2idCost cost, std::size_t size) {
    return argon2id(as_bytes("pass"), with_salt, cost, size).error().kind();
  };
  EXPECT_TRUE(argon2id(as_bytes("pass"), salt, kCheap, 32).has_value());
  EXPECT_EQ(kind(ByteView(salt).first(15), kCheap, 32), ErrorKind::kInvalid);
  EXPECT_EQ(kind(salt, {.memory_kib = 7, .passes = 1}, 32), ErrorKind::kInvalid);
  EXPECT_EQ(kind(salt, {.memory_kib = 8, .passes = 0}, 32), ErrorKind::kInvalid);
  EXPECT_EQ(kind(salt, kCheap, 15), ErrorKind::kInvalid);
  EXPECT_EQ(kind(salt, kCheap, 1'025), ErrorKind::kInvalid);
}

TEST(Argon2id, DependsOnEveryInput) {
  Bytes const salt(16);
  Bytes const other_salt(16, std::byte{1});
  auto const hash = [](std::string_view password, ByteView with_salt, Argon2idCost cost) {
    return argon2id(as_bytes(password), with_salt, cost, 32).value();
  };
  SecretBuffer const base = hash("pass", salt, kCheap);
  EXPECT_TRUE(base == hash("pass", salt, kCheap));
  EXPECT_FALSE(base == hash("past", salt, kCheap));
  EXPECT_FALSE(base == hash("pass", other_salt, kCheap));
  EXPECT_FALSE(base == hash("pass", salt, {.memory_kib = 16, .passes = 1}));
  EXPECT_FALSE(base == hash("pass", salt, {.memory_kib = 8, .passes = 2}));
}

}  // namespace
}  // namespace tacenda::crypto
