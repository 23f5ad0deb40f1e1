#include "vault/internal/slots.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "vault/internal/envelope.hpp"

namespace tacenda::vault {
namespace {

constexpr crypto::Argon2idCost kCheap{64, 1};

RootKey root_of(int seed) {
  RootKey root;
  for (auto& byte : root.reveal_mutable()) byte = static_cast<std::byte>(seed++);
  return root;
}

constexpr std::string_view kKeyFile = "0123456789abcdef0123456789abcdef";
constexpr std::string_view kPassphrase = "correct horse battery staple";

NewSlot key_file() {
  return {.kind = SlotKind::kKeyFile, .secret = as_bytes(kKeyFile)};
}
NewSlot passphrase(std::string_view phrase) {
  return {.kind = SlotKind::kPassphrase, .secret = as_bytes(phrase), .cost = kCheap};
}
NewSlot shares(std::string_view secret) {
  return {.kind = SlotKind::kShares, .secret = as_bytes(secret), .counts = {3, 5}, .created = 77};
}

class SlotsTest : public ::testing::Test {
 protected:
  SlotsTest() {
    EXPECT_TRUE(random_.fill(slots_.store_id));
    EXPECT_TRUE(add_slot(slots_, key_file(), root_, random_));
    EXPECT_TRUE(add_slot(slots_, passphrase(kPassphrase), root_, random_));
  }
  crypto::SystemRandom random_;
  RootKey root_ = root_of(1);
  Slots slots_;
};

TEST_F(SlotsTest, EverySlotOpensToTheSameRootKey) {
  auto const read = decode_slots(encode_slots(slots_));
  ASSERT_TRUE(read.has_value());
  auto const by_file = open_slots(*read, SlotKind::kKeyFile, as_bytes(kKeyFile));
  auto const by_phrase = open_slots(*read, SlotKind::kPassphrase, as_bytes(kPassphrase));
  ASSERT_TRUE(by_file.has_value());
  ASSERT_TRUE(by_phrase.has_value());
  EXPECT_TRUE(by_file->root == root_);
  EXPECT_TRUE(by_phrase->root == root_);
}

TEST_F(SlotsTest, RefusesAWrongKeyFileAndAWrongPassphrase) {
  auto const file = open_slots(slots_, SlotKind::kKeyFile, as_bytes("0123456789abcdef0123456789abcdeF"));
  ASSERT_FALSE(file.has_value());
  EXPECT_EQ(file.error().kind(), ErrorKind::kUnauthenticated);
  auto const phrase = open_slots(slots_, SlotKind::kPassphrase, as_bytes("correct horse battery stapl"));
  ASSERT_FALSE(phrase.has_value());
  EXPECT_EQ(phrase.error().kind(), ErrorKind::kUnauthenticated);
}

TEST_F(SlotsTest, ASecretOpensNoSlotOfTheOtherKind) {
  EXPECT_FALSE(open_slots(slots_, SlotKind::kPassphrase, as_bytes(kKeyFile)).has_value());
  EXPECT_FALSE(open_slots(slots_, SlotKind::kKeyFile, as_bytes(kPassphrase)).has_value());
}

TEST_F(SlotsTest, NoFlippedByteOpensToAnotherKey) {
  Slots one;
  one.store_id = slots_.store_id;
  ASSERT_TRUE(add_slot(one, key_file(), root_, random_));
  Bytes const file = encode_slots(one);
  for (std::size_t at = 0; at < file.size(); ++at) {
    for (unsigned bit = 0; bit < 8; ++bit) {
      Bytes flipped = file;
      flipped[at] ^= static_cast<std::byte>(1U << bit);
      auto const read = decode_slots(flipped);
      if (!read.has_value()) continue;
      EXPECT_FALSE(open_slots(*read, SlotKind::kKeyFile, as_bytes(kKeyFile)).has_value())
          << "byte " << at << " bit " << bit;
    }
  }
}

TEST_F(SlotsTest, ADamagedSlotDoesNotKeepAGoodOneOfItsKindFromOpening) {
  ASSERT_TRUE(add_slot(slots_, passphrase(kPassphrase), root_, random_));
  auto wrapped = slots_;
  wrapped.slots[1].wrapped.back() ^= std::byte{1};
  EXPECT_TRUE(open_slots(wrapped, SlotKind::kPassphrase, as_bytes(kPassphrase)).has_value());
  auto costs = slots_;
  costs.slots[1].cost.passes = 0;  // libsodium refuses it
  EXPECT_TRUE(open_slots(costs, SlotKind::kPassphrase, as_bytes(kPassphrase)).has_value());
}

TEST_F(SlotsTest, ASlotIsBoundToItsStoreAndItsNumber) {
  auto other_store = slots_;
  other_store.store_id[0] ^= std::byte{1};
  EXPECT_FALSE(open_slots(other_store, SlotKind::kKeyFile, as_bytes(kKeyFile)).has_value());
  auto other_number = slots_;
  other_number.slots[0].id = 7;
  EXPECT_FALSE(open_slots(other_number, SlotKind::kKeyFile, as_bytes(kKeyFile)).has_value());
}

// A wrap that opens under two passphrases would let one guess test many of them at once. Here the ciphertext
// of one slot is put under the commitment of another: only the slot's own secret may open it.
TEST_F(SlotsTest, TheCommitmentTiesTheWrapToOneSecret) {
  ASSERT_TRUE(add_slot(slots_, passphrase("another phrase"), root_, random_));
  auto mixed = slots_;
  mixed.slots[2].commitment = slots_.slots[1].commitment;
  EXPECT_FALSE(open_slots(mixed, SlotKind::kPassphrase, as_bytes("another phrase")).has_value());
  EXPECT_TRUE(open_slots(mixed, SlotKind::kPassphrase, as_bytes(kPassphrase)).has_value());
}

TEST_F(SlotsTest, TwoSlotsOfOneSecretShareNothing) {
  ASSERT_TRUE(add_slot(slots_, passphrase(kPassphrase), root_, random_));
  EXPECT_NE(slots_.slots[1].salt, slots_.slots[2].salt);
  EXPECT_NE(slots_.slots[1].commitment, slots_.slots[2].commitment);
  EXPECT_NE(slots_.slots[1].wrapped, slots_.slots[2].wrapped);
  EXPECT_NE(slots_.slots[1].id, slots_.slots[2].id);
}

TEST_F(SlotsTest, RefusesAFileThatIsCutLongerOrAsksForTooMuchWork) {
  Bytes const file = encode_slots(slots_);
  for (std::size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(decode_slots(ByteView(file).first(size)).has_value()) << size;
  Bytes longer = file;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_slots(longer).has_value());
  auto greedy = slots_;
  greedy.slots[1].cost.memory_kib = 1U << 30U;
  EXPECT_FALSE(decode_slots(encode_slots(greedy)).has_value());
}

TEST_F(SlotsTest, NoFlippedByteOfASignedFileIsTakenForWhole) {
  slots_.generation = 7;
  sign_slots(slots_, root_);
  Bytes const file = encode_slots(slots_);
  auto const read = decode_slots(file);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->generation, 7U);
  EXPECT_TRUE(is_signed(*read, root_));
  EXPECT_FALSE(is_signed(*read, root_of(2)));
  for (std::size_t at = 0; at < file.size(); ++at) {
    Bytes flipped = file;
    flipped[at] ^= std::byte{1};
    auto const damaged = decode_slots(flipped);
    EXPECT_FALSE(damaged.has_value() && is_signed(*damaged, root_)) << at;
  }
}

TEST_F(SlotsTest, ReadsTheFormatBeforeWhichHasNoMac) {
  Bytes const file = encode_slots(slots_);
  EXPECT_EQ(file[9], std::byte{1});
  auto const read = decode_slots(file);
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(is_signed(*read, root_));
  EXPECT_TRUE(open_slots(*read, SlotKind::kKeyFile, as_bytes(kKeyFile)).has_value());
}

TEST_F(SlotsTest, NamesANewerVersionAsSuch) {
  Bytes file = encode_slots(slots_);
  file[9] = std::byte{4};
  auto const read = decode_slots(file);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().kind(), ErrorKind::kUnsupported);
}

TEST_F(SlotsTest, ReadsTheFormatBeforeWhichHasNoTimes) {
  slots_.generation = 7;
  sign_slots(slots_, root_);
  auto old = slots_;
  old.version = 2;
  old.mac.reset();
  // Format 2, whose MAC is of the same content in that format.
  Bytes file = encode_slots(old);  // format 1
  file[9] = std::byte{2};
  Bytes generation;
  ByteWriter(generation).u64(7);
  file.insert(file.begin() + 10, generation.begin(), generation.end());
  crypto::Hmac const mac(derive_mac_key(root_.reveal(), "tacenda/slots/1"));
  auto const signature = mac.sign({file});
  append(file, ByteView(signature));
  auto const read = decode_slots(file);
  ASSERT_TRUE(read.has_value()) << read.error().message();
  EXPECT_TRUE(is_signed(*read, root_));
  EXPECT_EQ(encode_slots(*read), file);
  EXPECT_EQ(read->next_id, 2U);
  EXPECT_EQ(read->slots[0].created, 0U);
  EXPECT_TRUE(open_slots(*read, SlotKind::kPassphrase, as_bytes(kPassphrase)).has_value());
}

TEST_F(SlotsTest, K09ASlotOfSharesIsBoundToItsNumbersAndKeepsItsTimes) {
  ASSERT_TRUE(add_slot(slots_, shares(kKeyFile), root_, random_));
  slots_.slots.back().opened = 99;
  sign_slots(slots_, root_);
  auto read = decode_slots(encode_slots(slots_));
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(is_signed(*read, root_));
  EXPECT_EQ(read->slots.back().counts.threshold, 3);
  EXPECT_EQ(read->slots.back().counts.shares, 5);
  EXPECT_EQ(read->slots.back().created, 77U);
  EXPECT_EQ(read->slots.back().opened, 99U);
  EXPECT_EQ(open_slots(*read, SlotKind::kShares, as_bytes(kKeyFile))->id, 2U);
  EXPECT_EQ(open_slots(*read, SlotKind::kKeyFile, as_bytes(kKeyFile))->id, 0U)
      << "the slot of the same secret";
  EXPECT_FALSE(open_slots(*read, SlotKind::kShares, as_bytes(kPassphrase)).has_value());
  read->slots.back().counts.threshold = 2;
  EXPECT_FALSE(is_signed(*read, root_));
  EXPECT_FALSE(open_slots(*read, SlotKind::kShares, as_bytes(kKeyFile)).has_value());
}

TEST_F(SlotsTest, RefusesSharesThatCannotBe) {
  ASSERT_TRUE(add_slot(slots_, shares(kKeyFile), root_, random_));
  for (crypto::ShareCounts const counts : {crypto::ShareCounts{1, 5}, {6, 5}, {2, 17}, {0, 0}}) {
    slots_.slots.back().counts = counts;
    sign_slots(slots_, root_);
    EXPECT_EQ(decode_slots(encode_slots(slots_)).error().kind(), ErrorKind::kCorrupt);
  }
}

TEST_F(SlotsTest, K09NoNumberOfASlotComesTwice) {
  ASSERT_TRUE(add_slot(slots_, shares(kKeyFile), root_, random_));
  EXPECT_EQ(slots_.slots.back().id, 2U);
  slots_.slots.pop_back();
  sign_slots(slots_, root_);
  auto read = decode_slots(encode_slots(slots_)).value();
  ASSERT_TRUE(add_slot(read, shares(kKeyFile), root_, random_));
  EXPECT_EQ(read.slots.back().id, 3U);
}

TEST_F(SlotsTest, TakesThirtyTwoSlotsAndNoMore) {
  while (slots_.slots.size() < 32) ASSERT_TRUE(add_slot(slots_, key_file(), root_, random_));
  EXPECT_EQ(add_slot(slots_, key_file(), root_, random_).error().kind(), ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::vault
