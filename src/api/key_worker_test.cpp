// The end of old keys while the server serves (K-08): what is recorded of it, and what it waits for.
#include "api/key_worker.hpp"

#include <memory>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "vault/store_testing.hpp"

namespace tacenda::api {
namespace {

using vault::Keeper;
using vault::KeyRotation;
using vault::KeyState;
using vault::Purpose;

class KeyWorkerTest : public ::testing::Test {
 protected:
  KeyWorkerTest() {
    auto opened = audit::Log::open(*store_.vault, store_.clock, store_.random);
    EXPECT_TRUE(opened.has_value()) << opened.error().message();
    log_ = std::move(*opened);
    runner_ = std::jthread([this](std::stop_token const& stop) { log_->run(stop); });
    worker_ = std::make_unique<KeyWorker>(
        KeyWorker::Parts{.vault = *store_.vault, .log = *log_, .clock = store_.clock});
  }
  ~KeyWorkerTest() override {
    runner_.request_stop();
    runner_.join();
  }

  KeyRotation rotation() { return KeyRotation(*store_.vault); }
  KeyState state_of(Purpose purpose, std::uint32_t number) {
    for (auto const& term : rotation().terms()) {
      if (term.purpose == purpose && term.number == number) return term.state;
    }
    ADD_FAILURE() << "no such term";
    return {};
  }
  /// A row of that keeper, sealed under the active term.
  void put(Keeper keeper, Purpose purpose, std::string_view key) {
    vault::WriteSet set;
    ASSERT_TRUE(store_.vault->sealed_view(keeper, purpose).put(set, as_bytes(key), as_bytes("row")));
    ASSERT_TRUE(log_->commit(std::move(set), some_event()));
  }
  static std::vector<audit::Event> some_event() {
    audit::Event event;
    event.kind = audit::EventKind::kMetadata;
    event.actor_name = "test";
    event.authentication = "none";
    event.client = "test";
    return {event};
  }
  Result<void> look() { return worker_->look_after_all(std::stop_token()); }

  vault::testing::TestStore store_;
  std::unique_ptr<audit::Log> log_;
  std::jthread runner_;
  std::unique_ptr<KeyWorker> worker_;
};

TEST_F(KeyWorkerTest, K08_ADestructionThatFailsIsOneHoweverOftenItIsTried) {
  ASSERT_TRUE(rotation().rotate(Purpose::kRecord));
  ASSERT_TRUE(rotation().retire(Purpose::kRecord, 1));
  auto const before = log_->size();
  for (int i = 0; i < 3; ++i) {
    store_.disk->fail({storage::DiskCall::kRename, storage::FileGroup::kOther, 1, ErrorKind::kNoSpace});
    EXPECT_FALSE(look().has_value());
    EXPECT_EQ(log_->size(), before + 1) << "it is being destroyed";
    EXPECT_EQ(worker_->progress(Purpose::kRecord, 1)->stage, KeyWorker::Stage::kFailed);
  }
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(state_of(Purpose::kRecord, 1), KeyState::kDestroyed);
  EXPECT_EQ(log_->size(), before + 2) << "and that it is destroyed";
}

TEST_F(KeyWorkerTest, K08_ACompromisedKeyOfTokensDoesNotWaitForWhoReads) {
  auto const reader = store_.vault->read_point();
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kToken, 1));
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(state_of(Purpose::kToken, 1), KeyState::kDestroyed);
}

TEST_F(KeyWorkerTest, K08_WhatACompromisedAuditKeyHasInRowsIsSealedAnewAndTheKeyStays) {
  put(Keeper::kMonitor, Purpose::kAudit, "alert");
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kAudit, 1));
  EXPECT_TRUE(look().has_value());
  auto const row = store_.vault->view(Keeper::kMonitor).get(as_bytes("alert")).value().value();
  EXPECT_EQ(ByteReader(ByteView(row).subspan(2)).u32().value(), 2U);
  EXPECT_EQ(state_of(Purpose::kAudit, 1), KeyState::kCompromised);
  auto const progress = worker_->progress(Purpose::kAudit, 1);
  ASSERT_TRUE(progress.has_value());
  EXPECT_EQ(progress->stage, KeyWorker::Stage::kDone);
  EXPECT_EQ(progress->resealed, 1U);
  EXPECT_TRUE(look().has_value());
  EXPECT_EQ(worker_->progress(Purpose::kAudit, 1)->resealed, 1U) << "once in a run of the server";
}

TEST_F(KeyWorkerTest, K08_ADamagedRowKeepsTheKeyAndNoneOfTheOtherRowsUnderIt) {
  put(Keeper::kIdentity, Purpose::kAuth, "u");
  put(Keeper::kIdentity, Purpose::kAuth, "v");
  auto const view = store_.vault->view(Keeper::kIdentity);
  Bytes damaged = view.get(as_bytes("u")).value().value();
  damaged.back() ^= std::byte{1};
  storage::WriteBatch batch;
  batch.put(view.full_key(as_bytes("u")), damaged);
  ASSERT_TRUE(store_.engine->write(batch));
  ASSERT_TRUE(rotation().mark_compromised(Purpose::kAuth, 1));
  auto const before = log_->size();
  auto const looked = look();
  ASSERT_FALSE(looked.has_value());
  EXPECT_EQ(looked.error().kind(), ErrorKind::kCorrupt);
  EXPECT_TRUE(looked.error().message().contains("accounts")) << looked.error().message();
  EXPECT_EQ(worker_->progress(Purpose::kAuth, 1)->damaged, 1U);
  EXPECT_EQ(ByteReader(ByteView(*view.get(as_bytes("v")).value()).subspan(2)).u32().value(), 2U);
  EXPECT_EQ(state_of(Purpose::kAuth, 1), KeyState::kCompromised);
  EXPECT_EQ(log_->size(), before) << "nothing is said to be destroyed";
}

TEST_F(KeyWorkerTest, K08_WhatAChangeOfTheRootKeyLeftUndoneIsDone) {
  store_.disk->fail({storage::DiskCall::kRename, storage::FileGroup::kOther, 7, ErrorKind::kNoSpace});
  ASSERT_FALSE(rotation().rotate_root(KeyRotation::OtherSlots::kRefuse).has_value());
  EXPECT_TRUE(store_.files->exists("/data/keyring.next").value());
  EXPECT_TRUE(look().has_value());
  EXPECT_FALSE(store_.files->exists("/data/keyring.next").value());
}

}  // namespace
}  // namespace tacenda::api
