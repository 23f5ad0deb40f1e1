// Bodies that are taken while they come, over real connections: threads, TLS, and peers that go.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <thread>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/process.hpp"
#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using ::testing::EndsWith;
using testing::Folder;
using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestServer;

/// What all uploads of a server came to.
struct Uploads {
  std::atomic<std::size_t> begun{0};
  std::atomic<std::size_t> bytes{0};
  std::atomic<std::size_t> pieces{0};
  std::atomic<std::size_t> gone{0};
  std::atomic<bool> is_held{false};  // no piece is taken

  template <typename Condition>
  static bool becomes(Condition condition) {
    for (int i = 0; i < 2'000; ++i) {
      if (condition()) return true;
      std::this_thread::sleep_for(milliseconds(5));
    }
    return false;
  }
};

class CountingSink final : public BodySink {
 public:
  explicit CountingSink(Uploads& uploads) : uploads_(uploads) {}
  ~CountingSink() override { ++uploads_.gone; }
  std::optional<Response> take(std::string piece) override {
    while (uploads_.is_held) std::this_thread::sleep_for(milliseconds(1));
    ++uploads_.pieces;
    uploads_.bytes += piece.size();
    own_ += piece.size();
    return std::nullopt;
  }
  Response finish() override {
    Response response;
    response.status = 201;
    response.body = "took " + std::to_string(own_);
    return response;
  }

 private:
  Uploads& uploads_;
  std::size_t own_ = 0;
};

class IncomingServer : public ::testing::Test {
 protected:
  IncomingServer() : server(testing::echo) {
    auto handlers = server.handlers(testing::echo);
    handlers.takes_body = [](Request const& head) { return head.path == "/u"; };
    handlers.body_limit = [](Request const&) { return std::size_t{1} << 30U; };
    handlers.begin = [this](Request&& head) -> Uptake {
      ++uploads.begun;
      if (head.header("x-forbidden")) {
        Response response;
        response.status = 403;
        return response;
      }
      return std::make_unique<CountingSink>(uploads);
    };
    auto const bound =
        server.server->listen_tls("127.0.0.1", 0, testing::tls_options(), {}, std::move(handlers));
    TACENDA_ASSERT(bound.has_value());
    port = *bound;
  }
  ~IncomingServer() override { uploads.is_held = false; }

  static std::string head_of(std::size_t length) {
    return "POST /u HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(length) + "\r\n\r\n";
  }

  Uploads uploads;  // before the server, whose workers have sinks
  TestServer server;
  std::uint16_t port = 0;
};

TEST_F(IncomingServer, TakesABodyLargerThanAnyThatIsHeld) {
  constexpr std::size_t kBody = 40'000'000;
  RawClient client(port, RawClient::Options{});
  client.send(head_of(kBody));
  for (std::size_t sent = 0; sent < kBody; sent += 1'000'000)
    ASSERT_TRUE(client.send(std::string(1'000'000, 'x')));
  EXPECT_THAT(client.receive_responses(1), EndsWith("took 40000000"));
  EXPECT_GT(uploads.pieces, kBody / 200'000);
  client.send("GET /after HTTP/1.1\r\nhost: h\r\n\r\n");
  EXPECT_THAT(client.receive_responses(1), EndsWith("GET /after "));
}

TEST_F(IncomingServer, ASinkThatDoesNotTakeStopsTheSender) {
  uploads.is_held = true;
  constexpr std::size_t kBody = 60'000'000;
  std::atomic<std::size_t> sent{0};
  RawClient client(port, RawClient::Options{});
  std::thread sender([&] {
    client.send(head_of(kBody));
    for (; sent < kBody; sent += 100'000) {
      if (!client.send(std::string(100'000, 'x'))) break;
    }
  });
  // It has stopped when nothing more goes out for a while; the kernel's buffers take some of it.
  std::size_t before = 1;
  while (before != sent) {
    before = sent;
    std::this_thread::sleep_for(milliseconds(300));
  }
  EXPECT_LT(sent, kBody / 2);
  EXPECT_EQ(uploads.bytes, 0U);
  uploads.is_held = false;
  sender.join();
  EXPECT_THAT(client.receive_responses(1), EndsWith("took 60000000"));
}

TEST_F(IncomingServer, LetsTheSinkGoWhenThePeerGoes) {
  {
    RawClient client(port, RawClient::Options{});
    client.send(head_of(1'000'000));
    client.send(std::string(500'000, 'x'));
    ASSERT_TRUE(Uploads::becomes([&] { return uploads.bytes > 0; }));
  }
  EXPECT_TRUE(Uploads::becomes([&] { return uploads.gone == 1; }));
}

TEST_F(IncomingServer, StopsWhileUploadsAreUnderWay) {
  uploads.is_held = true;
  RawClient client(port, RawClient::Options{});
  client.send(head_of(1'000'000) + std::string(500'000, 'x'));
  ASSERT_TRUE(Uploads::becomes([&] { return uploads.begun == 1; }));
  std::thread release([&] {
    std::this_thread::sleep_for(milliseconds(50));
    uploads.is_held = false;
  });
  server.server->stop(milliseconds(0));
  release.join();
  EXPECT_EQ(uploads.gone, 1U);
}

TEST_F(IncomingServer, DeliversAnAnswerBeforeTheBody) {
  RawClient client(port, RawClient::Options{});
  client.send("POST /u HTTP/1.1\r\nhost: h\r\nx-forbidden: 1\r\ncontent-length: 300000\r\n\r\n");
  for (int i = 0; i < 30; ++i) client.send(std::string(10'000, 'x'));
  auto const answer = client.receive_all();
  EXPECT_THAT(answer, StartsWith("HTTP/1.1 403 "));
  EXPECT_THAT(answer, HasSubstr("connection: close"));
  EXPECT_EQ(uploads.bytes, 0U);
}

std::size_t append(char* data, std::size_t, std::size_t size, void* into) {
  static_cast<std::string*>(into)->append(data, size);
  return size;
}

std::size_t give(char* into, std::size_t, std::size_t size, void* left) {
  auto& rest = *static_cast<std::size_t*>(left);
  auto const count = std::min(size, rest);
  std::fill_n(into, count, 'x');
  rest -= count;
  return count;
}

TEST_F(IncomingServer, TakesABodyLargerThanItsWindowsFromAnotherImplementation) {
  Folder const folder;
  auto const ca = folder.write("ca.pem", testing::test_authority().certificate_pem);
  std::size_t left = 40'000'000;
  std::string body;
  CURL* const curl = curl_easy_init();
  auto const url = "https://localhost:" + std::to_string(port) + "/u";
  curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl, CURLOPT_CAINFO, ca.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
  curl_easy_setopt(curl, CURLOPT_POST, 1L);
  curl_easy_setopt(curl, CURLOPT_READFUNCTION, give);
  curl_easy_setopt(curl, CURLOPT_READDATA, &left);
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, &body);
  EXPECT_EQ(curl_easy_perform(curl), CURLE_OK);
  long version = 0;
  curl_easy_getinfo(curl, CURLINFO_HTTP_VERSION, &version);
  curl_easy_cleanup(curl);
  EXPECT_EQ(version, CURL_HTTP_VERSION_2_0);
  EXPECT_EQ(body, "took 40000000");
}

}  // namespace
}  // namespace tacenda::net
