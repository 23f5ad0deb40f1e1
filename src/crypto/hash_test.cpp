#include "crypto/hash.hpp"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::from_hex;
using testing::hex_of;
using testing::to_hex;

// FIPS 180-4 example values (NIST, "SHA256.pdf" and SHA256ShortMsg/LongMsg of the CAVP).
TEST(Sha256, GivesTheAnswersOfFips180) {
  EXPECT_EQ(to_hex(sha256(ByteView())), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(to_hex(sha256(as_bytes("abc"))),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(sha256(as_bytes("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"))),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
  EXPECT_EQ(to_hex(sha256(
                as_bytes("abcdefghbcdefghicdefghijdefghijkefghijklfghijklmghijklmnhijklmnoijklmnopjklmnopq"
                         "klmnopqrlmnopqrsmnopqrstnopqrstu"))),
            "cf5b16a778af8380036ce59e7b0492370b249b11e8f07a51afac45037afee9d1");
  EXPECT_EQ(to_hex(sha256(as_bytes(std::string(1'000'000, 'a')))),
            "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Sha256, OfPartsIsThatOfTheirConcatenation) {
  EXPECT_EQ(sha256({as_bytes("a"), ByteView(), as_bytes("bc")}), sha256(as_bytes("abc")));
  EXPECT_EQ(sha256(std::initializer_list<ByteView>{}), sha256(ByteView()));
}

TEST(Hmac, GivesTheAnswersOfWycheproof) {
  auto const count = testing::for_each_wycheproof("hmac_sha256_test.json", [](auto group, auto test) {
    Hmac const hmac{ByteView(hex_of(test, "key"))};
    Bytes const message = hex_of(test, "msg");
    Bytes const tag = hex_of(test, "tag");
    std::int64_t const tag_bits = group["tagSize"];
    EXPECT_EQ(tag_bits, static_cast<std::int64_t>(tag.size() * 8));
    Digest const mac = hmac.sign({message});
    EXPECT_EQ(equal_constant_time(ByteView(mac).first(tag.size()), tag), testing::is_valid(test));
    // A truncated MAC is none: only the whole one is accepted.
    EXPECT_EQ(hmac.verify({message}, tag), testing::is_valid(test) && tag.size() == 32);
    return true;
  });
  EXPECT_EQ(count, 174U);
}

TEST(Hmac, GivesTheAnswersOfBotan) {
  auto const count = testing::for_each_botan({"hmac.vec", "HMAC(SHA-256)", "Out"}, [](auto const& values) {
    Hmac const hmac{ByteView(from_hex(values.at("Key")))};
    EXPECT_EQ(to_hex(hmac.sign({from_hex(values.at("In"))})), to_hex(from_hex(values.at("Out"))));
  });
  EXPECT_EQ(count, 7U);
}

TEST(Hmac, GivesTheSameFromManyThreadsAtOnce) {
  Hmac const hmac(as_bytes("key"));
  Digest const expected = hmac.sign({as_bytes("one"), as_bytes("two")});
  std::atomic<int> wrong = 0;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 2'000; ++j) wrong += hmac.sign({as_bytes("onet"), as_bytes("wo")}) != expected;
      });
    }
  }
  EXPECT_EQ(wrong, 0);
}

TEST(Hmac, SurvivesAMove) {
  Hmac first(as_bytes("key"));
  Digest const expected = first.sign({as_bytes("text")});
  Hmac const second = std::move(first);
  EXPECT_TRUE(second.verify({as_bytes("text")}, expected));
}

TEST(EqualConstantTime, ComparesContentAndLength) {
  EXPECT_TRUE(equal_constant_time(as_bytes("abc"), as_bytes("abc")));
  EXPECT_TRUE(equal_constant_time({}, {}));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("abd")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), as_bytes("ab")));
  EXPECT_FALSE(equal_constant_time(as_bytes("abc"), {}));
}

std::size_t check_hkdf_wycheproof(HkdfHash hash, std::string_view file) {
  return testing::for_each_wycheproof(file, [&](auto, auto test) {
    std::uint64_t const size = test["size"];
    auto const derived = hkdf(hash, hex_of(test, "ikm"), hex_of(test, "salt"), hex_of(test, "info"), size);
    EXPECT_EQ(derived.has_value(), testing::is_valid(test));
    if (derived) {
      EXPECT_EQ(to_hex(derived->reveal()), std::string_view(test["okm"]));
    } else {
      EXPECT_EQ(derived.error().kind(), ErrorKind::kInvalid);
    }
    return true;
  });
}

TEST(Hkdf, GivesTheAnswersOfWycheproof) {
  EXPECT_EQ(check_hkdf_wycheproof(HkdfHash::kSha256, "hkdf_sha256_test.json"), 86U);
  EXPECT_EQ(check_hkdf_wycheproof(HkdfHash::kSha512, "hkdf_sha512_test.json"), 83U);
}

std::size_t check_hkdf_botan(HkdfHash hash, std::string_view section) {
  return testing::for_each_botan({"hkdf.vec", section, "Output"}, [&](auto const& values) {
    auto const value_of = [&](char const* name) {
      return values.contains(name) ? from_hex(values.at(name)) : Bytes();
    };
    Bytes const expected = value_of("Output");
    auto const derived = hkdf(hash, value_of("Secret"), value_of("Salt"), value_of("Label"), expected.size());
    ASSERT_TRUE(derived.has_value());
    EXPECT_EQ(to_hex(derived->reveal()), to_hex(expected));
  });
}

TEST(Hkdf, GivesTheAnswersOfBotan) {
  EXPECT_EQ(check_hkdf_botan(HkdfHash::kSha256, "HKDF(HMAC(SHA-256))"), 3U);
  EXPECT_EQ(check_hkdf_botan(HkdfHash::kSha512, "HKDF(HMAC(SHA-512))"), 5U);
}

TEST(Hkdf, RefusesNothingAsKeyAndAsOutput) {
  EXPECT_EQ(hkdf(HkdfHash::kSha256, {}, {}, {}, 32).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(hkdf(HkdfHash::kSha256, as_bytes("key"), {}, {}, 0).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace tacenda::crypto
