#include "net/internal/http1_session.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/fake_host.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::StartsWith;

Response ok(std::string body = "") {
  Response response;
  response.status = 200;
  response.body = std::move(body);
  return response;
}

class Http1 : public ::testing::Test {
 protected:
  std::string exchange(std::string_view bytes) {
    session.receive(bytes);
    return drain_output(session);
  }
  std::string answer(Response response) {
    session.respond(1, std::move(response));
    return drain_output(session);
  }

  FakeHost host;
  Limits limits;
  Http1Session session{host, limits, Scheme::kHttps, TimePoint{}};
};

TEST_F(Http1, HandsOverAWholeRequest) {
  exchange(
      "POST /fhir/Patient?_pretty=true&a=b HTTP/1.1\r\nHost: example.org:8443\r\nX-Name:  v 1 "
      "\r\nContent-Length: 4\r\n\r\nbody");
  ASSERT_EQ(host.taken.size(), 1U);
  auto const& request = host.taken[0].request;
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.path, "/fhir/Patient");
  EXPECT_EQ(request.query, "_pretty=true&a=b");
  EXPECT_EQ(request.authority, "example.org:8443");
  EXPECT_EQ(request.header("x-name"), "v 1");
  EXPECT_EQ(request.body, "body");
}

TEST_F(Http1, HandsOverTheSameRequestWhenItArrivesByteByByte) {
  std::string const text =
      "\r\nPUT /a HTTP/1.1\r\nhost: h\r\ntransfer-encoding: "
      "chunked\r\n\r\n4;x=\"y\\\"z\"\r\nWiki\r\nA\r\n0123456789\r\n0\r\nTrace: 1\r\n\r\n";
  for (char const c : text) session.receive(std::string_view(&c, 1));
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_EQ(host.taken[0].request.body, "Wiki0123456789");
  EXPECT_FALSE(host.taken[0].request.header("trace"));
}

TEST_F(Http1, WritesDateLengthAndBody) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  auto response = ok("{}");
  response.headers = {{"content-type", "application/fhir+json"}, {"content-length", "7"}};
  EXPECT_EQ(
      answer(std::move(response)),
      "HTTP/1.1 200 OK\r\ndate: Thu, 01 Jan 1970 00:00:00 GMT\r\ncontent-type: application/fhir+json\r\n"
      "content-length: 2\r\n\r\n{}");
  EXPECT_FALSE(session.is_finished());
}

TEST_F(Http1, AnswersPipelinedRequestsInOrderOneAtATime) {
  exchange(
      "GET /1 HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\nGET /3 HTTP/1.1\r\nhost: "
      "h\r\nconnection: close\r\n\r\n");
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_FALSE(session.wants_read());
  EXPECT_THAT(answer(ok("1")), EndsWith("\r\n\r\n1"));
  ASSERT_EQ(host.taken.size(), 2U);
  EXPECT_EQ(host.taken[1].request.path, "/2");
  EXPECT_THAT(answer(ok("2")), EndsWith("\r\n\r\n2"));
  ASSERT_EQ(host.taken.size(), 3U);
  EXPECT_THAT(answer(ok("3")), HasSubstr("connection: close"));
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, SendsALargeBodyWhole) {
  std::string const body(3'000'000, 'b');
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  auto const sent = answer(ok(body));
  EXPECT_THAT(sent, EndsWith("\r\n\r\n" + body));
  EXPECT_THAT(sent.substr(0, 200), HasSubstr("content-length: 3000000\r\n"));
}

TEST_F(Http1, SendsNoBodyForHead) {
  exchange("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
  auto const sent = answer(ok("abc"));
  EXPECT_THAT(sent, HasSubstr("content-length: 3\r\n"));
  EXPECT_THAT(sent, EndsWith("\r\n\r\n"));
}

TEST_F(Http1, SendsNoLengthFor204And304) {
  for (std::uint16_t const status : {std::uint16_t{204}, std::uint16_t{304}}) {
    exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    auto response = ok("must not appear");
    response.status = status;
    auto const sent = answer(std::move(response));
    EXPECT_THAT(sent, Not(HasSubstr("content-length")));
    EXPECT_THAT(sent, EndsWith("\r\n\r\n"));
  }
}

TEST_F(Http1, RefusesAResponseThatWouldSplit) {
  using std::string_literals::operator""s;
  for (auto const& value : {"a\r\nset-cookie: x"s, "a\nb"s, "a\rb"s, "a\0b"s}) {
    exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
    auto response = ok();
    response.headers = {{"location", value}};
    auto const sent = answer(std::move(response));
    EXPECT_THAT(sent, StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(sent, Not(HasSubstr("location")));
  }
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  auto response = ok();
  response.headers = {{"x: y\r\nz", "v"}};
  EXPECT_THAT(answer(std::move(response)), StartsWith("HTTP/1.1 500 "));
}

TEST_F(Http1, RefusesAStatusThatIsNotFinal) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  auto response = ok();
  response.status = 101;
  EXPECT_THAT(answer(std::move(response)), StartsWith("HTTP/1.1 500 "));
}

TEST_F(Http1, SendsContinueOnceBeforeTheBody) {
  auto const head = "POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n";
  EXPECT_EQ(exchange(head), "HTTP/1.1 100 Continue\r\n\r\n");
  EXPECT_EQ(exchange("a"), "");
  exchange("b");
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_THAT(answer(ok()), StartsWith("HTTP/1.1 200 "));
}

TEST_F(Http1, SendsNoContinueWhenTheBodyIsRefused) {
  host.body_max = 1;
  auto const sent =
      exchange("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 2\r\n\r\n");
  EXPECT_THAT(sent, StartsWith("HTTP/1.1 413 "));
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, RefusesAChunkedBodyAtTheLimit) {
  host.body_max = 5;
  EXPECT_EQ(exchange("POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n"), "");
  EXPECT_THAT(exchange("1\r\nf\r\n0\r\n\r\n"), StartsWith("HTTP/1.1 413 "));
  EXPECT_THAT(host.taken, IsEmpty());
}

TEST_F(Http1, RefusesWith503WhenTheBodyBudgetIsSpentAndGivesItsShareBack) {
  ASSERT_TRUE(host.budget.take(8 * 1024 * 1024 - 10));
  EXPECT_THAT(exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 11\r\n\r\n"),
              StartsWith("HTTP/1.1 503 "));
  EXPECT_EQ(host.budget.used(), 8U * 1024 * 1024 - 10);
}

TEST_F(Http1, HoldsTheBodyBudgetUntilTheWorkerIsDone) {
  exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nabcd");
  EXPECT_EQ(host.budget.used(), 4U);
  host.taken.clear();
  EXPECT_EQ(host.budget.used(), 0U);
}

TEST_F(Http1, KeepsTheConnectionWhenTheQueueIsFull) {
  host.is_full = true;
  EXPECT_THAT(exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n"), StartsWith("HTTP/1.1 503 "));
  host.is_full = false;
  exchange("GET /again HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(host.taken.size(), 1U);
}

TEST(Http1Limits, RefusesOversizedTargetsAndHeads) {
  auto const status_of = [](std::string const& bytes) {
    FakeHost host;
    Limits limits;
    Http1Session session(host, limits, Scheme::kHttps, TimePoint{});
    session.receive(bytes);
    EXPECT_TRUE(session.is_finished());
    EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kHeaderTooLarge));
    return host.refusals.at(0);
  };
  std::string many = "GET / HTTP/1.1\r\nhost: h\r\n";
  for (int i = 0; i < 101; ++i) many += "a: b\r\n";
  EXPECT_EQ(status_of("GET /" + std::string(9'000, 'a') + " HTTP/1.1\r\nhost: h\r\n\r\n"), 414);
  EXPECT_EQ(status_of("GET /" + std::string(17'000, 'a')), 414);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nhost: h\r\na: " + std::string(17'000, 'a') + "\r\n\r\n"), 431);
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nhost: h\r\na: " + std::string(17'000, 'a')), 431);
  EXPECT_EQ(status_of(many + "\r\n"), 431);
}

TEST_F(Http1, BoundsExtensionsAndTrailersOfABody) {
  auto const head = "POST / HTTP/1.1\r\nhost: h\r\ntransfer-encoding: chunked\r\n\r\n";
  exchange(head);
  std::string sent;
  for (int i = 0; i < 100 && sent.empty(); ++i) sent = exchange("1;" + std::string(1'000, 'x') + "\r\nz\r\n");
  EXPECT_THAT(sent, StartsWith("HTTP/1.1 413 "));

  Http1Session other(host, limits, Scheme::kHttps, TimePoint{});
  other.receive(head);
  other.receive("0\r\n");
  for (int i = 0; i < 200 && !other.is_finished(); ++i) other.receive("a: b\r\n");
  EXPECT_TRUE(other.is_finished());
}

TEST_F(Http1, TakesHeaderTimeFromTheAcceptForTheFirstRequest) {
  EXPECT_EQ(session.deadline(), TimePoint{} + limits.header_time);
  host.time += milliseconds(5'000);
  exchange("GET / HT");
  EXPECT_EQ(session.deadline(), TimePoint{} + limits.header_time);
  host.time += milliseconds(5'000);
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(drain_output(session), StartsWith("HTTP/1.1 408 "));
  EXPECT_TRUE(session.is_finished());
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kTimeout));
}

TEST_F(Http1, TakesHeaderTimeFromTheFirstByteForLaterRequests) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_EQ(session.deadline(), std::nullopt);
  answer(ok());
  EXPECT_EQ(session.deadline(), TimePoint{} + limits.idle_time);
  host.time += milliseconds(70'000);
  exchange("G");
  EXPECT_EQ(session.deadline(), host.time + limits.header_time);
  auto const begun = host.time;
  host.time += milliseconds(9'000);
  exchange("ET / HTTP/1.1\r\n");
  EXPECT_EQ(session.deadline(), begun + limits.header_time);
}

TEST_F(Http1, ClosesAnIdleConnectionWithoutAWordOrAFailure) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  answer(ok());
  EXPECT_TRUE(session.expire());
  EXPECT_EQ(drain_output(session), "");
  EXPECT_TRUE(session.is_finished());
  EXPECT_THAT(host.failures, IsEmpty());
}

TEST_F(Http1, GivesTheBodyItsTimeAndNoMore) {
  host.time += milliseconds(1);
  exchange("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 4\r\n\r\nab");
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(drain_output(session), StartsWith("HTTP/1.1 408 "));
  EXPECT_EQ(host.budget.used(), 0U);
}

TEST_F(Http1, DropsAPeerThatDoesNotFetchItsAnswer) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, ok(std::string(1'000'000, 'x')));
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  EXPECT_FALSE(session.wants_read());
  EXPECT_FALSE(session.expire());
}

TEST_F(Http1, FinishesWhatRunsWhenDrained) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.drain();
  EXPECT_FALSE(session.is_finished());
  EXPECT_THAT(answer(ok()), HasSubstr("connection: close"));
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, EndsAtOnceWhenDrainedIdle) {
  session.drain();
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, TakesOnlyVersion11) {
  for (std::string const version : {"HTTP/1.0", "HTTP/1.2", "HTTP/2.0", "HTTP/0.9"}) {
    Http1Session one(host, limits, Scheme::kHttps, TimePoint{});
    one.receive("GET / " + version + "\r\nhost: h\r\n\r\n");
    EXPECT_THAT(drain_output(one), StartsWith("HTTP/1.1 505 ")) << version;
  }
}

TEST_F(Http1, TakesTheAbsoluteFormOfItsOwnSchemeOnly) {
  exchange("GET https://Example.org/a/b?c HTTP/1.1\r\nhost: example.org\r\n\r\n");
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_EQ(host.taken[0].request.path, "/a/b");
  EXPECT_EQ(host.taken[0].request.query, "c");
  answer(ok());
  EXPECT_THAT(exchange("GET http://example.org/ HTTP/1.1\r\nhost: example.org\r\n\r\n"),
              StartsWith("HTTP/1.1 400 "));
}

TEST_F(Http1, SendsTheRestOfABodyAsThePeerTakesIt) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\nGET /2 HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", std::string(250, 'x'), 100, 250));
  EXPECT_THAT(host.pulled, IsEmpty()) << "nothing is made before what is there was taken";
  auto sent = drain_output(session);
  EXPECT_THAT(sent, HasSubstr("content-length: 255\r\n"));
  EXPECT_THAT(sent, EndsWith("\r\n\r\nhead "));
  for (std::size_t const size : {100U, 100U, 50U}) {
    ASSERT_EQ(host.pulled.size(), 1U);
    EXPECT_FALSE(session.wants_read());
    EXPECT_FALSE(session.is_finished());
    supply_pulled(host, session);
    EXPECT_EQ(drain_output(session), std::string(size, 'x'));
  }
  EXPECT_THAT(host.pulled, IsEmpty());
  ASSERT_EQ(host.taken.size(), 2U) << "the connection is in step";
  EXPECT_EQ(host.taken[1].request.path, "/2");
}

TEST_F(Http1, CutsOffABodyWhoseRestCannotBeMade) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", std::string(100, 'x'), 100, 250));
  drain_output(session);
  supply_pulled(host, session);
  EXPECT_EQ(drain_output(session), std::string(100, 'x'));
  supply_pulled(host, session);
  EXPECT_EQ(drain_output(session), "");
  EXPECT_TRUE(session.is_finished()) << "short of its announced length";
}

TEST_F(Http1, SendsNoMoreOfABodyThanItsLength) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", std::string(100, 'x'), 100, 50));
  drain_output(session);
  supply_pulled(host, session);
  EXPECT_EQ(drain_output(session), "");
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, EndsTheAnswerWhenNoWorkerIsFree) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", "rest", 100, 4));
  host.is_full = true;
  drain_output(session);
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, FinishesABodyBeforeItCloses) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n");
  session.respond(1, in_pieces("head ", "rest", 100, 4));
  drain_output(session);
  EXPECT_FALSE(session.is_finished());
  supply_pulled(host, session);
  EXPECT_EQ(drain_output(session), "rest");
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http1, MakesNothingForAHead) {
  exchange("HEAD / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", "rest", 100, 4));
  EXPECT_THAT(drain_output(session), HasSubstr("content-length: 9\r\n"));
  EXPECT_THAT(host.pulled, IsEmpty());
  EXPECT_TRUE(session.wants_read());
}

TEST_F(Http1, DropsAPeerThatDoesNotTakeTheRest) {
  exchange("GET / HTTP/1.1\r\nhost: h\r\n\r\n");
  session.respond(1, in_pieces("head ", std::string(100, 'x'), 50, 100));
  drain_output(session);
  supply_pulled(host, session);
  host.time += limits.body_time + milliseconds(1);
  ASSERT_TRUE(session.deadline().has_value());
  EXPECT_LE(*session.deadline(), host.time);
  EXPECT_FALSE(session.expire());
}

}  // namespace
}  // namespace tacenda::net
