// The PROXY protocol on a listener: N-05.
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using ::testing::EndsWith;
using testing::RawClient;
using testing::TestServer;

constexpr char kHeader[] = "PROXY TCP4 198.51.100.7 127.0.0.1 4711 443\r\n";
constexpr char kRequest[] = "GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";

/// Answers with who asked.
Response who(Request&& request) {
  Response response;
  response.status = 200;
  response.body = request.peer.address + " for " + request.peer.forwarded;
  return response;
}

RawClient::Options behind(std::string header) {
  RawClient::Options options;
  options.before_tls = std::move(header);
  return options;
}

class ProxyConnection : public ::testing::Test {
 protected:
  ProxyConnection() {
    server.sends_proxy_header = [](std::string_view address) { return address == "127.0.0.1"; };
  }
  std::string answer_behind(std::string header) {
    RawClient client(server.port, behind(std::move(header)));
    client.send(kRequest);
    return client.receive_responses(1);
  }
  TestServer server{who};
};

TEST_F(ProxyConnection, N05TellsTheNamedClientBesideThePeer) {
  EXPECT_THAT(answer_behind(kHeader), EndsWith("127.0.0.1 for 198.51.100.7"));
  EXPECT_THAT(answer_behind("PROXY UNKNOWN\r\n"), EndsWith("127.0.0.1 for "));
}

TEST_F(ProxyConnection, N05AHeaderThatIsDueAndDoesNotComeEndsTheConnection) {
  EXPECT_FALSE(RawClient(server.port, RawClient::Options{}).is_connected());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kMalformedRequest));
}

TEST_F(ProxyConnection, N05TheNamedClientMustBeOnTheAddressListToo) {
  server.accept = [](std::string_view address) { return address != "198.51.100.7"; };
  EXPECT_FALSE(RawClient(server.port, behind(kHeader)).is_connected());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kAddressRefused));
}

TEST_F(ProxyConnection, N05AStrangersHeaderIsNoTls) {
  server.sends_proxy_header = [](std::string_view) { return false; };
  EXPECT_FALSE(RawClient(server.port, behind(kHeader)).is_connected());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTlsHandshake));
}

TEST(ProxyDeadline, N05AHeaderThatDoesNotEndIsWaitedForNoLongerThanARequest) {
  Limits limits;
  limits.header_time = std::chrono::milliseconds(200);
  TestServer server(who, limits);
  server.sends_proxy_header = [](std::string_view) { return true; };
  RawClient client(server.port);
  client.send("PROXY TCP4 ");
  EXPECT_TRUE(client.is_closed_by_peer());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTimeout));
}

}  // namespace
}  // namespace tacenda::net
