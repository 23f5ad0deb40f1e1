// The places a store is made of: key file, slots, keyring copies; purpose keys and kept secrets.
#include "vault/vault.hpp"

#include <array>
#include <filesystem>
#include <fstream>
#include <set>

#include <gtest/gtest.h>

#include "vault/internal/slots_testing.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::vault {
namespace {

using testing::TestStore;

TEST(Vault, OpensWithItsKeyFileAndWithAPassphrase) {
  TestStore store;
  auto const store_id = store.vault->store_id();
  store.close();
  SecretBuffer const phrase(as_bytes("a long passphrase in the safe"));
  ASSERT_TRUE(add_passphrase(testing::change_of(store), phrase));
  Unlock by_phrase;
  by_phrase.passphrase.emplace(phrase.reveal());
  ASSERT_TRUE(store.open(by_phrase));
  EXPECT_EQ(store.vault->store_id(), store_id);
  store.close();
  Unlock wrong;
  wrong.passphrase.emplace(as_bytes("a long passphrase in the sofa"));
  auto const refused = store.open(wrong);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnauthenticated);
  EXPECT_TRUE(store.open());
}

TEST(Vault, RefusesAnotherKeyFile) {
  TestStore store;
  store.close();
  store.disk->set_content("/keys/store.key", Bytes(32, std::byte{7}));
  auto const refused = store.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnauthenticated);
}

TEST(Vault, NamesAMissingKeyFileAndAMissingStore) {
  TestStore store;
  store.close();
  store.disk->erase("/keys/store.key");
  auto const no_key = store.open();
  ASSERT_FALSE(no_key.has_value());
  EXPECT_EQ(no_key.error().kind(), ErrorKind::kNotFound);
  store.disk->erase("/data/slots");
  auto const no_store = store.open();
  ASSERT_FALSE(no_store.has_value());
  EXPECT_EQ(no_store.error().kind(), ErrorKind::kNotFound);
}

TEST(Vault, MakesNoStoreOverAnother) {
  TestStore store;
  auto const again = Vault::create(*store.files, store.places, store.random, store.clock);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind(), ErrorKind::kConflict);
  Places const beside{"/elsewhere", store.places.key_file};
  EXPECT_FALSE(Vault::create(*store.files, beside, store.random, store.clock).has_value());
}

TEST(Vault, RefusesAKeyFileThatOthersMayReadAndALink) {
  std::string pattern = ::testing::TempDir() + "vault-XXXXXX";
  std::filesystem::path const folder = ::mkdtemp(pattern.data());
  auto const files = storage::posix_files();
  crypto::SystemRandom random;
  ManualClock const clock(from_unix_ms(1'800'000'000'000));
  Places places{folder / "data", folder / "store.key"};
  ASSERT_TRUE(Vault::create(*files, places, random, clock));
  EXPECT_TRUE(Vault::unseal(*files, places, {}, random, clock).has_value());
  std::filesystem::permissions(places.key_file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  auto const open_to_group = Vault::unseal(*files, places, {}, random, clock);
  ASSERT_FALSE(open_to_group.has_value());
  EXPECT_EQ(open_to_group.error().kind(), ErrorKind::kForbidden);
  std::filesystem::permissions(places.key_file, std::filesystem::perms::group_read,
                               std::filesystem::perm_options::remove);
  std::filesystem::rename(places.key_file, folder / "real.key");
  std::filesystem::create_symlink(folder / "real.key", places.key_file);
  EXPECT_FALSE(Vault::unseal(*files, places, {}, random, clock).has_value());
  std::filesystem::remove_all(folder);
}

class KeyringCopies : public ::testing::Test {
 protected:
  TestStore store_;
  static constexpr char const* kFirst = "/data/keyring";
  static constexpr char const* kSecond = "/keys/store.key.keyring";
};

TEST_F(KeyringCopies, AnyFlippedByteOfOneCopyIsRepairedFromTheOther) {
  Bytes const sealed = store_.vault->seal(Purpose::kRecord, {}, as_bytes("text")).value();
  store_.close();
  for (auto const* path : {kFirst, kSecond}) {
    Bytes const good = store_.disk->content(path);
    for (std::size_t at = 0; at < good.size(); ++at) {
      Bytes flipped = good;
      flipped[at] ^= std::byte{0x40};
      store_.disk->set_content(path, flipped);
      auto const vault = Vault::unseal(*store_.files, store_.places, {}, store_.random, store_.clock);
      ASSERT_TRUE(vault.has_value()) << path << " byte " << at << ": " << vault.error().message();
      ASSERT_TRUE((*vault)->open(Purpose::kRecord, {}, sealed).has_value());
      ASSERT_EQ(store_.disk->content(path), flipped) << "written without the lock of the folder";
      if (at % 32 != 0) continue;  // opening the engine takes a while
      ASSERT_TRUE(store_.open());
      ASSERT_NE(store_.disk->content(path), flipped) << "repaired";
      ASSERT_TRUE(store_.vault->verify_keys());
      store_.close();
    }
    store_.disk->set_content(path, good);
  }
}

TEST_F(KeyringCopies, ACopyPutBackFromYesterdayIsReplacedByTheNewerOne) {
  Bytes const yesterday = store_.disk->content(kFirst);
  ASSERT_TRUE(store_.vault->keep_secret("token", SecretBuffer(as_bytes("seed"))));
  for (auto const* path : {kFirst, kSecond}) {
    store_.close();
    store_.disk->set_content(path, yesterday);
    ASSERT_TRUE(store_.open());
    EXPECT_TRUE(store_.vault->kept_secret("token").has_value()) << path;
    EXPECT_NE(store_.disk->content(path), yesterday);
    EXPECT_TRUE(store_.vault->verify_keys().has_value());
  }
}

TEST_F(KeyringCopies, VerifyNamesACopyThatWasDamagedWhileServing) {
  EXPECT_TRUE(store_.vault->verify_keys().has_value());
  store_.disk->set_content(kSecond, Bytes(100));
  auto const found = store_.vault->verify_keys();
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind(), ErrorKind::kCorrupt);
}

TEST_F(KeyringCopies, ADamagedCopyNeverBecomesTheGenerationBefore) {
  ASSERT_TRUE(store_.vault->keep_secret("a", SecretBuffer(as_bytes("1"))));
  store_.disk->set_content(kFirst, Bytes(100));
  ASSERT_TRUE(store_.vault->keep_secret("b", SecretBuffer(as_bytes("2"))));
  store_.close();
  store_.disk->set_content(kFirst, Bytes(100));
  store_.disk->set_content(kSecond, Bytes(100));
  EXPECT_TRUE(store_.open().has_value()) << "opens from the generation before";
}

TEST_F(KeyringCopies, AnOlderBinaryDoesNotOverwriteTheKeyringOfANewerOne) {
  ASSERT_TRUE(store_.vault->keep_secret("a", SecretBuffer(as_bytes("1"))));
  store_.close();
  for (auto const* path : {kFirst, kSecond}) {
    Bytes newer = store_.disk->content(path);
    newer[9] = std::byte{3};
    store_.disk->set_content(path, newer);
  }
  Bytes const before = store_.disk->content(kFirst);
  auto const refused = store_.open();
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kUnsupported);
  EXPECT_EQ(store_.disk->content(kFirst), before);
}

TEST_F(KeyringCopies, ASecretThatCouldNotBeWrittenIsNotKept) {
  store_.disk->fail({storage::DiskCall::kRename, std::nullopt, 2, ErrorKind::kNoSpace});
  EXPECT_FALSE(store_.vault->keep_secret("token", SecretBuffer(as_bytes("seed"))).has_value());
  EXPECT_FALSE(store_.vault->kept_secret("token").has_value());
  ASSERT_TRUE(store_.vault->keep_secret("token", SecretBuffer(as_bytes("other"))));
  ASSERT_TRUE(store_.reopen());
  EXPECT_TRUE(store_.vault->kept_secret("token").value() == SecretBuffer(as_bytes("other")));
}

TEST_F(KeyringCopies, APowerCutWhileASecretIsKeptLosesNoOlderSecret) {
  for (std::uint64_t step = 1; step < 40; ++step) {
    TestStore store(step);
    ASSERT_TRUE(store.vault->keep_secret("old", SecretBuffer(as_bytes("1"))));
    store.disk->cut_power_in(step);
    bool const kept = store.vault->keep_secret("new", SecretBuffer(as_bytes("2"))).has_value();
    store.close();
    store.disk->restart();
    ASSERT_TRUE(store.open()) << "cut at step " << step;
    EXPECT_TRUE(store.vault->kept_secret("old").has_value()) << "cut at step " << step;
    if (!kept) continue;
    EXPECT_TRUE(store.vault->kept_secret("new").has_value()) << "cut at step " << step;
    return;  // the whole call fitted before the cut: every step was tried
  }
  FAIL() << "the call never got through";
}

// Between the look at the keyring and the lock of the folder, the process that held it may have gone on.
TEST_F(KeyringCopies, OneThatChangedBeforeTheLockWasHeldIsNotWrittenOver) {
  auto early = Vault::unseal(*store_.files, store_.places, {}, store_.random, store_.clock).value();
  ASSERT_TRUE(store_.vault->keep_secret("token", SecretBuffer(as_bytes("seed"))));
  Bytes const newest = store_.disk->content(kFirst);
  store_.close();
  {
    auto engine = store_.open_engine(*early).value();
    auto const refused = early->attach(std::move(engine));
    ASSERT_FALSE(refused.has_value());
    EXPECT_EQ(refused.error().kind(), ErrorKind::kUnavailable);
    early.reset();
  }
  EXPECT_EQ(store_.disk->content(kFirst), newest);
  ASSERT_TRUE(store_.open());
  EXPECT_TRUE(store_.vault->kept_secret("token").has_value());
}

class SlotCopies : public ::testing::Test {
 protected:
  TestStore store_;
  static constexpr char const* kFirst = "/data/slots";
  static constexpr char const* kSecond = "/keys/store.key.slots";
  static constexpr std::array<char const*, 2> kBoth{kFirst, kSecond};
};

TEST_F(SlotCopies, AnyFlippedByteOfOneCopyIsRepairedFromTheOther) {
  Bytes const good = store_.disk->content(kFirst);
  ASSERT_EQ(store_.disk->content(kSecond), good);
  store_.close();
  for (auto const* path : kBoth) {
    for (std::size_t at = 0; at < good.size(); ++at) {
      Bytes flipped = good;
      flipped[at] ^= std::byte{0x40};
      store_.disk->set_content(path, flipped);
      auto const vault = Vault::unseal(*store_.files, store_.places, {}, store_.random, store_.clock);
      ASSERT_TRUE(vault.has_value()) << path << " byte " << at << ": " << vault.error().message();
      ASSERT_EQ(store_.disk->content(path), flipped) << "written without the lock of the folder";
      if (at % 16 != 0) continue;  // opening the engine takes a while
      ASSERT_TRUE(store_.open());
      ASSERT_EQ(store_.disk->content(path), good) << path << " byte " << at;
      store_.close();
    }
    store_.disk->set_content(path, good);
  }
}

TEST_F(SlotCopies, ALostCopyIsWrittenAnewFromTheOther) {
  Bytes const good = store_.disk->content(kFirst);
  for (auto const* path : kBoth) {
    store_.close();
    store_.disk->erase(path);
    ASSERT_TRUE(store_.open()) << path;
    EXPECT_EQ(store_.disk->content(path), good);
    EXPECT_TRUE(store_.vault->verify_keys());
  }
}

TEST_F(SlotCopies, ANewPassphraseIsInBothAndACopyOfBeforeIsReplaced) {
  Bytes const before = store_.disk->content(kFirst);
  SecretBuffer const phrase(as_bytes("a long passphrase in the safe"));
  ASSERT_TRUE(add_passphrase(testing::change_of(store_), phrase));
  Bytes const after = store_.disk->content(kFirst);
  EXPECT_EQ(store_.disk->content(kSecond), after);
  for (auto const* path : kBoth) {
    store_.disk->set_content(path, before);
    ASSERT_TRUE(store_.reopen());
    EXPECT_EQ(store_.disk->content(path), after) << path;
  }
}

// Opened by the key file, whose slot is whole: the damaged slot of the passphrase must not reach the other
// copy.
TEST_F(SlotCopies, ADamagedSlotThatWasNotUsedIsRepairedToo) {
  SecretBuffer const phrase(as_bytes("a long passphrase in the safe"));
  ASSERT_TRUE(add_passphrase(testing::change_of(store_), phrase));
  Bytes const good = store_.disk->content(kFirst);
  for (auto const* path : kBoth) {
    store_.close();
    Bytes damaged = good;
    damaged[good.size() - 40] ^= std::byte{1};  // the last slot's wrapped key, before the MAC
    store_.disk->set_content(path, damaged);
    ASSERT_TRUE(store_.open());
    EXPECT_EQ(store_.disk->content(kFirst), good);
    EXPECT_EQ(store_.disk->content(kSecond), good);
  }
}

TEST_F(SlotCopies, VerifyNamesACopyThatWasDamagedWhileServing) {
  for (auto const* path : kBoth) {
    ASSERT_TRUE(store_.vault->verify_keys().has_value());
    Bytes const good = store_.disk->content(path);
    store_.disk->set_content(path, Bytes(100));
    EXPECT_EQ(store_.vault->verify_keys().error().kind(), ErrorKind::kCorrupt) << path;
    store_.disk->set_content(path, good);
  }
}

TEST_F(SlotCopies, AStoreOfTheFormatWithOneCopyOpensAndGetsTheSecond) {
  store_.close();
  // Format 1: no generation, next id, times and MAC, and no second copy.
  Bytes const now = store_.disk->content(kFirst);
  Bytes old(now.begin(), now.begin() + 10);
  old[9] = std::byte{1};
  old.insert(old.end(), now.begin() + 18, now.begin() + 34);
  old.insert(old.end(), now.begin() + 38, now.end() - 32 - 16);
  store_.disk->set_content(kFirst, old);
  store_.disk->erase(kSecond);
  ASSERT_TRUE(store_.open());
  Bytes const upgraded = store_.disk->content(kFirst);
  EXPECT_EQ(upgraded[9], std::byte{3});
  EXPECT_EQ(upgraded.size(), now.size());
  EXPECT_EQ(store_.disk->content(kSecond), upgraded);
  EXPECT_TRUE(store_.vault->verify_keys());
  auto const slots = list_slots(*store_.files, store_.places).value();
  ASSERT_EQ(slots.size(), 1U);
  EXPECT_FALSE(slots[0].created.has_value());
  EXPECT_EQ(slots[0].opened, store_.clock.now());
}

TEST_F(SlotCopies, TheCopyBesideTheKeyFileMakesNoStoreOfAnEmptyFolder) {
  ASSERT_TRUE(store_.disk->make_folder("/elsewhere"));
  Places const wrong{"/elsewhere", store_.places.key_file};
  auto const refused = Vault::unseal(*store_.files, wrong, {}, store_.random, store_.clock);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kNotFound);
}

/// Gives the same bytes for ever, as the generator of a cloned machine does for a while.
class FrozenRandom final : public crypto::Random {
 public:
  Result<void> fill(std::span<std::byte> out) override {
    std::ranges::fill(out, std::byte{0x5a});
    return {};
  }
};

// Tables are sealed under counted nonces: two files under one key would be two messages under one nonce.
TEST(FileKeys, AreNeverTheSameWithAFrozenSourceNorOnAClone) {
  TestStore store;
  FrozenRandom frozen;
  auto const one = Vault::unseal(*store.files, store.places, {}, frozen, store.clock).value();
  auto const clone = Vault::unseal(*store.files, store.places, {}, frozen, store.clock).value();
  std::set<Bytes> seen;
  for (int i = 0; i < 20; ++i) {
    for (auto* vault : {one.get(), clone.get()}) {
      auto const made = vault->file_keys().make(storage::FileClass::kIndexOrData).value();
      seen.insert(to_bytes(made.key.reveal()));
      EXPECT_TRUE(vault->file_keys().open(made.wrapped).value() == made.key);
    }
  }
  EXPECT_EQ(seen.size(), 40U);
}

TEST(PurposeKeys, OpenOnlyWhatTheySealedForTheSameThing) {
  TestStore store;
  Bytes const sealed = store.vault->seal(Purpose::kAuth, as_bytes("row 1"), as_bytes("text")).value();
  EXPECT_EQ(as_text(store.vault->open(Purpose::kAuth, as_bytes("row 1"), sealed).value()), "text");
  EXPECT_FALSE(store.vault->open(Purpose::kAuth, as_bytes("row 2"), sealed).has_value());
  EXPECT_FALSE(store.vault->open(Purpose::kToken, as_bytes("row 1"), sealed).has_value());
  TestStore other;
  EXPECT_FALSE(other.vault->open(Purpose::kAuth, as_bytes("row 1"), sealed).has_value());
}

TEST(PurposeKeys, NoFlippedByteOfAnEnvelopeOpens) {
  TestStore store;
  Bytes const sealed = store.vault->seal(Purpose::kAuth, {}, as_bytes("text")).value();
  for (std::size_t at = 0; at < sealed.size(); ++at) {
    Bytes flipped = sealed;
    flipped[at] ^= std::byte{1};
    EXPECT_FALSE(store.vault->open(Purpose::kAuth, {}, flipped).has_value()) << at;
  }
  for (std::size_t size = 0; size < sealed.size(); ++size)
    EXPECT_FALSE(store.vault->open(Purpose::kAuth, {}, ByteView(sealed).first(size)).has_value());
}

TEST(PurposeKeys, ADerivedKeyIsTheSameAfterARestartAndAnotherForEachLabel) {
  TestStore store;
  auto const before = store.vault->derived_key(Purpose::kAuth, "pepper").value();
  ASSERT_TRUE(store.reopen());
  EXPECT_TRUE(store.vault->derived_key(Purpose::kAuth, "pepper").value() == before);
  EXPECT_FALSE(store.vault->derived_key(Purpose::kAuth, "salt").value() == before);
  EXPECT_FALSE(store.vault->derived_key(Purpose::kState, "pepper").value() == before);
}

TEST(Vault, LeavesNoKeyOnTheDiskInTheClear) {
  TestStore store;
  Bytes const key_file = store.disk->content("/keys/store.key");
  store.make({Subject::patient("canary-patient")});
  store.close();
  for (auto const& path : store.disk->files()) {
    auto const content = store.disk->content(path);
    auto const text = as_text(content);
    EXPECT_FALSE(text.contains("canary-patient")) << path;
    EXPECT_EQ(text.contains(as_text(key_file)), path == "/keys/store.key") << path;
  }
}

}  // namespace
}  // namespace tacenda::vault
