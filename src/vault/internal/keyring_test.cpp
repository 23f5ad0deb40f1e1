#include "vault/internal/keyring.hpp"

#include <gtest/gtest.h>

#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

Time const kMade = from_unix_ms(1'800'000'000'000);

class KeyringTest : public ::testing::Test {
 protected:
  KeyringTest() {
    EXPECT_TRUE(random_.fill(root_.reveal_mutable()));
    EXPECT_TRUE(random_.fill(store_id_));
  }
  crypto::SystemRandom random_;
  RootKey root_;
  std::array<std::byte, 16> store_id_{};
};

TEST_F(KeyringTest, KeepsTermsAndSecrets) {
  auto keyring = make_keyring(random_, kMade).value();
  keyring.secrets.emplace("checkpoint", SecretBuffer(as_bytes("seed")));
  keyring.generation = 7;
  auto const file = seal_keyring(keyring, root_, store_id_, random_);
  ASSERT_TRUE(file.has_value());
  auto const read = open_keyring(*file, root_, store_id_);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->generation, 7U);
  EXPECT_EQ(read->tenant_id, keyring.tenant_id);
  ASSERT_EQ(read->purposes.size(), 6U);
  for (auto const& [purpose, terms] : read->purposes) {
    ASSERT_EQ(terms.size(), 1U);
    EXPECT_EQ(terms[0].number, 1U);
    EXPECT_EQ(terms[0].created, kMade);
    EXPECT_TRUE(terms[0].key == keyring.purposes.at(purpose)[0].key);
  }
  EXPECT_TRUE(read->secrets.at("checkpoint") == SecretBuffer(as_bytes("seed")));
}

TEST_F(KeyringTest, EveryPurposeHasAKeyOfItsOwn) {
  auto const keyring = make_keyring(random_, kMade).value();
  for (auto const& [a, terms_a] : keyring.purposes) {
    for (auto const& [b, terms_b] : keyring.purposes) {
      EXPECT_EQ(terms_a[0].key == terms_b[0].key, a == b);
    }
  }
}

TEST_F(KeyringTest, NoFlippedByteOpens) {
  auto const file = seal_keyring(make_keyring(random_, kMade).value(), root_, store_id_, random_).value();
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes flipped = file;
    flipped[at] ^= std::byte{0x10};
    EXPECT_FALSE(open_keyring(flipped, root_, store_id_).has_value()) << at;
  }
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(open_keyring(ByteView(file).first(size), root_, store_id_).has_value()) << size;
}

TEST_F(KeyringTest, OpensUnderItsRootKeyAndInItsStoreOnly) {
  auto const file = seal_keyring(make_keyring(random_, kMade).value(), root_, store_id_, random_).value();
  RootKey other;
  EXPECT_FALSE(open_keyring(file, other, store_id_).has_value());
  EXPECT_FALSE(open_keyring(file, root_, {}).has_value());
}

TEST_F(KeyringTest, RefusesAKeyringWithoutAKeyForEveryPurpose) {
  auto keyring = make_keyring(random_, kMade).value();
  keyring.purposes.erase(4);
  auto const file = seal_keyring(keyring, root_, store_id_, random_).value();
  auto const read = open_keyring(file, root_, store_id_);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind(), ErrorKind::kCorrupt);
}

// A machine that was resumed from a snapshot draws the same random bytes twice.
class FrozenRandom final : public crypto::Random {
 public:
  Result<void> fill(std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{0x55});
    return {};
  }
};

TEST_F(KeyringTest, TwoKeyringsOfOneGenerationShareNoNonceWhenTheRandomSourceStandsStill) {
  FrozenRandom frozen;
  auto keyring = make_keyring(random_, kMade).value();
  auto const first = seal_keyring(keyring, root_, store_id_, frozen).value();
  keyring.secrets.emplace("x", SecretBuffer(as_bytes("y")));
  auto const second = seal_keyring(keyring, root_, store_id_, frozen).value();
  auto const nonce_of = [](Bytes const& file) { return to_bytes(ByteView(file).subspan(34, 24)); };
  EXPECT_NE(nonce_of(first), nonce_of(second));
}

}  // namespace
}  // namespace tacenda::vault
