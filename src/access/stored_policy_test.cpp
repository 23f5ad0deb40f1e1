// Every version of the policy is kept, with when it came and by whom (S-12).
#include "access/stored_policy.hpp"

#include <gtest/gtest.h>

#include "vault/digest.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::access {
namespace {

constexpr std::string_view kFirst = "version = 1\n[roles.a]\nadmin = [\"manage-policy\"]\n";
constexpr std::string_view kSecond = "version = 1\n[roles.b]\nadmin = [\"manage-policy\"]\n";

class StoredPolicy : public ::testing::Test {
 protected:
  void put(std::string_view toml, std::string_view by) {
    auto change = policy_change(*store.vault, *now, toml, {store.clock.now(), std::string(by)});
    ASSERT_TRUE(change.has_value());
    ASSERT_TRUE(store.commit(std::move(change->set)).has_value());
    now = change->policy;
  }

  vault::testing::TestStore store;
  std::shared_ptr<Policy const> now = Policy::shipped("classic").value();
};

TEST_F(StoredPolicy, S12EachVersionIsKeptWithWhenItCameAndByWhom) {
  put(kFirst, "system");
  put(kSecond, "alice");
  auto const versions = policy_versions(*store.vault).value();
  ASSERT_EQ(versions.size(), 2U);
  EXPECT_EQ(versions.at(0).version, 2U);
  EXPECT_EQ(versions.at(1).version, 3U);
  EXPECT_EQ(versions.at(0).mark->by, "system");
  EXPECT_EQ(versions.at(1).mark->by, "alice");
  EXPECT_EQ(versions.at(1).mark->time, from_unix_ms(to_unix_ms(store.clock.now())));
  EXPECT_EQ(versions.at(1).digest, vault::digest(as_bytes(kSecond)));
  EXPECT_EQ(policy_text(*store.vault, 2).value(), kFirst);
  EXPECT_EQ(policy_text(*store.vault, 3).value(), kSecond);
  EXPECT_EQ(policy_text(*store.vault, 4).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(stored_policy(*store.vault).value()->text(), kSecond);
}

TEST_F(StoredPolicy, S12AVersionOfBeforeIsItsTextAlone) {
  auto const rows = store.vault->sealed_view(vault::Keeper::kPolicy, vault::Purpose::kAuth);
  Bytes key;
  ByteWriter(key).u8('p').u8(0).u64(2);
  vault::WriteSet set;
  ASSERT_TRUE(rows.put(set, key, as_bytes(kFirst)).has_value());
  ASSERT_TRUE(store.commit(std::move(set)).has_value());
  auto const versions = policy_versions(*store.vault).value();
  ASSERT_EQ(versions.size(), 1U);
  EXPECT_FALSE(versions.front().mark.has_value());
  EXPECT_EQ(versions.front().digest, vault::digest(as_bytes(kFirst)));
  EXPECT_EQ(policy_text(*store.vault, 2).value(), kFirst);
}

}  // namespace
}  // namespace tacenda::access
