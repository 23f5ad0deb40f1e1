#include "net/internal/http2_session.hpp"

#include <algorithm>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nghttp2/nghttp2.h>

#include "net/internal/fake_http2_peer.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

TEST_F(Http2, HandsOverAWholeRequest) {
  exchange(request(1, with(with(kPost, "x-name", "v"), "content-length", "4"), 0) +
           frame(kData, kEndStream, 1, "body"));
  ASSERT_EQ(host.taken.size(), 1U);
  auto const& got = host.taken[0].request;
  EXPECT_EQ(got.method, "POST");
  EXPECT_EQ(got.path, "/p");
  EXPECT_EQ(got.authority, "a");
  EXPECT_EQ(got.header("x-name"), "v");
  EXPECT_EQ(got.body, "body");
}

TEST_F(Http2, SplitsPathAndQueryAndJoinsCookies) {
  exchange(request(1, with(with(kGet, "cookie", "a=1"), "cookie", "b=2")));
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_EQ(host.taken[0].request.path, "/x");
  EXPECT_EQ(host.taken[0].request.query, "y=z");
  EXPECT_EQ(host.taken[0].request.header("cookie"), "a=1; b=2");
}

TEST_F(Http2, AnswersStreamsInTheOrderOfTheAnswers) {
  exchange(request(1, kGet) + request(3, kGet));
  ASSERT_EQ(host.taken.size(), 2U);
  auto const frames = answer(3, ok("three"));
  EXPECT_TRUE(has(frames, kHeaders, 3));
  ASSERT_TRUE(has(frames, kData, 3));
  EXPECT_EQ(frames.back().payload, "three");
  EXPECT_TRUE(has(answer(1, ok()), kHeaders, 1));
}

TEST_F(Http2, SendsNoMoreThanThePeersWindow) {
  exchange(request(1, kGet));
  std::size_t sent = 0;
  for (auto const& one : answer(1, ok(std::string(200'000, 'x'))))
    sent += one.type == kData ? one.payload.size() : 0;
  EXPECT_EQ(sent, 65'535U);
  auto const more = exchange(frame(kWindow, 0, 0, number(1'000, 4)) + frame(kWindow, 0, 1, number(500, 4)));
  ASSERT_TRUE(has(more, kData, 1));
  EXPECT_EQ(more.back().payload.size(), 500U);
}

TEST_F(Http2, SendsNoDataForHead) {
  auto fields = kGet;
  fields[0].second = "HEAD";
  exchange(request(1, fields));
  auto const frames = answer(1, ok("abc"));
  EXPECT_FALSE(has(frames, kData, 1));
  EXPECT_TRUE((frames.back().flags & kEndStream) != 0);
}

TEST_F(Http2, SendsContinueAndThenTheAnswer) {
  auto const frames = exchange(request(1, with(kPost, "expect", "100-continue"), 0));
  ASSERT_TRUE(has(frames, kHeaders, 1));
  EXPECT_EQ(frames.back().flags & kEndStream, 0);
  exchange(frame(kData, kEndStream, 1, "x"));
  EXPECT_EQ(host.taken.size(), 1U);
}

TEST_F(Http2, RefusesABodyByItsLengthAndByItsBytes) {
  host.body_max = 10;
  auto frames = exchange(request(1, with(kPost, "content-length", "11"), 0));
  EXPECT_THAT(host.refusals, ElementsAre(413));
  EXPECT_EQ(reset_code(frames, 1), NGHTTP2_NO_ERROR);
  frames = exchange(request(3, kPost, 0) + frame(kData, 0, 3, "0123456789") + frame(kData, 0, 3, "x"));
  EXPECT_THAT(host.refusals, ElementsAre(413, 413));
  EXPECT_THAT(host.taken, IsEmpty());
  EXPECT_EQ(host.budget.used(), 0U);
}

TEST_F(Http2, RefusesWith503WhenTheBodyBudgetIsSpent) {
  ASSERT_TRUE(host.budget.take(8 * 1024 * 1024 - 5));
  exchange(request(1, with(kPost, "content-length", "6"), 0));
  exchange(request(3, kPost, 0) + frame(kData, 0, 3, "abcdef"));
  EXPECT_THAT(host.refusals, ElementsAre(503, 503));
}

TEST_F(Http2, AnswersWith503WhenTheQueueIsFullAndGoesOn) {
  host.is_full = true;
  EXPECT_TRUE(has(exchange(request(1, kGet)), kHeaders, 1));
  EXPECT_THAT(host.refusals, ElementsAre(503));
  host.is_full = false;
  exchange(request(3, kGet));
  EXPECT_EQ(host.taken.size(), 1U);
}

TEST_F(Http2, GivesTheBudgetBackWhenAStreamIsReset) {
  exchange(request(1, with(kPost, "content-length", "100"), 0) + frame(kData, 0, 1, "abc"));
  EXPECT_EQ(host.budget.used(), 100U);
  exchange(frame(kReset, 0, 1, number(8, 4)));
  EXPECT_EQ(host.budget.used(), 0U);
  EXPECT_TRUE(session.wants_read());
}

TEST_F(Http2, DropsTheAnswerToAStreamThatWasReset) {
  exchange(request(1, kGet) + frame(kReset, 0, 1, number(8, 4)));
  EXPECT_THAT(answer(1, ok("late")), IsEmpty());
}

TEST_F(Http2, RefusesAResponseThatWouldSplit) {
  exchange(request(1, kGet));
  auto response = ok();
  response.headers = {{"location", "a\r\nb: c"}};
  answer(1, std::move(response));
  EXPECT_THAT(host.refusals, ElementsAre(500));
}

TEST_F(Http2, RefusesOversizedHeads) {
  auto fields = kGet;
  for (int i = 0; i < 101; ++i) fields.emplace_back("a", "b");
  exchange(request(1, fields));
  auto large = kGet;
  for (int i = 0; i < 90; ++i) large.emplace_back("aaaaaaaaaa" + std::to_string(i), std::string(120, 'x'));
  large.emplace_back("b", std::string(126, 'x'));
  limits.header_bytes = 8'192;  // the session holds a reference
  exchange(request(3, large));
  EXPECT_THAT(host.refusals, ElementsAre(431, 431));
  limits.uri_bytes = 3;
  exchange(request(5, kGet));
  EXPECT_THAT(host.refusals, ElementsAre(431, 431, 414));
  EXPECT_THAT(host.failures, Contains(ConnectionFailure::kHeaderTooLarge).Times(3));
}

/// W-10, section 8 of RFC 9113: every one of these is a malformed request.
TEST_F(Http2, ResetsStreamsWithMalformedHeads) {
  auto const without = [](std::string const& name) {
    auto fields = kGet;
    std::erase_if(fields, [&](auto const& field) { return field.first == name; });
    return fields;
  };
  auto const replaced = [](std::string const& name, std::string const& value) {
    auto fields = kGet;
    std::ranges::find(fields, name, &Fields::value_type::first)->second = value;
    return fields;
  };
  Fields late{{":method", "GET"}, {":scheme", "https"}, {"x", "y"}, {":authority", "a"}, {":path", "/"}};
  std::vector<Fields> const cases{
      without(":method"),
      without(":scheme"),
      without(":path"),
      without(":authority"),
      late,
      with(kGet, ":method", "GET"),
      with(kGet, ":path", "/other"),
      with(kGet, ":authority", "b"),
      with(kGet, ":status", "200"),
      with(kGet, ":unknown", "x"),
      with(kGet, "X-Upper", "x"),
      with(kGet, "connection", "close"),
      with(kGet, "keep-alive", "1"),
      with(kGet, "proxy-connection", "x"),
      with(kGet, "transfer-encoding", "chunked"),
      with(kGet, "upgrade", "h2c"),
      with(kGet, "te", "gzip"),
      with(kGet, "te", "trailers, deflate"),
      with(kGet, "x", "a\r\nb: c"),
      with(kGet, "x", "a\nb"),
      with(kGet, "x", std::string("a\0b", 3)),
      with(kGet, "x", " leading"),
      with(kGet, "x", "trailing "),
      with(kGet, "x y", "z"),
      with(kGet, "x:y", "z"),
      with(kGet, "", "z"),
      with(kGet, "host", "b"),
      with(with(kGet, "host", "a"), "host", "a"),
      with(kGet, "content-length", "1"),
      with(with(kPost, "content-length", "0"), "content-length", "0"),
      with(kGet, "content-length", "+0"),
      with(kGet, "content-length", "0, 0"),
      with(with(kGet, "authorization", "x"), "authorization", "y"),
      replaced(":path", "x"),
      replaced(":path", ""),
      replaced(":path", "*"),
      replaced(":path", "/a b"),
      replaced(":path", "/\xc3\xa9"),
      replaced(":path", "/a#b"),
      replaced(":path", "/a\r\nHost: b"),
      replaced(":method", "CONNECT"),
      replaced(":method", "G T"),
      replaced(":method", "GET / HTTP/1.1\r\nx: y"),
      replaced(":scheme", "http"),
      replaced(":scheme", "https://a/?"),
      replaced(":authority", "u@a"),
      replaced(":authority", "a/b"),
      replaced(":authority", ""),
      replaced(":authority", "a b"),
  };
  std::size_t index = 0;
  for (auto const& fields : cases) {
    FakeHost one_host;
    Http2Session one(one_host, limits, TimePoint{});
    one.receive(std::string(kPreface) + frame(kSettings, 0, 0) + request(1, fields));
    auto const frames = parse(drain_output(one));
    EXPECT_EQ(reset_code(frames, 1), NGHTTP2_PROTOCOL_ERROR) << index;
    EXPECT_THAT(one_host.taken, IsEmpty()) << index;
    EXPECT_THAT(one_host.failures, ElementsAre(ConnectionFailure::kMalformedRequest)) << index;
    // Only the stream is gone: the compression state is sound.
    one.receive(request(3, kGet));
    EXPECT_EQ(one_host.taken.size(), 1U) << index;
    ++index;
  }
}

TEST_F(Http2, ResetsAStreamWhoseBodyIsNotAsLongAsItSays) {
  EXPECT_EQ(reset_code(exchange(request(1, with(kPost, "content-length", "2"), 0) +
                                frame(kData, kEndStream, 1, "abc")),
                       1),
            NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(reset_code(exchange(request(3, with(kPost, "content-length", "4"), 0) +
                                frame(kData, kEndStream, 3, "abc")),
                       3),
            NGHTTP2_PROTOCOL_ERROR);
  EXPECT_THAT(host.taken, IsEmpty());
}

TEST_F(Http2, TakesTrailersAndDropsThemButRefusesFraming) {
  exchange(request(1, kPost, 0) + frame(kData, 0, 1, "a") + request(1, {{"x-checksum", "1"}}));
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_FALSE(host.taken[0].request.header("x-checksum"));
  EXPECT_EQ(reset_code(exchange(request(3, kPost, 0) + request(3, {{"authorization", "x"}})), 3),
            NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(reset_code(exchange(request(5, kPost, 0) + request(5, {{":path", "/x"}})), 5),
            NGHTTP2_PROTOCOL_ERROR);
  EXPECT_EQ(host.taken.size(), 1U);
}

TEST(Http2Start, ClosesWhenThePrefaceIsNone) {
  FakeHost host;
  Limits const limits;
  Http2Session session(host, limits, TimePoint{});
  session.receive("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
  (void)drain_output(session);
  EXPECT_TRUE(session.is_finished());
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kMalformedRequest));
}

TEST_F(Http2, EndsTheConnectionOnAProtocolErrorOfIts) {
  EXPECT_EQ(goaway_code(exchange(frame(kData, 0, 0, "x"))), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_TRUE(session.is_finished());
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kMalformedRequest));
}

TEST_F(Http2, EndsFloodsOfEveryKind) {
  std::vector<std::pair<char const*, std::function<std::string(std::uint32_t)>>> const floods{
      {"ping", [](auto) { return frame(kPing, 0, 0, "12345678"); }},
      {"settings", [](auto) { return frame(kSettings, 0, 0, number(3, 2) + number(100, 4)); }},
      {"empty data", [](auto n) { return n == 0 ? request(1, kPost, 0) : frame(kData, 0, 1); }},
      {"priority", [](auto n) { return frame(kPriority, 0, 2 * n + 1, number(0, 4) + "x"); }},
      {"window", [](auto) { return frame(kWindow, 0, 0, number(1, 4)); }},
      {"ping acknowledgement", [](auto) { return frame(kPing, kAck, 0, "12345678"); }},
      {"rapid reset",
       [](auto n) { return request(2 * n + 1, kGet) + frame(kReset, 0, 2 * n + 1, number(8, 4)); }},
      {"malformed", [](auto n) { return request(2 * n + 1, {}); }},
      {"continuation",
       [](auto n) {
         return n == 0 ? frame(kHeaders, kEndStream, 1, block(kGet))
                       : frame(kContinuation, 0, 1, literal("a", "b"));
       }},
      {"empty continuation",
       [](auto n) {
         return n == 0 ? frame(kHeaders, kEndStream, 1, block(kGet)) : frame(kContinuation, 0, 1);
       }},
  };
  for (auto const& [name, one] : floods) {
    FakeHost one_host;
    Http2Session target(one_host, limits, TimePoint{});
    target.receive(std::string(kPreface) + frame(kSettings, 0, 0));
    (void)drain_output(target);
    std::uint32_t count = 0;
    while (target.wants_read() && count < 20'000) {
      target.receive(one(count++));
      (void)drain_output(target);
    }
    EXPECT_LE(count, 1'100U) << name;
    EXPECT_TRUE(target.is_finished()) << name;
    EXPECT_LE(one_host.taken.size(), 101U) << name;
  }
}

TEST_F(Http2, EndsAHeaderBlockThatUnpacksToFarMoreThanTheLimit) {
  // One entry of 4,000 bytes in the dynamic table, then one byte for each use of it (HPACK bomb).
  std::string bomb = block(kGet) +
                     "\x40\x01"
                     "a" +
                     "\x7f\xa1\x1e" + std::string(4'000, 'x');
  bomb += std::string(10'000, '\xbe');
  exchange(frame(kHeaders, kEndStream | kEndHeaders, 1, bomb));
  EXPECT_TRUE(session.is_finished());
  EXPECT_THAT(host.taken, IsEmpty());
}

TEST_F(Http2, RunsNoMoreRequestsThanStreamsThoughTheyAreReset) {
  for (std::uint32_t n = 0; n < 100; ++n) {
    host.time += milliseconds(1'000);  // slow enough not to be a flood
    exchange(request(2 * n + 1, kGet) + frame(kReset, 0, 2 * n + 1, number(8, 4)));
  }
  EXPECT_EQ(host.taken.size(), 100U);
  EXPECT_EQ(reset_code(exchange(request(201, kGet)), 201), NGHTTP2_REFUSED_STREAM);
  EXPECT_EQ(host.taken.size(), 100U);
  answer(1, ok());  // one worker is free again
  exchange(request(203, kGet));
  EXPECT_EQ(host.taken.size(), 101U);
}

TEST_F(Http2, RefusesStreamsOverTheLimit) {
  std::string many;
  for (std::uint32_t n = 0; n < 101; ++n) many += request(2 * n + 1, kGet);
  auto const frames = exchange(many);
  EXPECT_EQ(host.taken.size(), 100U);
  EXPECT_TRUE(has(frames, kReset, 201) || goaway_code(frames).has_value());
}

TEST_F(Http2, SaysGoawayAndFinishesWhatRunsWhenDrained) {
  exchange(request(1, kGet));
  session.drain();
  EXPECT_EQ(goaway_code(parse(drain_output(session))), NGHTTP2_NO_ERROR);
  EXPECT_FALSE(session.is_finished());
  exchange(request(3, kGet));
  EXPECT_EQ(host.taken.size(), 1U);
  EXPECT_TRUE(has(answer(1, ok()), kHeaders, 1));
  EXPECT_TRUE(session.is_finished());
}

TEST_F(Http2, KeepsItsDeadlines) {
  EXPECT_EQ(session.deadline(), TimePoint{} + limits.header_time);
  host.time += milliseconds(10);
  exchange(request(1, kPost, 0));
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  host.time += limits.body_time;
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(host.refusals, ElementsAre(408));
  (void)drain_output(session);
  EXPECT_EQ(session.deadline(), host.time + limits.idle_time);
  exchange(request(3, kGet));
  EXPECT_EQ(session.deadline(), std::nullopt);
  answer(3, ok());
  exchange(frame(kPing, 0, 0, "12345678"));
  EXPECT_EQ(session.deadline(), host.time + limits.idle_time);
  EXPECT_TRUE(session.expire());
  EXPECT_EQ(goaway_code(parse(drain_output(session))), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(session.is_finished());
}

/// nghttp2 passes over frames of unknown type (RFC 9113 section 5.5) without telling us, so they cost
/// nothing; they must not buy time either.
TEST_F(Http2, UnknownFramesDoNotProlongAnIdleConnection) {
  exchange(request(1, kGet));
  answer(1, ok());
  auto const deadline = session.deadline();
  host.time += milliseconds(1'000);
  exchange(frame(0x42, 0, 0, "x"));
  EXPECT_EQ(session.deadline(), deadline);
}

TEST_F(Http2, DropsAPeerThatDoesNotOpenItsWindow) {
  exchange(request(1, kGet));
  answer(1, ok(std::string(100'000, 'x')));
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  host.time += limits.body_time;
  EXPECT_FALSE(session.expire());
}

TEST_F(Http2, TimesOutAHeaderBlockThatStops) {
  exchange(request(1, kGet));
  answer(1, ok());
  host.time += milliseconds(1'000);
  exchange(frame(kHeaders, kEndStream, 3, block(kGet)));
  EXPECT_EQ(session.deadline(), host.time + limits.header_time);
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kTimeout));
  (void)drain_output(session);
  EXPECT_TRUE(session.is_finished());
}

std::string data_of(std::vector<Frame> const& frames, std::uint32_t stream) {
  std::string all;
  for (auto const& one : frames) {
    if (one.type == kData && one.stream == stream) all += one.payload;
  }
  return all;
}

TEST_F(Http2, SendsTheRestOfABodyAsThePeersWindowTakesIt) {
  exchange(request(1, kGet));
  auto const frames = answer(1, in_pieces(std::string(65'530, 'h'), std::string(200, 'x'), 100, 200));
  EXPECT_EQ(data_of(frames, 1).size(), 65'530U);
  ASSERT_EQ(host.pulled.size(), 1U);
  supply_pulled(host, session);
  EXPECT_EQ(data_of(parse(drain_output(session)), 1), std::string(5, 'x')) << "what the window still takes";
  EXPECT_THAT(host.pulled, IsEmpty()) << "no piece is made while one waits for the window";
  auto more = exchange(frame(kWindow, 0, 0, number(1'000, 4)) + frame(kWindow, 0, 1, number(1'000, 4)));
  EXPECT_EQ(data_of(more, 1), std::string(95, 'x'));
  ASSERT_EQ(host.pulled.size(), 1U);
  supply_pulled(host, session);
  more = parse(drain_output(session));
  EXPECT_EQ(data_of(more, 1), std::string(100, 'x'));
  EXPECT_TRUE((more.back().flags & kEndStream) != 0);
  EXPECT_THAT(host.pulled, IsEmpty());
}

TEST_F(Http2, ResetsAStreamWhoseRestCannotBeMadeAndGoesOn) {
  exchange(request(1, kGet));
  answer(1, in_pieces("head ", "", 100, 200));
  supply_pulled(host, session);
  EXPECT_EQ(reset_code(parse(drain_output(session)), 1), NGHTTP2_INTERNAL_ERROR);
  exchange(request(3, kGet));
  answer(3, in_pieces("head ", std::string(100, 'x'), 100, 50));
  supply_pulled(host, session);
  EXPECT_EQ(reset_code(parse(drain_output(session)), 3), NGHTTP2_INTERNAL_ERROR) << "more than announced";
  exchange(request(5, kGet));
  host.is_full = true;
  EXPECT_EQ(reset_code(answer(5, in_pieces("head ", "rest", 100, 4)), 5), NGHTTP2_INTERNAL_ERROR);
  host.is_full = false;
  exchange(request(7, kGet));
  EXPECT_TRUE(has(answer(7, ok("whole")), kData, 7));
}

TEST_F(Http2, DropsAPieceOfAStreamThatIsGone) {
  exchange(request(1, kGet));
  answer(1, in_pieces("head ", "rest", 100, 4));
  exchange(frame(kReset, 0, 1, number(8, 4)));
  supply_pulled(host, session);
  EXPECT_THAT(parse(drain_output(session)), IsEmpty());
  EXPECT_TRUE(session.wants_read());
}

}  // namespace
}  // namespace tacenda::net
