// HTTP/2 over TLS, from the outside: libcurl as the client of several requests at once.
#include <atomic>
#include <thread>

#include <curl/curl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client.hpp"
#include "net/internal/fake_host.hpp"
#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using testing::echo;
using testing::Folder;
using ::testing::HasSubstr;
using testing::RawClient;
using testing::TestServer;

std::size_t append(char* data, std::size_t, std::size_t size, void* into) {
  static_cast<std::string*>(into)->append(data, size);
  return size;
}

TEST(Http2Server, AnswersManyStreamsOfOneConnection) {
  TestServer server([](Request&& request) {
    if (request.path == "/0") std::this_thread::sleep_for(std::chrono::milliseconds(100));
    auto response = echo(std::move(request));
    response.body += std::string(50'000, 'x');
    return response;
  });
  Folder const folder;
  auto const ca = folder.write("ca.pem", testing::test_authority().certificate_pem);
  CURLM* const multi = curl_multi_init();
  curl_multi_setopt(multi, CURLMOPT_PIPELINING, CURLPIPE_MULTIPLEX);
  curl_multi_setopt(multi, CURLMOPT_MAX_HOST_CONNECTIONS, 1L);
  constexpr std::size_t kCount = 60;
  std::vector<std::string> bodies(kCount);
  std::vector<CURL*> all;
  for (std::size_t i = 0; i < kCount; ++i) {
    CURL* const one = curl_easy_init();
    auto const url = "https://localhost:" + std::to_string(server.port) + "/" + std::to_string(i);
    curl_easy_setopt(one, CURLOPT_URL, url.c_str());
    curl_easy_setopt(one, CURLOPT_CAINFO, ca.c_str());
    curl_easy_setopt(one, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
    curl_easy_setopt(one, CURLOPT_PIPEWAIT, 1L);
    curl_easy_setopt(one, CURLOPT_WRITEFUNCTION, append);
    curl_easy_setopt(one, CURLOPT_WRITEDATA, &bodies[i]);
    curl_multi_add_handle(multi, one);
    all.push_back(one);
  }
  int running = 1;
  while (running > 0) {
    ASSERT_EQ(curl_multi_perform(multi, &running), CURLM_OK);
    curl_multi_poll(multi, nullptr, 0, 100, nullptr);
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_EQ(bodies[i], "GET /" + std::to_string(i) + " " + std::string(50'000, 'x'));
    curl_multi_remove_handle(multi, all[i]);
    curl_easy_cleanup(all[i]);
  }
  curl_multi_cleanup(multi);
}

TEST(Http2Server, CarriesALargeBodyBothWays) {
  TestServer server([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = std::move(request.body);
    return response;
  });
  Folder const folder;
  Client::Options options;
  options.ca_file = folder.write("ca.pem", testing::test_authority().certificate_pem);
  auto const client = std::move(Client::create(options).value());
  std::string const body(6'000'000, 'y');
  auto const answer =
      client->send("POST", "https://localhost:" + std::to_string(server.port) + "/", {}, body);
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_EQ(answer->body, body);
}

TEST(Http2Server, SendsABodyThatIsMadeMeanwhile) {
  TestServer server(
      [](Request&&) { return in_pieces("head", std::string(3'000'000, 'x'), 256'000, 3'000'000); });
  Folder const folder;
  Client::Options options;
  options.ca_file = folder.write("ca.pem", testing::test_authority().certificate_pem);
  auto const client = std::move(Client::create(options).value());
  auto const answer = client->send("GET", "https://localhost:" + std::to_string(server.port) + "/", {}, "");
  ASSERT_TRUE(answer.has_value()) << answer.error().message();
  EXPECT_EQ(answer->body, "head" + std::string(3'000'000, 'x'));
}

TEST(Http2Server, SaysGoawayWhenItStops) {
  TestServer server(echo);
  RawClient::Options options;
  options.protocols = {"h2"};
  RawClient client(server.port, options);
  client.send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9));
  std::string const settings_acknowledged("\0\0\0\4\1\0\0\0\0", 9);
  EXPECT_THAT(client.receive_until(settings_acknowledged), HasSubstr(settings_acknowledged));
  std::jthread const stopping([&] { server.server->stop(std::chrono::milliseconds(5'000)); });
  EXPECT_THAT(client.receive_all(), HasSubstr(std::string("\0\0\x08\7\0\0\0\0\0", 9)));
  client.close();
}

TEST(Http2Server, ClosesAnIdleConnectionInSpiteOfPings) {
  Limits limits;
  limits.idle_time = std::chrono::milliseconds(300);
  limits.header_time = std::chrono::milliseconds(300);
  TestServer server(echo, limits);
  RawClient::Options options;
  options.protocols = {"h2"};
  RawClient client(server.port, options);
  client.send(std::string("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n") + std::string("\0\0\0\4\0\0\0\0\0", 9));
  std::atomic<bool> is_sendable = true;
  for (int i = 0; i < 1'000 && is_sendable; ++i) {
    is_sendable = client.send(std::string("\0\0\x08\6\0\0\0\0\0", 9) + "12345678");
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    if (server.has_failed_with(ConnectionFailure::kTimeout)) break;
  }
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTimeout));
}

}  // namespace
}  // namespace tacenda::net
