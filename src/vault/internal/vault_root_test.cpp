#include "vault/internal/vault_root.hpp"

#include <gtest/gtest.h>

#include "storage/fault/fault_disk.hpp"

namespace tacenda::vault {
namespace {

constexpr char const* kPath = "/keys/store.key.root";

class VaultRootTest : public ::testing::Test {
 protected:
  VaultRootTest() {
    EXPECT_TRUE(disk_->make_folder("/keys"));
    EXPECT_TRUE(file_.create(root(1, 0x11), random_));
  }
  static VaultRoot root(std::uint64_t generation, int seed) {
    VaultRoot made{generation, {}};
    for (auto& byte : made.key.reveal_mutable()) byte = static_cast<std::byte>(seed);
    return made;
  }
  crypto::SystemRandom random_;
  std::shared_ptr<storage::FaultDisk> disk_ = std::make_shared<storage::FaultDisk>(1);
  std::unique_ptr<storage::Files> files_ = storage::fault_files(disk_);
  RootKey root_key_ = crypto::random_secret<RootKey>(random_).value();
  std::array<std::byte, 16> store_id_{};
  VaultRootFile file_{*files_, kPath, root_key_, store_id_};
};

TEST_F(VaultRootTest, KeepsTheGenerationInForceWhileTheNextIsWrittenBeside) {
  ASSERT_TRUE(file_.write_beside(1, root(2, 0x22), random_));
  EXPECT_TRUE(file_.read(1)->key == root(1, 0x11).key);
  EXPECT_TRUE(file_.read(2)->key == root(2, 0x22).key);
}

TEST_F(VaultRootTest, AnOverwrittenGenerationIsGone) {
  Bytes const before = disk_->content(kPath);
  ASSERT_TRUE(file_.write_beside(1, root(2, 0x22), random_));
  ASSERT_TRUE(file_.overwrite_all(root(2, 0x22), random_));
  auto const old = file_.read(1);
  ASSERT_FALSE(old.has_value());
  EXPECT_EQ(old.error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(file_.generations().value()[0], 2U);
  EXPECT_EQ(file_.generations().value()[1], 2U);
  // Nothing of what was wrapped before is left in the file.
  std::string const now(as_text(disk_->content(kPath)));
  EXPECT_EQ(now.find(std::string(as_text(ByteView(before).subspan(18, 72)))), std::string::npos);
}

TEST_F(VaultRootTest, AnErasureThatWasCutOffIsWrittenOver) {
  ASSERT_TRUE(file_.write_beside(1, root(2, 0x22), random_));
  ASSERT_TRUE(file_.overwrite_all(root(1, 0x11), random_));  // the engine still names 1
  EXPECT_FALSE(file_.read(2).has_value());
  ASSERT_TRUE(file_.write_beside(1, root(2, 0x33), random_));
  EXPECT_TRUE(file_.read(2)->key == root(2, 0x33).key);
  EXPECT_TRUE(file_.read(1).has_value());
}

TEST_F(VaultRootTest, RefusesToWriteBesideAGenerationItDoesNotHold) {
  EXPECT_FALSE(file_.write_beside(5, root(6, 0x66), random_).has_value());
  EXPECT_TRUE(file_.read(1).has_value());
}

TEST_F(VaultRootTest, NoFlippedByteOfBothSlotsOpens) {
  Bytes const good = disk_->content(kPath);
  constexpr std::size_t kUsed = 8 + 2 + 8 + 24 + 48;
  for (std::size_t at = 0; at < kUsed; ++at) {
    Bytes flipped = good;
    flipped[at] ^= std::byte{4};
    flipped[4096 + at] ^= std::byte{4};
    disk_->set_content(kPath, flipped);
    EXPECT_FALSE(file_.read(1).has_value()) << at;
  }
}

TEST_F(VaultRootTest, OpensFromTheOtherSlotWhenOneIsDamaged) {
  Bytes content = disk_->content(kPath);
  content[50] ^= std::byte{1};
  disk_->set_content(kPath, content);
  EXPECT_TRUE(file_.read(1)->key == root(1, 0x11).key);
}

TEST_F(VaultRootTest, OpensUnderItsRootKeyAndInItsStoreOnly) {
  RootKey other;
  ASSERT_TRUE(random_.fill(other.reveal_mutable()));
  EXPECT_FALSE(VaultRootFile(*files_, kPath, other, store_id_).read(1).has_value());
  EXPECT_FALSE(VaultRootFile(*files_, kPath, root_key_, {std::byte{1}}).read(1).has_value());
}

}  // namespace
}  // namespace tacenda::vault
