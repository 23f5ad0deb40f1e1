#include "audit/failure_meter.hpp"

#include <numeric>

#include <gtest/gtest.h>

namespace tacenda::audit {
namespace {

constexpr Time kStart{std::chrono::milliseconds{1'800'000'000'000}};

Event failure(std::string address, std::string reason = "wrong password") {
  Event event;
  event.kind = EventKind::kLoginFailed;
  event.outcome = Outcome::kMinorFailure;
  event.network = std::move(address);
  event.reason = std::move(reason);
  event.request_id = "one request";
  return event;
}

std::uint64_t total(std::vector<Event> const& events) {
  return std::accumulate(events.begin(), events.end(), std::uint64_t{0},
                         [](std::uint64_t sum, Event const& event) { return sum + event.count; });
}

TEST(FailureMeter, RecordsTwentyFailuresOfAnAddressInASecondSingly) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(meter.note(failure("192.0.2.1")).has_value());
  EXPECT_FALSE(meter.note(failure("192.0.2.1")).has_value());
  EXPECT_TRUE(meter.note(failure("192.0.2.2")).has_value()) << "another address has a rate of its own";
}

TEST(FailureMeter, CountsWhatIsBeyondTheRateByAddressAndReason) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  for (int i = 0; i < 120; ++i) (void)meter.note(failure("192.0.2.1"));
  for (int i = 0; i < 7; ++i) (void)meter.note(failure("192.0.2.1", "unknown token"));
  EXPECT_TRUE(meter.take_due().empty()) << "the second is not over";
  clock.advance(std::chrono::seconds(1));
  auto const due = meter.take_due();
  ASSERT_EQ(due.size(), 2U);
  EXPECT_EQ(due[0].reason, "unknown token");
  EXPECT_EQ(due[0].count, 7U);
  EXPECT_EQ(due[1].reason, "wrong password");
  EXPECT_EQ(due[1].count, 100U);
  EXPECT_EQ(due[1].network, "192.0.2.1");
  EXPECT_EQ(due[1].request_id, "") << "a sum belongs to no single request";
  EXPECT_TRUE(meter.take_due().empty());
}

TEST(FailureMeter, RecordsSinglyAgainInTheNextSecond) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  for (int i = 0; i < 25; ++i) (void)meter.note(failure("192.0.2.1"));
  clock.advance(std::chrono::seconds(1));
  EXPECT_TRUE(meter.note(failure("192.0.2.1")).has_value());
}

TEST(FailureMeter, LosesNoFailureOfAFloodFromManyAddresses) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  std::size_t singles = 0;
  for (int address = 0; address < 5'000; ++address) {
    if (meter.note(failure("address " + std::to_string(address)))) ++singles;
  }
  EXPECT_EQ(singles, FailureMeter::kSingle);
  clock.advance(std::chrono::seconds(1));
  auto const due = meter.take_due();
  EXPECT_EQ(due.size(), FailureMeter::kCounted + 1) << "the last one counts the overflow";
  EXPECT_EQ(due.back().kind, EventKind::kOverLimit);
  EXPECT_EQ(total(due), 5'000U - singles);
}

TEST(FailureMeter, StaysBoundedWhenNobodyTakesTheCounts) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  std::uint64_t counted = 0;
  for (int second = 0; second < 30; ++second) {
    for (int address = 0; address < 1'500; ++address) {
      if (!meter.note(failure("address " + std::to_string(address)))) ++counted;
    }
    clock.advance(std::chrono::seconds(1));
  }
  auto const first = meter.take_due();
  auto const rest = meter.take_all();
  EXPECT_LE(first.size(), FailureMeter::kDue + 1);
  EXPECT_EQ(total(first) + total(rest), counted);
}

TEST(FailureMeter, GivesTheRunningSecondAtTheEnd) {
  ManualClock clock(kStart);
  FailureMeter meter(clock);
  for (int i = 0; i < 22; ++i) (void)meter.note(failure("192.0.2.1"));
  EXPECT_EQ(total(meter.take_all()), 2U);
}

}  // namespace
}  // namespace tacenda::audit
