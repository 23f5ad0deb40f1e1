// Requests for a second person: who may decide, until when, and that each is decided once (S-12).
#include "access/approvals.hpp"

#include <gtest/gtest.h>

#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::access {
namespace {

using State = ApprovalRequest::State;
using Person = Approvals::Person;

constexpr Person kAlice{"u-alice", "alice"};
constexpr Person kBob{"u-bob", "bob"};
constexpr Person kCarol{"u-carol", "carol"};

class ApprovalsTest : public ::testing::Test {
 protected:
  ApprovalsTest() { open(); }
  void open(std::uint8_t persons = 2) {
    auto opened = Approvals::open(*store.vault, store.clock, persons);
    ASSERT_TRUE(opened.has_value());
    approvals = std::move(*opened);
  }
  void restart() {
    approvals.reset();
    ASSERT_TRUE(store.reopen());
    open();
  }

  static ApprovalRequest request(bool is_secret = false) {
    ApprovalRequest request;
    request.path = "/admin/users/role";
    request.body = R"({"name":"dr.house","role":"doctor"})";
    request.act = "role-changed";
    request.target = "dr.house";
    request.old_value = "nurse";
    request.new_value = "doctor";
    request.basis = "policy 2";
    request.subject = kCarol.id;
    request.is_secret = is_secret;
    request.asker = kAlice.id;
    request.asker_name = kAlice.name;
    return request;
  }
  std::string asked(bool is_secret = false) {
    auto step = approvals->ask(request(is_secret));
    EXPECT_TRUE(step.has_value());
    EXPECT_TRUE(store.commit(std::move(step->set)).has_value());
    return step->request.id;
  }
  ErrorKind commit(Result<Approvals::Step> step) {
    if (!step.has_value()) return step.error().kind();
    auto const stored = store.commit(std::move(step->set));
    return stored.has_value() ? ErrorKind::kBug : stored.error().kind();
  }
  void expect_done(Result<Approvals::Step> step) {
    ASSERT_TRUE(step.has_value()) << step.error().message();
    EXPECT_TRUE(store.commit(std::move(step->set)).has_value());
  }
  State state_of(std::string const& id) { return approvals->find(id).value().state; }

  vault::testing::TestStore store;
  std::unique_ptr<Approvals> approvals;
};

TEST_F(ApprovalsTest, S12IsDecidedBySomebodyElseAlone) {
  auto const id = asked();
  EXPECT_EQ(commit(approvals->approve(id, kAlice)), ErrorKind::kForbidden) << "his own";
  EXPECT_EQ(commit(approvals->approve(id, kCarol)), ErrorKind::kForbidden) << "about his own account";
  EXPECT_EQ(commit(approvals->refuse(id, kAlice, "no")), ErrorKind::kForbidden);
  EXPECT_EQ(commit(approvals->withdraw(id, kBob)), ErrorKind::kForbidden);
  EXPECT_EQ(commit(approvals->approve("another", kBob)), ErrorKind::kNotFound);
  EXPECT_EQ(state_of(id), State::kWaiting);
  expect_done(approvals->approve(id, kBob));
  auto const done = approvals->find(id).value();
  EXPECT_EQ(done.state, State::kDone);
  EXPECT_EQ(done.decider, kBob.id);
  EXPECT_EQ(done.decided, store.clock.now());
}

TEST_F(ApprovalsTest, S12OfTwoDecisionsAtOnceOneConflicts) {
  auto const id = asked();
  auto approved = approvals->approve(id, kBob);
  auto refused = approvals->refuse(id, kCarol, "no");
  auto withdrawn = approvals->withdraw(id, kAlice);
  expect_done(std::move(refused));
  EXPECT_EQ(commit(std::move(approved)), ErrorKind::kConflict);
  EXPECT_EQ(commit(std::move(withdrawn)), ErrorKind::kConflict);
  EXPECT_EQ(state_of(id), State::kRefused);
  EXPECT_EQ(approvals->find(id).value().reason, "no");
}

TEST_F(ApprovalsTest, S12IsDecidedOnceAlsoBehindARestart) {
  auto const id = asked();
  restart();
  expect_done(approvals->approve(id, kBob));
  EXPECT_EQ(commit(approvals->approve(id, kBob)), ErrorKind::kConflict);
  restart();
  EXPECT_EQ(commit(approvals->approve(id, kBob)), ErrorKind::kConflict);
  EXPECT_EQ(commit(approvals->refuse(id, kBob, "no")), ErrorKind::kConflict);
  EXPECT_EQ(commit(approvals->withdraw(id, kAlice)), ErrorKind::kConflict);
  auto const refused = asked();
  expect_done(approvals->refuse(refused, kBob, "no"));
  EXPECT_EQ(commit(approvals->approve(refused, kBob)), ErrorKind::kConflict);
}

TEST_F(ApprovalsTest, S12ASecretIsCollectedOnceByWhoAsked) {
  auto const id = asked(true);
  EXPECT_EQ(commit(approvals->collect(id, kAlice)), ErrorKind::kConflict) << "nobody has approved";
  expect_done(approvals->approve(id, kBob));
  EXPECT_EQ(state_of(id), State::kApproved);
  EXPECT_EQ(commit(approvals->approve(id, kBob)), ErrorKind::kConflict);
  EXPECT_EQ(commit(approvals->collect(id, kBob)), ErrorKind::kForbidden);
  auto again = approvals->collect(id, kAlice);
  expect_done(approvals->collect(id, kAlice));
  EXPECT_EQ(commit(std::move(again)), ErrorKind::kConflict);
  EXPECT_EQ(commit(approvals->collect(id, kAlice)), ErrorKind::kConflict);
}

TEST_F(ApprovalsTest, S12WhatWasApprovedCanBeTakenBackUntilItIsCollected) {
  auto const id = asked(true);
  expect_done(approvals->approve(id, kBob));
  expect_done(approvals->refuse(id, kCarol, "too hasty"));
  EXPECT_EQ(commit(approvals->collect(id, kAlice)), ErrorKind::kConflict);
  auto const other = asked(true);
  expect_done(approvals->approve(other, kBob));
  expect_done(approvals->withdraw(other, kAlice));
  EXPECT_EQ(commit(approvals->collect(other, kAlice)), ErrorKind::kNotFound);
}

TEST_F(ApprovalsTest, S12EndsWithItsTime) {
  auto const id = asked();
  auto const secret = asked(true);
  store.clock.advance(limits::kApprovalTime - std::chrono::seconds(1));
  expect_done(approvals->approve(secret, kBob));
  store.clock.advance(std::chrono::seconds(1));
  EXPECT_EQ(commit(approvals->approve(id, kBob)), ErrorKind::kConflict) << "also before anybody has ended it";
  auto due = approvals->due();
  ASSERT_TRUE(due.has_value());
  ASSERT_EQ(due->expired.size(), 1U) << "what is to be collected has a time of its own";
  EXPECT_EQ(due->expired.front().id, id);
  ASSERT_TRUE(store.commit(std::move(due->set)).has_value());
  EXPECT_EQ(state_of(id), State::kExpired);
  approvals->looked(*due);
  EXPECT_FALSE(approvals->is_due());
  store.clock.advance(limits::kApprovalTime);
  EXPECT_TRUE(approvals->is_due());
  EXPECT_EQ(commit(approvals->collect(secret, kAlice)), ErrorKind::kConflict);
  store.clock.advance(limits::kApprovalKept);
  for (int round = 0; round < 2; ++round) {
    due = approvals->due();
    ASSERT_TRUE(due.has_value() && store.commit(std::move(due->set)).has_value());
  }
  EXPECT_TRUE(approvals->all().value().empty());
}

TEST_F(ApprovalsTest, S12AnExpiryAndAnApprovalExcludeEachOther) {
  auto const id = asked();
  auto approved = approvals->approve(id, kBob);
  store.clock.advance(limits::kApprovalTime);
  auto due = approvals->due();
  ASSERT_TRUE(due.has_value());
  expect_done(std::move(approved));
  EXPECT_EQ(store.commit(std::move(due->set)).error().kind(), ErrorKind::kConflict);
  EXPECT_EQ(state_of(id), State::kDone);
}

TEST_F(ApprovalsTest, ARefusalHasAReason) {
  auto const id = asked();
  EXPECT_EQ(commit(approvals->refuse(id, kBob, " \n")), ErrorKind::kUnprocessable);
  EXPECT_EQ(commit(approvals->refuse(id, kBob, std::string(limits::kReasonBytes + 1, 'x'))),
            ErrorKind::kUnprocessable);
  EXPECT_EQ(state_of(id), State::kWaiting);
}

TEST_F(ApprovalsTest, SoManyWaitAndNoMore) {
  for (std::size_t i = 0; i < limits::kApprovalsPerAsker; ++i) asked();
  EXPECT_EQ(approvals->ask(request()).error().kind(), ErrorKind::kThrottled);
  auto of_bob = request();
  of_bob.asker = kBob.id;
  EXPECT_TRUE(approvals->ask(of_bob).has_value());
  expect_done(approvals->withdraw(approvals->all().value().front().id, kAlice));
  asked();
  EXPECT_EQ(approvals->ask(request()).error().kind(), ErrorKind::kThrottled);
  store.clock.advance(limits::kApprovalTime);
  EXPECT_TRUE(approvals->ask(request()).has_value()) << "what is over waits for nobody";
  std::size_t many = limits::kApprovalsPerAsker;
  for (; many < 2 * limits::kApprovalsWaiting; ++many) {
    auto other = request();
    other.asker = "u-" + std::to_string(many / 20);
    auto step = approvals->ask(other);
    if (!step.has_value()) break;
    ASSERT_TRUE(store.commit(std::move(step->set)).has_value());
  }
  EXPECT_EQ(many, limits::kApprovalsPerAsker + limits::kApprovalsWaiting);
}

TEST_F(ApprovalsTest, S12OnceThereWasASecondPersonOneIsDemandedForGood) {
  EXPECT_FALSE(approvals->demands_second(false)) << "a fresh store has one administrator";
  EXPECT_TRUE(approvals->demands_second(true));
  EXPECT_TRUE(approvals->is_to_remember(true));
  EXPECT_FALSE(approvals->is_to_remember(false));
  auto set = approvals->remember_others();
  ASSERT_TRUE(set.has_value() && store.commit(std::move(*set)).has_value());
  approvals->remembered();
  EXPECT_TRUE(approvals->demands_second(false)) << "whoever disables the others gets nothing by it";
  restart();
  EXPECT_TRUE(approvals->demands_second(false));
  EXPECT_FALSE(approvals->is_to_remember(true));
}

TEST_F(ApprovalsTest, WithOnePersonNothingIsDemandedNorRemembered) {
  open(1);
  EXPECT_FALSE(approvals->demands_second(true));
  EXPECT_FALSE(approvals->is_to_remember(true));
}

TEST_F(ApprovalsTest, ARowIsReadAsItWasWrittenAndNotInAnyOtherWay) {
  auto const row = encode_approval(approvals->find(asked(true)).value());
  EXPECT_TRUE(equal(encode_approval(decode_approval(row).value()), row));
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_EQ(decode_approval(ByteView(row).first(size)).error().kind(), ErrorKind::kCorrupt) << size;
  auto changed = row;
  changed.push_back(std::byte{0});
  EXPECT_FALSE(decode_approval(changed).has_value());
  for (auto const& [place, value] : {std::pair(0, 2), std::pair(1, 0), std::pair(1, 6), std::pair(2, 2)}) {
    changed = row;
    changed[static_cast<std::size_t>(place)] = static_cast<std::byte>(value);
    EXPECT_FALSE(decode_approval(changed).has_value()) << place;
  }
}

}  // namespace
}  // namespace tacenda::access
