#include "crypto/secret_sharing.hpp"

#include <bit>
#include <set>

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

using testing::from_hex;
using testing::to_hex;

Share share_of(unsigned index, std::string_view hex) {
  return {static_cast<std::uint8_t>(index), SecretBuffer(from_hex(hex))};
}

/// Copies of those shares whose bit in `chosen` is set.
std::vector<Share> some_of(std::vector<Share> const& shares, unsigned chosen) {
  std::vector<Share> some;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if ((chosen >> i & 1U) != 0) some.push_back({shares[i].index, SecretBuffer(shares[i].bytes.reveal())});
  }
  return some;
}

/// Gives what it is told to.
class GivenRandom final : public Random {
 public:
  explicit GivenRandom(Bytes bytes) : bytes_(std::move(bytes)) {}
  Result<void> fill(std::span<std::byte> out) override {
    if (out.size() > bytes_.size() - at_) return fail(ErrorKind::kUnavailable, "used up");
    std::ranges::copy(ByteView(bytes_).subspan(at_, out.size()), out.begin());
    at_ += out.size();
    return {};
  }

 private:
  Bytes bytes_;
  std::size_t at_ = 0;
};

// draft-mcgrew-tss-03, section 9.
TEST(SecretSharing, GivesTheAnswerOfTheInternetDraft) {
  std::vector<Share> shares;
  shares.push_back(share_of(1, "b9fa07e185"));
  shares.push_back(share_of(2, "f5409b4511"));
  auto const secret = combine_shares(shares);
  ASSERT_TRUE(secret.has_value());
  EXPECT_EQ(to_hex(secret->reveal()), "7465737400");
  // The first share is secret + coefficient: with that coefficient, splitting gives the second one, too.
  GivenRandom random(from_hex("cd9f749585"));
  auto const split = split_secret(from_hex("7465737400"), {.threshold = 2, .shares = 2}, random);
  ASSERT_TRUE(split.has_value());
  ASSERT_EQ(split->size(), 2U);
  for (std::size_t i = 0; i < 2; ++i) EXPECT_TRUE((*split)[i].bytes == shares[i].bytes) << i;
}

// SLIP-0039, vectors.json number 36 (256 bits), the three member shares of its second group. There the secret
// lies at 255, and at 254 the digest: HMAC-SHA-256(last 28 bytes of it, secret) begins with its first four.
// Moved by the exclusive or, which is the addition of the field, each lies at 0.
TEST(SecretSharing, CombinesTheSharesOfSlip39) {
  constexpr std::array<std::pair<unsigned, std::string_view>, 3> kMembers{
      {{0, "82a363ed145a49a4e37311253c105846c0afb13b74e5ddda9cc25d7aae49bc89"},
       {1, "d127f1f9bc12e3856fb3983104783b71480d249d80101568def4a41100177dfb"},
       {4, "4bde8a604105f3a6c32f2f547131aafea756725a28e80a14d59d8f05c4adcca5"}}};
  auto const value_at = [&](unsigned at) {
    std::vector<Share> moved;
    for (auto const& [index, bytes] : kMembers) moved.push_back(share_of(index ^ at, bytes));
    return combine_shares(moved).value();
  };
  auto const secret = value_at(255);
  auto const digest = value_at(254);
  auto const mac = Hmac(digest.reveal().subspan(4)).sign({secret.reveal()});
  EXPECT_EQ(to_hex(digest.reveal().first(4)), to_hex(ByteView(mac).first(4)));
}

struct Known {
  unsigned threshold;
  std::string_view secret;
  std::vector<std::pair<unsigned, std::string_view>> shares;
};

// Made with shamir-secret-sharing 0.0.4 (npm, by Privy), whose audits are public: indexes are random there.
std::vector<Known> const& known() {
  static std::vector<Known> const all{
      {2,
       "41aad7e69a389e27ad53569fcc503fbb994addff29ccc8c2d8857e54148f4f54",
       {
           {0x1a, "087f6396063fc404448436575db55a4831e6461d1982db002501a11159d09c47"},
           {0x4f, "bbe047282a9ad65cd7bfdf38d6d3b28eb733cfdee0947a6db2dc3c57b9c3f4e6"},
       }},
      {3,
       "f63bc2ad33761913d235a81d385b60c337cad20e5e2d09ab9292ce11536ac4d7",
       {
           {0xf2, "a1629e55ce2119d6cccaed731208f85425f2ea9e8e0e49f4471bac75e2eda76a"},
           {0xa3, "05451979e827469fd747fbf9bc656321bd48a8021b51a764b2692f1effb061da"},
           {0x5a, "18dbc7ef81a8791e6c0c7aecf5411d3e7894229e582962d524214f6e5f9f7ac6"},
           {0x0c, "dc894efdcf7449f0eb6b0825c426303f7ac928e153a5e5f053dfcea801d3946b"},
           {0x1a, "b7c7e9423467b944778d4766146f12140ca253b42434d5a5c0ebb33e7a76694f"},
       }},
      {5,
       "7a96ff4994f5ff0a935ee935eb8cdba14ee803d6b210830ab66a2f5cc4298973",
       {
           {0x18, "6275b99a5aaf442ab199a51e28280be34a4627e4e7dcf5ab492cde3d17e5aa6a"},
           {0xf6, "d8823f3d67ca01f9ebcf3a1bdf5367476a72bdb561d69287e7688d96cb93fc64"},
           {0xe8, "1c17106d7d24dfe69aab1cbb9a07fd610d15d44b05f4b3ec19b4d4f62ba3d3eb"},
           {0x84, "f95a3e1e1df36ae8336888d7efb1b28c1087ef43de1dcab28ffec3b363c9790d"},
           {0xb9, "74bb967a185adc41d71f8ec547fd0800ddfc04befe343e01937e0583139a2129"},
       }},
      {16,
       "0b8136146810ff3ee2ed75c81019f46715fd49b5d108299a19d99dc27eb8619b",
       {
           {0x6c, "88a342442aaa07bc601449531e0df84e8cb5a9d3cf14460f3314bf8edee6b71e"},
           {0xc3, "a31e89ba67d496021aa5de3a68d708fdb255621cc563e80665e0e6e7ee47d087"},
           {0x03, "c24101faf0b084070b85fab3d4bd2341427855ea70fa44e448804e312f40797a"},
           {0x04, "2ad7e62aefcc8de3db51e9931ea1a1d9118a7c1e2aadc129a681cbe3895447ba"},
           {0x41, "c1ccea00c8b34a50b7694b70c67dc7c5cb1c74414a4c928696ae4974037d374d"},
           {0xd8, "b47f932c12fd0be7a5617023d3f6fbcef7f7175dda75c656262054a50112d5af"},
           {0xf4, "5aefa2d5b7a109d2d153167bbe840d5b4dc3ddb1f7926d309c2096f871a25dbc"},
           {0xa6, "f4963d4505732003d447092a22f6bd654baf2bf05415a3c8fc1ea2dbff7c55ec"},
           {0x5a, "ac4d2f72025c33719a31bdefe1b6fb9630626753226d5de580d22db8e3492f5a"},
           {0x6f, "d6e68980b052357fca6e185ac30869995bdecdcaca69f3f1a900200768018d00"},
           {0x91, "5659c7c11f8727bad94fcc25529fd5c28cefbfc7d8e383ab9825ed8b8399c09f"},
           {0x94, "bad7f2e4f9132acc4514e3dcab8a7aefdc18212629b55bcf510fd80cd266fc98"},
           {0xd2, "3fa3c31728b33ca3de7044eb921983a6f0b7f0d127491da890a61caf766a201b"},
           {0x63, "6301623bec24a4b7070c6ac64a1e5ddbe087024b008a33dbcfe12312747cf227"},
           {0x38, "0b1e5e0e907177eb996f931d7021a125dc247a19752b7d245dcd56aa99a1cf29"},
           {0xac, "41aeecb8dae5d84e1c0c8e1715e445863ea01e97853b4c3f1be72a9d8fd84a85"},
       }},
  };
  return all;
}

TEST(SecretSharing, CombinesTheSharesOfAnotherImplementation) {
  for (auto const& vector : known()) {
    std::vector<Share> shares;
    for (auto const& [index, bytes] : vector.shares) shares.push_back(share_of(index, bytes));
    unsigned sets = 0;
    for (unsigned chosen = 1; chosen < 1U << shares.size(); ++chosen) {
      if (std::popcount(chosen) != static_cast<int>(vector.threshold)) continue;
      ++sets;
      auto const secret = combine_shares(some_of(shares, chosen));
      ASSERT_TRUE(secret.has_value());
      EXPECT_EQ(to_hex(secret->reveal()), vector.secret) << "shares " << chosen;
    }
    EXPECT_GE(sets, 1U);
  }
}

TEST(SecretSharing, K09AnySetOfThresholdSharesGivesTheSecretAndFewerGiveAnother) {
  SystemRandom random;
  SecretBuffer secret(32);
  ASSERT_TRUE(random.fill(secret.reveal_mutable()));
  for (std::uint8_t count = 2; count <= 7; ++count) {
    for (std::uint8_t threshold = 2; threshold <= count; ++threshold) {
      auto const shares = split_secret(secret.reveal(), {threshold, count}, random);
      ASSERT_TRUE(shares.has_value());
      ASSERT_EQ(shares->size(), count);
      for (unsigned chosen = 1; chosen < 1U << count; ++chosen) {
        int const size = std::popcount(chosen);
        if (size < 2) continue;
        auto const combined = combine_shares(some_of(*shares, chosen));
        ASSERT_TRUE(combined.has_value());
        EXPECT_EQ(*combined == secret, size >= threshold) << size << " of " << threshold << "/" << count;
      }
    }
  }
}

TEST(SecretSharing, K09TakesTheLargestNumberOfShares) {
  SystemRandom random;
  Bytes const secret = from_hex("00ff10");
  auto const shares = split_secret(secret, {255, 255}, random);
  ASSERT_TRUE(shares.has_value());
  EXPECT_TRUE(equal(combine_shares(*shares)->reveal(), secret));
}

// Whatever the secret is, each byte of a share is any value as often as any other: with k-1 shares in hand
// every secret is as likely as before.
TEST(SecretSharing, K09FewerSharesThanNeededFitEverySecret) {
  Bytes const secret{std::byte{0x42}};
  std::set<std::pair<unsigned, unsigned>>
      seen;  // the first two of three needed shares, over all coefficients
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      GivenRandom random(Bytes{static_cast<std::byte>(first), static_cast<std::byte>(second)});
      auto const shares = split_secret(secret, {3, 3}, random).value();
      seen.emplace(std::to_integer<unsigned>(shares[0].bytes.reveal()[0]),
                   std::to_integer<unsigned>(shares[1].bytes.reveal()[0]));
    }
  }
  EXPECT_EQ(seen.size(), 65'536U);
}

TEST(SecretSharing, K09AFlippedBitOfAShareGivesAnotherSecret) {
  SystemRandom random;
  Bytes const secret = from_hex("000102030405060708090a0b0c0d0e0f");
  auto shares = split_secret(secret, {3, 3}, random).value();
  for (auto& share : shares) {
    for (unsigned bit = 0; bit < 8 * 16; ++bit) {
      auto& byte = share.bytes.reveal_mutable()[bit / 8];
      byte ^= static_cast<std::byte>(1U << bit % 8);
      EXPECT_FALSE(equal(combine_shares(shares)->reveal(), secret));
      byte ^= static_cast<std::byte>(1U << bit % 8);
    }
  }
}

TEST(SecretSharing, RefusesWhatSharesNothing) {
  SystemRandom random;
  Bytes const secret = from_hex("00ff");
  for (ShareCounts const counts :
       {ShareCounts{0, 5}, ShareCounts{1, 5}, ShareCounts{3, 2}, ShareCounts{2, 0}})
    EXPECT_EQ(split_secret(secret, counts, random).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(split_secret({}, {2, 3}, random).error().kind(), ErrorKind::kInvalid);
  testing::BrokenRandom broken;
  EXPECT_EQ(split_secret(secret, {2, 3}, broken).error().kind(), ErrorKind::kUnavailable);
}

TEST(SecretSharing, RefusesSharesThatCannotBeOfOneSecret) {
  auto const refused = [](unsigned first, std::string_view a, unsigned second, std::string_view b) {
    std::vector<Share> shares;
    shares.push_back(share_of(first, a));
    shares.push_back(share_of(second, b));
    auto const combined = combine_shares(shares);
    return !combined.has_value() && combined.error().kind() == ErrorKind::kInvalid;
  };
  EXPECT_FALSE(refused(1, "00", 2, "01"));
  EXPECT_TRUE(refused(1, "00", 1, "00")) << "the same share twice";
  EXPECT_TRUE(refused(1, "00", 1, "01"));
  EXPECT_TRUE(refused(0, "00", 1, "01")) << "at 0 lies the secret";
  EXPECT_TRUE(refused(1, "00", 2, "0102"));
  EXPECT_TRUE(refused(1, "", 2, ""));
  EXPECT_FALSE(combine_shares({}).has_value());
  std::vector<Share> one;
  one.push_back(share_of(1, "00"));
  EXPECT_FALSE(combine_shares(one).has_value());
}

}  // namespace
}  // namespace tacenda::crypto
