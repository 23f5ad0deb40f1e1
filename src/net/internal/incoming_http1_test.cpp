// Bodies that are taken while they come, over HTTP/1.1: what is read when, and what becomes of the
// connection.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/fake_host.hpp"
#include "net/internal/http1_session.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

constexpr std::size_t kRead = std::size_t{16} * 1024;  // what a connection reads in one go

class IncomingHttp1 : public ::testing::Test {
 protected:
  void SetUp() override { host.takes_bodies = true; }

  std::string exchange(std::string_view bytes) {
    session.receive(bytes);
    return drain_output(session);
  }
  std::string begin(std::size_t until = 0) {
    begin_taking(host, session, std::make_unique<CollectingSink>(collected, until));
    return drain_output(session);
  }
  std::string take() {
    take_step(host, session);
    return drain_output(session);
  }
  static std::string head_of(std::size_t length, std::string const& more = "") {
    return "POST /u HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(length) + "\r\n" + more +
           "\r\n";
  }
  /// Sends until the session reads no more, or all is sent; how many bytes it took.
  std::size_t send_while_read(std::size_t bytes) {
    std::size_t sent = 0;
    while (sent < bytes && session.wants_read()) {
      auto const size = std::min(kRead, bytes - sent);
      session.receive(std::string(size, 'x'));
      sent += size;
    }
    return sent;
  }

  FakeHost host;
  Limits limits;
  Collected collected;
  Http1Session session{host, limits, Scheme::kHttps, TimePoint{}};
};

TEST_F(IncomingHttp1, ReadsNothingBeforeItHasBegun) {
  exchange(head_of(4) + "bo");
  ASSERT_EQ(host.begun.size(), 1U);
  EXPECT_EQ(host.begun[0].head.path, "/u");
  EXPECT_FALSE(session.wants_read());
  begin();
  EXPECT_TRUE(session.wants_read());
  exchange("dy");
  EXPECT_THAT(take(), StartsWith("HTTP/1.1 201 "));
  EXPECT_EQ(collected.body, "body");
  EXPECT_TRUE(collected.is_finished);
  EXPECT_EQ(collected.pieces, 1U);
  EXPECT_THAT(host.taken, IsEmpty()) << "no request with the whole body";
}

TEST_F(IncomingHttp1, ASinkThatDoesNotTakeStopsTheSender) {
  constexpr std::size_t kBody = 10'000'000;
  host.body_max = kBody;
  exchange(head_of(kBody));
  begin();
  std::size_t sent = send_while_read(kBody);
  EXPECT_LE(sent, IncomingBody::kReservedBytes);
  EXPECT_FALSE(session.wants_read()) << "one piece is with the sink, one is full";
  ASSERT_EQ(host.steps.size(), 1U) << "never two at once";
  while (!collected.is_finished) {
    ASSERT_EQ(host.steps.size(), 1U);
    EXPECT_LE(host.steps[0].step.piece.size(), IncomingBody::kPieceBytes + kRead);
    take();
    sent += send_while_read(kBody - sent);
  }
  EXPECT_EQ(sent, kBody);
  EXPECT_EQ(collected.body, std::string(kBody, 'x'));
}

TEST_F(IncomingHttp1, GrantsContinueOnlyWhenItHasBegun) {
  EXPECT_EQ(exchange(head_of(2, "expect: 100-continue\r\n")), "");
  EXPECT_EQ(begin(), "HTTP/1.1 100 Continue\r\n\r\n");
  exchange("ab");
  EXPECT_THAT(take(), StartsWith("HTTP/1.1 201 "));
}

TEST_F(IncomingHttp1, ClosesAfterAnAnswerBeforeTheBody) {
  exchange(head_of(2, "expect: 100-continue\r\n"));
  begin_taking(host, session, CollectingSink::answer(401));
  auto const answer = drain_output(session);
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 401 "));
  EXPECT_THAT(answer, HasSubstr("connection: close"));
  EXPECT_TRUE(session.is_finished());
}

TEST_F(IncomingHttp1, ClosesAfterAnAnswerInTheMiddleOfTheBody) {
  exchange(head_of(1'000'000));
  begin(1);
  send_while_read(200'000);
  EXPECT_THAT(take(), AllOf(StartsWith("HTTP/1.1 403 "), HasSubstr("connection: close")));
  EXPECT_TRUE(session.is_finished());
  EXPECT_TRUE(collected.is_gone);
  EXPECT_FALSE(collected.is_finished);
}

TEST_F(IncomingHttp1, RefusesALengthOverTheLimitUnread) {
  EXPECT_THAT(exchange(head_of(host.body_max + 1)), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(host.begun, IsEmpty());
  EXPECT_TRUE(session.is_finished());
}

TEST_F(IncomingHttp1, TakesChunksHoweverTheyAreCut) {
  host.body_max = 300'000;
  std::string text = "POST /u HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
  exchange(text);
  begin();
  std::string expected;
  std::string body;
  for (int i = 0; i < 200; ++i) {
    expected += std::string(1'000, static_cast<char>('a' + i % 26));
    body += "3E8;n=v\r\n" + expected.substr(expected.size() - 1'000) + "\r\n";
  }
  body += "0\r\ntrace: 1\r\n\r\n";
  for (std::size_t at = 0, size = 1; at < body.size(); at += size, size = size % 997 + 1) {
    while (!session.wants_read() && !host.steps.empty()) take();
    session.receive(std::string_view(body).substr(at, size));
  }
  while (!host.steps.empty()) take();
  EXPECT_EQ(collected.body, expected);
  EXPECT_TRUE(collected.is_finished);
}

TEST_F(IncomingHttp1, RefusesChunksThatPassTheLimit) {
  host.body_max = 400'000;
  exchange("POST /u HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
  begin();
  std::string answer;
  for (int i = 0; i < 5 && answer.empty(); ++i) {
    answer = exchange("186A0\r\n" + std::string(100'000, 'x') + "\r\n");
    while (answer.empty() && !host.steps.empty()) answer = take();
  }
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 413 "));
  EXPECT_LE(collected.body.size(), 400'000U);
  EXPECT_FALSE(collected.is_finished);
  EXPECT_TRUE(session.is_finished());
}

TEST_F(IncomingHttp1, RefusesBrokenFraming) {
  exchange("POST /u HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n");
  begin();
  EXPECT_THAT(exchange("4\r\nbodyX"), StartsWith("HTTP/1.1 400 "));
  EXPECT_TRUE(collected.is_gone);
  EXPECT_TRUE(session.is_finished());
}

TEST_F(IncomingHttp1, TakesTheNextRequestBehindTheBody) {
  exchange(head_of(4) + "bodyGET /next HTTP/1.1\r\nhost: h\r\n\r\n");
  begin();
  EXPECT_THAT(host.taken, IsEmpty()) << "in order";
  EXPECT_THAT(take(), StartsWith("HTTP/1.1 201 "));
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_EQ(host.taken[0].request.path, "/next");
  EXPECT_EQ(collected.body, "body");
}

TEST_F(IncomingHttp1, TakesWhatFollowsTheBodyForARequestAndRefusesIt) {
  exchange(head_of(4) + "bodygarbage\r\n\r\n");
  begin();
  auto const answers = take();
  EXPECT_THAT(answers, StartsWith("HTTP/1.1 201 "));
  EXPECT_THAT(answers, HasSubstr("HTTP/1.1 400 "));
  EXPECT_EQ(collected.body, "body");
  EXPECT_TRUE(session.is_finished());
}

TEST_F(IncomingHttp1, LetsTheSinkGoWithThePeer) {
  exchange(head_of(1'000));
  begin();
  exchange("half");
  session.receive_end();
  EXPECT_TRUE(collected.is_gone);
  EXPECT_FALSE(collected.is_finished);
}

TEST_F(IncomingHttp1, LetsTheSinkGoThatComesBackTooLate) {
  exchange(head_of(1'000'000));
  begin();
  send_while_read(140'000);
  session.receive_end();
  EXPECT_FALSE(collected.is_gone) << "a worker has it";
  take();
  EXPECT_TRUE(collected.is_gone);
  EXPECT_EQ(collected.pieces, 1U);
}

TEST_F(IncomingHttp1, EndsAnUploadThatIsTooSlowAndNoneThatWaitsForItsSink) {
  exchange(head_of(1'000'000));
  EXPECT_EQ(session.deadline(), std::nullopt) << "a worker begins";
  host.time += milliseconds(10);
  begin();
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  auto const began = host.time;
  host.time += milliseconds(10);
  exchange(std::string(16'384, 'x'));
  EXPECT_EQ(session.deadline(), began + limits.body_time) << "too little to count as progress";
  send_while_read(60'000);
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  while (session.wants_read()) exchange(std::string(16'384, 'x'));
  EXPECT_EQ(session.deadline(), std::nullopt) << "the peer waits for the sink";
  host.time += milliseconds(10);
  take();
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  host.time += limits.body_time;
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(drain_output(session), StartsWith("HTTP/1.1 408 "));
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kTimeout));
  take();
  EXPECT_TRUE(collected.is_gone) << "it came back too late";
}

TEST(IncomingBody, ALittleNowAndThenHoldsNoPlaceForDays) {
  TimePoint now{};
  constexpr std::chrono::seconds kBodyTime(60);
  IncomingBody body(Reservation(), std::uint64_t{1} << 30U, now);
  body.returned(nullptr, now);
  int pieces = 0;
  for (; pieces < 1'000 && body.too_slow_at(kBodyTime) > now; ++pieces) {
    now += kBodyTime - std::chrono::seconds(1);
    body.came(64 * 1024, now);
  }
  EXPECT_LT(pieces, 5);
  IncomingBody steady(Reservation(), std::uint64_t{1} << 30U, now);
  steady.returned(nullptr, now);
  for (pieces = 0; pieces < 1'000; ++pieces) {
    now += std::chrono::seconds(1);
    steady.came(20'000, now);
    ASSERT_GT(steady.too_slow_at(kBodyTime), now) << pieces;
  }
}

TEST_F(IncomingHttp1, RefusesWhenTheQueueOrTheBudgetIsFull) {
  host.is_full = true;
  EXPECT_THAT(exchange(head_of(4)), StartsWith("HTTP/1.1 503 "));
  EXPECT_TRUE(session.is_finished());
  FakeHost poor;
  poor.takes_bodies = true;
  poor.budget.take(8 * 1024 * 1024 - IncomingBody::kReservedBytes + 1);
  Http1Session other{poor, limits, Scheme::kHttps, TimePoint{}};
  other.receive(head_of(4));
  EXPECT_THAT(drain_output(other), StartsWith("HTTP/1.1 503 "));
}

TEST_F(IncomingHttp1, GivesItsShareOfTheBudgetBack) {
  exchange(head_of(4) + "body");
  EXPECT_EQ(host.budget.used(), IncomingBody::kReservedBytes);
  begin();
  take();
  EXPECT_EQ(host.budget.used(), 0U);
}

}  // namespace
}  // namespace tacenda::net
