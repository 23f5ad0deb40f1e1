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

/// A file as it was made before terms had states: two terms of purpose 4, one of each other.
Bytes file_of_format_1(Keyring const& keyring, RootKey const& root, std::array<std::byte, 16> const& store_id,
                       crypto::Random& random) {
  Bytes plain;
  ByteWriter writer(plain);
  writer.raw(keyring.tenant_id).u8(6);
  for (auto const& [purpose, terms] : keyring.purposes) {
    writer.u8(purpose).u16(purpose == 4 ? 2 : 1);
    writer.u32(1).u64(to_unix_ms(kMade)).raw(terms[0].key.reveal());
    if (purpose == 4) writer.u32(2).u64(to_unix_ms(kMade) + 5).raw(Bytes(32, std::byte{7}));
  }
  writer.u16(1).sized("checkpoint").sized(as_bytes("seed"));
  Bytes file;
  ByteWriter(file).raw(as_bytes("TCNDRING")).u16(1).u64(9).raw(store_id);
  Bytes const header = file;
  EXPECT_TRUE(seal_once(derive_aead_key(root.reveal(), "tacenda/keyring/1"), random, header, plain, file));
  return file;
}

TEST_F(KeyringTest, K08_ReadsTheFormatWithoutStates) {
  auto const keyring = make_keyring(random_, kMade).value();
  auto const read = open_keyring(file_of_format_1(keyring, root_, store_id_, random_), root_, store_id_);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_EQ(read->generation, 9U);
  EXPECT_EQ(read->root_made, kMade);
  EXPECT_TRUE(read->secrets.at("checkpoint") == SecretBuffer(as_bytes("seed")));
  for (auto const& [purpose, terms] : read->purposes) {
    EXPECT_EQ(terms.back().state, KeyState::kActive);
    EXPECT_TRUE(terms[0].key == keyring.purposes.at(purpose)[0].key);
  }
  auto const& auth = read->purposes.at(4);
  ASSERT_EQ(auth.size(), 2U);
  EXPECT_EQ(auth[0].state, KeyState::kDeactivated);
  EXPECT_EQ(auth[0].changed, kMade + std::chrono::milliseconds(5));
  EXPECT_FALSE(auth[0].is_to_be_destroyed);
}

TEST_F(KeyringTest, K08_KeepsStatesAndNothingOfADestroyedKey) {
  auto keyring = make_keyring(random_, kMade).value();
  auto& terms = keyring.purposes.at(4);
  Bytes const key = to_bytes(terms[0].key.reveal());
  terms[0].derivation = derivation_seed(terms[0]);
  terms[0].key = crypto::AeadKey();
  terms[0].state = KeyState::kDestroyed;
  for (std::uint32_t number : {2U, 3U}) {
    Term term;
    term.number = number;
    term.created = term.changed = kMade;
    EXPECT_TRUE(random_.fill(term.key.reveal_mutable()));
    terms.push_back(std::move(term));
  }
  terms[1].state = KeyState::kCompromised;
  terms[1].is_to_be_destroyed = true;
  auto const read = open_keyring(seal_keyring(keyring, root_, store_id_, random_).value(), root_, store_id_);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  auto const& auth = read->purposes.at(4);
  ASSERT_EQ(auth.size(), 3U);
  EXPECT_EQ(auth[0].state, KeyState::kDestroyed);
  EXPECT_TRUE(auth[0].key == crypto::AeadKey());
  EXPECT_EQ(auth[1].state, KeyState::kCompromised);
  EXPECT_TRUE(auth[1].is_to_be_destroyed);
  EXPECT_TRUE(auth[1].key == terms[1].key);
  EXPECT_EQ(auth[2].state, KeyState::kActive);
  // What was derived goes on.
  ASSERT_TRUE(auth[0].derivation.has_value());
  EXPECT_TRUE(derive_from_seed(*auth[0].derivation, "tacenda/derived/1/x") ==
              derive_mac_key(key, "tacenda/derived/1/x"));
}

TEST_F(KeyringTest, K08_RefusesStatesThatCannotBe) {
  using Change = void (*)(std::vector<Term>&);
  auto const refused = [&](Change change) {
    auto keyring = make_keyring(random_, kMade).value();
    auto& terms = keyring.purposes.at(2);
    Term second;
    second.number = 2;
    terms[0].state = KeyState::kDeactivated;
    terms.push_back(std::move(second));
    change(terms);
    return !open_keyring(seal_keyring(keyring, root_, store_id_, random_).value(), root_, store_id_);
  };
  EXPECT_FALSE(refused([](std::vector<Term>&) {}));
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[1].state = KeyState::kDeactivated; }));
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[0].state = KeyState::kActive; }));
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[1].is_to_be_destroyed = true; }));
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[1].number = 1; }));
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[0].state = KeyState::kDestroyed; }))
      << "nothing to derive from";
  EXPECT_TRUE(refused([](std::vector<Term>& terms) { terms[0].state = static_cast<KeyState>(5); }));
}

TEST_F(KeyringTest, K08_RefusesAVersionThatIsNotThereYet) {
  auto file = seal_keyring(make_keyring(random_, kMade).value(), root_, store_id_, random_).value();
  file[9] = std::byte{3};
  auto const read = open_keyring(file, root_, store_id_);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind(), ErrorKind::kUnsupported);
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
