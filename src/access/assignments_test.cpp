// What was decided about single persons, and that of several changes at once none is lost or done twice.
#include "access/assignments.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::access {
namespace {

constexpr std::chrono::minutes kHour{60};

class AssignmentsTest : public ::testing::Test {
 protected:
  AssignmentsTest() { open(); }
  void open() {
    auto opened = Assignments::open(*store.vault, store.clock);
    ASSERT_TRUE(opened.has_value());
    assignments = std::move(*opened);
  }
  void restart() {
    assignments.reset();
    ASSERT_TRUE(store.reopen());
    open();
  }
  ErrorKind commit(Result<Assignments::Change> change) {
    if (!change.has_value()) return change.error().kind();
    auto const stored = store.commit(std::move(change->set));
    if (!stored.has_value()) return stored.error().kind();
    if (change->committed) change->committed();
    return ErrorKind::kBug;  // stands for: done
  }
  static constexpr ErrorKind kDone = ErrorKind::kBug;

  Result<Assignments::Begun> begin(std::string_view user, std::string_view patient,
                                   std::optional<EmergencyDisclosure> disclosure = {}) {
    return assignments->begin_emergency(user, patient, "unconscious", kHour, std::move(disclosure));
  }
  std::string begun(std::string_view user, std::string_view patient,
                    std::optional<EmergencyDisclosure> disclosure = {}) {
    auto made = begin(user, patient, std::move(disclosure));
    EXPECT_TRUE(made.has_value());
    EXPECT_EQ(commit(std::move(made->change)), kDone);
    return made->emergency.id;
  }
  /// Runs `what` on so many threads at once; how many of them were done.
  template <typename What>
  int done_at_once(int threads, What what) {
    std::atomic<int> ready{0};
    std::atomic<int> done{0};
    std::vector<std::jthread> running;
    for (int i = 0; i < threads; ++i) {
      running.emplace_back([&, i] {
        ++ready;
        while (ready < threads) std::this_thread::yield();
        if (what(i) == kDone) ++done;
      });
    }
    running.clear();
    return done;
  }

  vault::testing::TestStore store;
  std::unique_ptr<Assignments> assignments;
};

TEST_F(AssignmentsTest, C13OfTwoReviewsOneIsTooLate) {
  auto const id = begun("ada", "p1");
  // The first is stored, and not yet effective in memory.
  auto first = assignments->review(id, "officer", "was needed");
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(store.commit(std::move(first->set)).has_value());
  EXPECT_EQ(commit(assignments->review(id, "auditor", "was not needed")), ErrorKind::kConflict);
  first->committed();
  EXPECT_EQ(commit(assignments->review(id, "auditor", "was not needed")), ErrorKind::kConflict);
  // Two that both looked before either was stored.
  auto const other = begun("ada", "p2");
  auto second = assignments->review(other, "officer", "was needed");
  auto third = assignments->review(other, "auditor", "was not needed");
  EXPECT_EQ(commit(std::move(second)), kDone);
  EXPECT_EQ(commit(std::move(third)), ErrorKind::kConflict);
  restart();
  for (auto const& each : assignments->emergencies()) EXPECT_EQ(each.finding, "was needed");
}

TEST_F(AssignmentsTest, C13OfManyReviewsAtOnceExactlyOneIsKept) {
  constexpr int kThreads = 8;
  for (int round = 0; round < 40; ++round) {
    auto const id = begun("user" + std::to_string(round), "p1");
    std::atomic<int> winner{-1};
    int const done = done_at_once(kThreads, [&](int i) {
      auto const outcome =
          commit(assignments->review(id, "reviewer" + std::to_string(i), "finding " + std::to_string(i)));
      if (outcome == kDone) winner = i;
      return outcome;
    });
    ASSERT_EQ(done, 1);
    for (auto const& each : assignments->emergencies()) {
      if (each.id != id) continue;
      EXPECT_EQ(each.finding, "finding " + std::to_string(winner));
    }
  }
}

TEST_F(AssignmentsTest, C12OfManyEmergenciesAtOnceNoMoreAreBegunThanMayWait) {
  constexpr std::size_t kOpen = 100;
  std::vector<Assignments::Begun> under_way;
  for (std::size_t i = 0; i < kOpen; ++i) {
    auto made = begin("ada", "p" + std::to_string(i));
    ASSERT_TRUE(made.has_value());
    under_way.push_back(std::move(*made));
  }
  // None is stored yet, and there is no place left; others have theirs.
  EXPECT_EQ(begin("ada", "px").error().kind(), ErrorKind::kThrottled);
  EXPECT_TRUE(begin("bob", "px").has_value());
  under_way.pop_back();  // one is given up
  auto again = begin("ada", "px");
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(commit(std::move(again->change)), kDone);
  for (auto& each : under_way) EXPECT_EQ(commit(std::move(each.change)), kDone);
  EXPECT_EQ(begin("ada", "py").error().kind(), ErrorKind::kThrottled);
  EXPECT_EQ(assignments->emergencies().size(), kOpen);
  int const done = done_at_once(8, [&](int i) {
    ErrorKind outcome = kDone;
    for (std::size_t n = 0; n < 20 && outcome == kDone; ++n) {
      auto made = begin("carol", "p" + std::to_string(i));
      outcome = made.has_value() ? commit(std::move(made->change)) : made.error().kind();
    }
    return outcome;
  });
  EXPECT_LT(done, 8) << "8 times 20 are more than may wait";
  std::size_t carols = 0;
  for (auto const& each : assignments->emergencies()) carols += each.user == "carol" ? 1U : 0U;
  EXPECT_EQ(carols, kOpen);
}

TEST_F(AssignmentsTest, S12AChangeThatLookedBeforeAnotherOneConflicts) {
  auto const first = ResourceId::parse("one").value();
  auto const second = ResourceId::parse("two").value();
  auto a = assignments->set_practitioner("ada", first);
  auto b = assignments->set_practitioner("ada", second);
  EXPECT_EQ(commit(std::move(a)), kDone);
  EXPECT_EQ(commit(std::move(b)), ErrorKind::kConflict);
  EXPECT_EQ(assignments->practitioner_of("ada"), "one");
  auto listed = assignments->set_listed("p1", "ada", true);
  auto unlisted = assignments->set_listed("p1", "ada", false);
  EXPECT_EQ(commit(std::move(unlisted)), kDone);
  EXPECT_EQ(commit(std::move(listed)), ErrorKind::kConflict) << "what took him off the list was later";
  restart();
  EXPECT_EQ(assignments->practitioner_of("ada"), "one");
  EXPECT_FALSE(assignments->is_listed("p1", "ada"));
}

TEST_F(AssignmentsTest, C14TheRecordOfADisclosureIsWholeOrNone) {
  EmergencyDisclosure const whole{"Dr. Lee", "St. Mary's ED", "A. Nurse", "overdose"};
  for (auto EmergencyDisclosure::* field :
       {&EmergencyDisclosure::recipient, &EmergencyDisclosure::affiliation, &EmergencyDisclosure::discloser,
        &EmergencyDisclosure::nature}) {
    for (auto const& text : {std::string(), std::string(" \n"), std::string(limits::kReasonBytes + 1, 'x')}) {
      auto broken = whole;
      broken.*field = text;
      EXPECT_EQ(begin("ada", "p1", broken).error().kind(), ErrorKind::kUnprocessable);
    }
  }
  auto const id = begun("ada", "p1", whole);
  begun("ada", "p2");
  restart();
  for (auto const& each : assignments->emergencies()) {
    ASSERT_EQ(each.disclosure.has_value(), each.id == id);
    if (!each.disclosure) continue;
    EXPECT_EQ(each.disclosure->recipient, "Dr. Lee");
    EXPECT_EQ(each.disclosure->affiliation, "St. Mary's ED");
    EXPECT_EQ(each.disclosure->discloser, "A. Nurse");
    EXPECT_EQ(each.disclosure->nature, "overdose");
  }
}

TEST(EmergencyRow, IsReadAsItWasWrittenAlsoWithoutADisclosureAsBefore) {
  Emergency emergency;
  emergency.id = "e1";
  emergency.user = "ada";
  emergency.patient = "p1";
  emergency.reason = "unconscious";
  auto const row = encode_emergency(emergency);
  ASSERT_TRUE(decode_emergency(row).has_value());
  // Format 1 ended before the flag of the disclosure.
  Bytes old(row.begin(), row.end() - 1);
  old.front() = std::byte{1};
  auto const read = decode_emergency(old);
  ASSERT_TRUE(read.has_value());
  EXPECT_FALSE(read->disclosure.has_value());
  for (auto const format : {std::byte{0}, std::byte{3}}) {
    auto other = row;
    other.front() = format;
    EXPECT_FALSE(decode_emergency(other).has_value());
  }
  emergency.disclosure = EmergencyDisclosure{"a", "b", "c", "d"};
  auto const whole = encode_emergency(emergency);
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_FALSE(decode_emergency(ByteView(whole).first(size)).has_value()) << size;
}

}  // namespace
}  // namespace tacenda::access
