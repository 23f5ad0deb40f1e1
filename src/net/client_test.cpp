#include "net/client.hpp"

#include <atomic>
#include <chrono>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/sockets.hpp"
#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using testing::echo;
using testing::Folder;
using testing::TestServer;

class ClientTest : public ::testing::Test {
 protected:
  std::unique_ptr<Client> client(Client::Options options = {}) {
    if (options.ca_file.empty()) options.ca_file = ca_file;
    return std::move(Client::create(std::move(options)).value());
  }
  static std::string url(std::uint16_t port, std::string const& path, std::string const& host = "localhost") {
    return "https://" + host + ":" + std::to_string(port) + path;
  }

  Folder folder;
  std::string const ca_file = folder.write("ca.pem", testing::test_authority().certificate_pem);
};

TEST_F(ClientTest, SendsARequestAndReadsTheAnswerInBothVersions) {
  TestServer server([](Request&& request) {
    Response response;
    response.status = 201;
    response.headers = {{"etag", "W/\"1\""}};
    response.body = request.method + request.path + "?" + request.query +
                    std::string(*request.header("x-a")) + request.body;
    return response;
  });
  for (bool const http2 : {true, false}) {
    Client::Options options;
    options.http2 = http2;
    auto const sender = client(options);
    for (int i = 0; i < 3; ++i) {
      auto const answer = sender->send("PUT", url(server.port, "/a?b"), {{"x-a", "-"}}, "body");
      ASSERT_TRUE(answer.has_value()) << answer.error().message();
      EXPECT_EQ(answer->status, 201);
      EXPECT_EQ(answer->body, "PUT/a?b-body");
      EXPECT_TRUE(std::ranges::any_of(
          answer->headers, [](auto const& f) { return f.name == "etag" && f.value == "W/\"1\""; }));
    }
  }
}

TEST_F(ClientTest, KeepsItsConnection) {
  TestServer server([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = std::to_string(request.peer.port);
    return response;
  });
  auto const sender = client();
  auto const first = sender->send("GET", url(server.port, "/"), {}, "");
  auto const second = sender->send("GET", url(server.port, "/"), {}, "");
  EXPECT_EQ(first.value().body, second.value().body);
}

TEST_F(ClientTest, SendsEveryMethodAsItIs) {
  TestServer server(echo);
  auto const sender = client();
  for (std::string const method : {"GET", "POST", "PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(sender->send(method, url(server.port, "/x"), {}, "").value().body, method + " /x ");
    EXPECT_EQ(sender->send(method, url(server.port, "/x"), {}, "b").value().body, method + " /x b");
  }
  EXPECT_EQ(sender->send("HEAD", url(server.port, "/x"), {}, "").value().body, "");
}

TEST_F(ClientTest, TellsWhyItFailed) {
  TestServer server([](Request&& request) {
    if (request.path == "/slow") std::this_thread::sleep_for(milliseconds(1'500));
    return echo(std::move(request));
  });
  auto const message = [](Result<Response> const& result) {
    return result.has_value() ? "no error" : result.error().message();
  };

  std::uint16_t closed_port = 0;
  {
    auto const socket = listen_tcp("127.0.0.1", 0).value();
    closed_port = port_of(socket).value();
  }
  EXPECT_EQ(message(client()->send("GET", url(closed_port, "/"), {}, "")), "connection refused");

  Client::Options stranger;
  stranger.ca_file = folder.write("other.pem", testing::make_authority("other").certificate_pem);
  EXPECT_EQ(message(client(stranger)->send("GET", url(server.port, "/"), {}, "")), "certificate not trusted");

  Client::Options hasty;
  hasty.timeout = milliseconds(200);
  EXPECT_EQ(message(client(hasty)->send("GET", url(server.port, "/slow"), {}, "")), "timed out");

  EXPECT_EQ(message(client()->send("GET", "http://localhost:" + std::to_string(server.port) + "/", {}, "")),
            "only https, or http over the unix socket");
  EXPECT_EQ(message(client()->send("GET", url(server.port, "/"), {{"a", "b\r\nc: d"}}, "")),
            "not a header field");
}

TEST_F(ClientTest, TrustsNoCertificateOfAnotherHostOrOfYesterday) {
  auto const identity = testing::make_identity("other.example", testing::make_authority("x"));
  auto const expired =
      testing::make_identity("localhost", testing::test_authority(), testing::Validity::kExpired);
  auto const other = testing::make_identity("other.example", testing::test_authority());
  for (auto const* one : {&identity, &expired, &other}) {
    TestServer server(echo, {}, {1, 1, 8}, testing::tls_options(*one));
    auto const result = client()->send("GET", url(server.port, "/"), {}, "");
    ASSERT_FALSE(result.has_value());
    EXPECT_EQ(result.error().message(), "certificate not trusted");
  }
}

TEST_F(ClientTest, BoundsTheAnswer) {
  TestServer server([](Request&&) {
    Response response;
    response.status = 200;
    response.body = std::string(1'001, 'x');
    return response;
  });
  Client::Options options;
  options.response_bytes = 1'000;
  EXPECT_EQ(client(options)->send("GET", url(server.port, "/"), {}, "").error().kind(), ErrorKind::kTooLarge);
  options.response_bytes = 1'001;
  EXPECT_TRUE(client(options)->send("GET", url(server.port, "/"), {}, "").has_value());
}

TEST_F(ClientTest, F13ConnectsToNoAddressThatItMayNot) {
  std::atomic<int> asked = 0;
  TestServer server([&](Request&& request) {
    ++asked;
    return echo(std::move(request));
  });
  std::vector<std::string> seen;
  Client::Options options;
  options.may_connect = [&](IpAddress const& address) {
    seen.push_back(address.text());
    return address.is_public();
  };
  // By name, by address and in the forms that only a resolver knows.
  for (auto const* host :
       {"localhost", "127.0.0.1", "127.1", "2130706433", "0x7f000001", "[::1]", "[::ffff:127.0.0.1]"}) {
    auto const result = client(options)->send("GET", url(server.port, "/", host), {}, "");
    ASSERT_FALSE(result.has_value()) << host;
    EXPECT_EQ(result.error().kind(), ErrorKind::kForbidden) << host << ": " << result.error().message();
  }
  EXPECT_EQ(asked, 0);
  EXPECT_TRUE(server.failures().empty());  // not even a handshake
  EXPECT_FALSE(seen.empty());
  options.may_connect = [](IpAddress const& address) { return address.text() == "127.0.0.1"; };
  auto const sender = client(options);
  for (int i = 0; i < 2; ++i)
    EXPECT_TRUE(sender->send("GET", url(server.port, "/", "127.0.0.1"), {}, "").has_value());
}

TEST_F(ClientTest, F13EachCallAsksAnew) {
  TestServer server(echo);
  bool is_allowed = true;
  Client::Options options;
  options.may_connect = [&](IpAddress const&) { return is_allowed; };
  auto const sender = client(options);
  EXPECT_TRUE(sender->send("GET", url(server.port, "/"), {}, "").has_value());
  is_allowed = false;  // the name leads elsewhere now
  EXPECT_FALSE(sender->send("GET", url(server.port, "/"), {}, "").has_value());
}

TEST_F(ClientTest, FollowsNoRedirect) {
  TestServer server([](Request&& request) {
    Response response = echo(std::move(request));
    response.status = 302;
    response.headers.push_back({"location", "/elsewhere"});
    return response;
  });
  EXPECT_EQ(client()->send("GET", url(server.port, "/"), {}, "").value().status, 302);
}

TEST_F(ClientTest, SpeaksOverTheUnixSocket) {
  TestServer server(echo);
  auto const path = folder / "s";
  ASSERT_TRUE(server.server->listen_unix(path, {}, server.handlers(echo)).has_value());
  Client::Options options;
  options.unix_socket = path;
  EXPECT_EQ(client(options)->send("POST", "http://admin/unseal", {}, "x").value().body, "POST /unseal x");
}

}  // namespace
}  // namespace tacenda::net
