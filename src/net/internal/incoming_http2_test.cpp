// Bodies that are taken while they come, over HTTP/2: which windows open when.
#include <gmock/gmock.h>

#include "net/internal/fake_http2_peer.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

constexpr std::size_t kWindowBytes =
    std::size_t{256} * 1024;  // of a stream, as the settings of the server say
constexpr std::size_t kFrameBytes = std::size_t{16} * 1024;

class IncomingHttp2 : public Http2 {
 protected:
  void SetUp() override {
    Http2::SetUp();
    exchange(frame(kSettings, kAck, 0));  // until then the window is the one of RFC 9113 section 6.9.2
    host.takes_bodies = true;
    host.body_max = std::size_t{64} * 1024 * 1024;
  }
  std::vector<Frame> begin(std::size_t until = 0) {
    begin_taking(host, session, std::make_unique<CollectingSink>(collected, until));
    return note_windows(parse(drain_output(session)));
  }
  std::vector<Frame> take() {
    take_step(host, session);
    return note_windows(parse(drain_output(session)));
  }
  /// What the stream may still send by the windows that were given.
  std::vector<Frame> note_windows(std::vector<Frame> frames) {
    for (auto const& one : frames) {
      if (one.type != kWindow) continue;
      std::size_t bytes = 0;
      for (char const c : one.payload) bytes = bytes << 8U | static_cast<unsigned char>(c);
      (one.stream == 0 ? connection_window : stream_window) += bytes;
    }
    return frames;
  }
  /// Sends as much of `bytes` as the windows let; how many that was.
  std::size_t send_within_windows(std::uint32_t stream, std::size_t bytes) {
    std::size_t sent = 0;
    while (sent < bytes) {
      auto const size = std::min({kFrameBytes, bytes - sent, stream_window, connection_window});
      if (size == 0) break;
      stream_window -= size;
      connection_window -= size;
      note_windows(exchange(frame(kData, 0, stream, std::string(size, 'x'))));
      sent += size;
    }
    return sent;
  }

  Collected collected;
  std::size_t stream_window = kWindowBytes;
  std::size_t connection_window = std::size_t{1024} * 1024;
};

TEST_F(IncomingHttp2, ASinkThatDoesNotTakeStopsTheSender) {
  constexpr std::size_t kBody = 10'000'000;
  exchange(request(1, kPost, 0));
  begin();
  std::size_t sent = send_within_windows(1, kBody);
  EXPECT_EQ(sent, kWindowBytes) << "no more than the window, until the sink has taken";
  ASSERT_EQ(host.steps.size(), 1U);
  while (sent < kBody) {
    ASSERT_EQ(host.steps.size(), 1U) << "the sender is stopped for good";
    take();
    sent += send_within_windows(1, kBody - sent);
  }
  exchange(frame(kData, kEndStream, 1));
  while (!host.steps.empty()) take();
  EXPECT_TRUE(collected.is_finished);
  EXPECT_EQ(collected.body, std::string(kBody, 'x'));
}

TEST_F(IncomingHttp2, AStoppedUploadHoldsUpNoOtherStream) {
  exchange(request(1, kPost, 0));
  begin();
  send_within_windows(1, kWindowBytes);
  host.takes_bodies = false;
  exchange(request(3, kPost, 0));
  stream_window = kWindowBytes;
  EXPECT_EQ(send_within_windows(3, 3 * kWindowBytes), 3 * kWindowBytes) << "an ordinary body is read at once";
  exchange(frame(kData, kEndStream, 3));
  ASSERT_EQ(host.taken.size(), 1U);
  EXPECT_EQ(host.taken[0].request.body.size(), 3 * kWindowBytes);
}

TEST_F(IncomingHttp2, ManySmallUploadsDoNotStopEachOther) {
  std::vector<Collected> all(15);
  for (std::uint32_t n = 0; n < 15; ++n) {
    exchange(request(2 * n + 1, kPost, 0));
    begin_taking(host, session, std::make_unique<CollectingSink>(all[n]));
    (void)drain_output(session);
  }
  for (std::uint32_t n = 0; n < 15; ++n) {
    stream_window = kWindowBytes;
    ASSERT_EQ(send_within_windows(2 * n + 1, 100'000), 100'000U) << "stopped at upload " << n;
  }
  for (std::uint32_t n = 0; n < 15; ++n) {
    exchange(frame(kData, kEndStream, 2 * n + 1));
    take();
    EXPECT_EQ(all[n].body.size(), 100'000U);
  }
}

TEST_F(IncomingHttp2, KeepsWhatComesBeforeItHasBegun) {
  exchange(request(1, kPost, 0) + frame(kData, kEndStream, 1, "body"));
  EXPECT_THAT(host.steps, IsEmpty());
  begin();
  EXPECT_TRUE(has(take(), kHeaders, 1));
  EXPECT_EQ(collected.body, "body");
  EXPECT_TRUE(collected.is_finished);
}

TEST_F(IncomingHttp2, GrantsContinueOnlyWhenItHasBegun) {
  EXPECT_FALSE(has(exchange(request(1, with(kPost, "expect", "100-continue"), 0)), kHeaders, 1));
  EXPECT_TRUE(has(begin(), kHeaders, 1));
}

TEST_F(IncomingHttp2, ResetsTheStreamAfterAnAnswerBeforeTheBodyAndGoesOn) {
  exchange(request(1, kPost, 0));
  begin_taking(host, session, CollectingSink::answer(401));
  auto const frames = parse(drain_output(session));
  EXPECT_TRUE(has(frames, kHeaders, 1));
  EXPECT_EQ(reset_code(frames, 1), NGHTTP2_NO_ERROR);
  exchange(request(3, kGet));
  EXPECT_EQ(host.taken.size(), 1U);
}

TEST_F(IncomingHttp2, ResetsTheStreamAfterAnAnswerInTheMiddleOfTheBody) {
  exchange(request(1, kPost, 0));
  begin(1);
  send_within_windows(1, kWindowBytes);
  EXPECT_EQ(reset_code(take(), 1), NGHTTP2_NO_ERROR);
  EXPECT_TRUE(collected.is_gone);
  EXPECT_FALSE(collected.is_finished);
}

TEST_F(IncomingHttp2, RefusesABodyOverTheLimit) {
  host.body_max = 1'000;
  exchange(request(1, with(kPost, "content-length", "1001"), 0));
  EXPECT_THAT(host.begun, IsEmpty()) << "its length says so";
  exchange(request(3, kPost, 0));
  begin();
  exchange(frame(kData, 0, 3, std::string(1'001, 'x')));
  EXPECT_THAT(host.refusals, ElementsAre(413, 413));
  EXPECT_TRUE(collected.is_gone);
  EXPECT_THAT(collected.body, IsEmpty());
}

TEST_F(IncomingHttp2, ABodyShorterThanItsLengthIsNeverFinished) {
  exchange(request(1, with(kPost, "content-length", "10"), 0));
  begin();
  EXPECT_EQ(reset_code(exchange(frame(kData, kEndStream, 1, "short")), 1), NGHTTP2_PROTOCOL_ERROR);
  EXPECT_THAT(host.steps, IsEmpty());
  EXPECT_TRUE(collected.is_gone);
}

TEST_F(IncomingHttp2, LetsTheSinkGoWithTheStream) {
  exchange(request(1, kPost, 0));
  begin();
  exchange(frame(kData, 0, 1, "half") + frame(kReset, 0, 1, number(8, 4)));
  EXPECT_TRUE(collected.is_gone);
  EXPECT_FALSE(collected.is_finished);
}

TEST_F(IncomingHttp2, CountsAnUploadAtTheWorkersThoughItsStreamIsReset) {
  for (std::uint32_t n = 0; n < 100; ++n) {
    host.time += milliseconds(1'000);  // slow enough not to be a flood
    exchange(request(2 * n + 1, kPost, 0) + frame(kReset, 0, 2 * n + 1, number(8, 4)));
  }
  EXPECT_EQ(host.begun.size(), 100U);
  EXPECT_EQ(reset_code(exchange(request(201, kPost, 0)), 201), NGHTTP2_REFUSED_STREAM);
  begin();
  EXPECT_TRUE(collected.is_gone);
  exchange(request(203, kPost, 0));
  EXPECT_EQ(host.begun.size(), 100U);
}

TEST_F(IncomingHttp2, EndsAnUploadThatIsTooSlowAndNoneThatWaitsForItsSink) {
  exchange(request(1, kPost, 0));
  EXPECT_EQ(session.deadline(), std::nullopt) << "a worker begins";
  begin();
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  host.time += milliseconds(10);
  send_within_windows(1, kWindowBytes);
  EXPECT_EQ(session.deadline(), std::nullopt) << "the peer waits for the sink";
  take();
  EXPECT_EQ(session.deadline(), host.time + limits.body_time);
  host.time += limits.body_time;
  EXPECT_TRUE(session.expire());
  EXPECT_THAT(host.refusals, ElementsAre(408));
  EXPECT_THAT(host.failures, ElementsAre(ConnectionFailure::kTimeout));
  take();
  EXPECT_TRUE(collected.is_gone) << "it came back too late";
}

}  // namespace
}  // namespace tacenda::net
