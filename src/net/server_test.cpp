#include "net/server.hpp"

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/fake_host.hpp"
#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using std::chrono::milliseconds;
using testing::echo;
using ::testing::EndsWith;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestServer;
using testing::tls_options;

std::string get(std::string const& path, std::string const& more = "") {
  return "GET " + path + " HTTP/1.1\r\nhost: localhost\r\n" + more + "\r\n";
}

/// Holds handlers until it is opened.
class Gate {
 public:
  void wait() {
    ++waiting;
    opened_.wait();
  }
  void open() { promise_.set_value(); }
  void wait_for(int count) const {
    while (waiting < count) std::this_thread::sleep_for(milliseconds(1));
  }
  std::atomic<int> waiting = 0;

 private:
  std::promise<void> promise_;
  std::shared_future<void> const opened_{promise_.get_future()};
};

TEST(Server, KeepsTheConnectionForManyRequests) {
  TestServer server(echo);
  RawClient client(server.port, RawClient::Options{});
  for (int i = 0; i < 100; ++i) {
    auto const path = "/" + std::to_string(i);
    ASSERT_TRUE(client.send(get(path)));
    EXPECT_THAT(client.receive_responses(1), EndsWith("GET " + path + " "));
  }
}

TEST(Server, AnswersPipelinedRequestsInOrderThoughTheFirstTakesLongest) {
  TestServer server([](Request&& request) {
    if (request.path == "/0") std::this_thread::sleep_for(milliseconds(50));
    return echo(std::move(request));
  });
  RawClient client(server.port, RawClient::Options{});
  std::string all;
  for (int i = 0; i < 50; ++i) all += get("/" + std::to_string(i));
  client.send(all);
  auto const answers = client.receive_responses(50);
  std::size_t at = 0;
  for (int i = 0; i < 50; ++i) {
    auto const found = answers.find("GET /" + std::to_string(i) + " ", at);
    ASSERT_NE(found, std::string::npos) << i;
    at = found;
  }
}

TEST(Server, CarriesLargeBodiesBothWays) {
  std::string const body(5'000'000, 'x');
  TestServer server([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = std::move(request.body);
    return response;
  });
  RawClient client(server.port, RawClient::Options{});
  client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: " + std::to_string(body.size()) + "\r\n\r\n" +
              body);
  EXPECT_THAT(client.receive_responses(1), EndsWith("\r\n\r\n" + body));
}

TEST(Server, SendsABodyThatIsMadeMeanwhileAndKeepsTheConnection) {
  TestServer server(
      [](Request&&) { return in_pieces("head", std::string(3'000'000, 'x'), 256'000, 3'000'000); });
  RawClient client(server.port, RawClient::Options{});
  for (int i = 0; i < 2; ++i) {
    client.send(get("/"));
    EXPECT_THAT(client.receive_responses(1), EndsWith("\r\n\r\nhead" + std::string(3'000'000, 'x')));
  }
}

TEST(Server, ServesManyConnectionsAtOnce) {
  TestServer server(echo, {}, {2, 8, 4'096});
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      for (int c = 0; c < 10; ++c) {
        RawClient client(server.port, RawClient::Options{});
        for (int i = 0; i < 20; ++i) {
          auto const path = "/" + std::to_string(t) + "/" + std::to_string(c) + "/" + std::to_string(i);
          client.send(get(path));
          if (client.receive_responses(1).ends_with("GET " + path + " ")) ++right;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 8 * 10 * 20);
}

TEST(Server, TellsTheHandlerWhoAsks) {
  TestServer server([](Request&& request) {
    Response response;
    response.status = 200;
    response.body =
        request.peer.address + (request.peer.tls ? " tls" : "") + (request.peer.port != 0 ? " port" : "");
    return response;
  });
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/"));
  EXPECT_THAT(client.receive_responses(1), EndsWith("127.0.0.1 tls port"));
}

TEST(Server, AsksForTheAddressBeforeTls) {
  TestServer server(echo);
  server.accept = [](std::string_view address) { return address != "127.0.0.1"; };
  EXPECT_FALSE(RawClient(server.port, RawClient::Options{}).is_connected());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kAddressRefused));
}

TEST(Server, AsksForTheBodyLimitBeforeTheBodyIsSent) {
  TestServer server(echo);
  server.body_limit = [](Request const& head) -> std::optional<std::size_t> {
    return head.path == "/large" ? std::optional<std::size_t>(100) : 10;
  };
  RawClient small(server.port, RawClient::Options{});
  small.send("POST /small HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n");
  EXPECT_THAT(small.receive_all(), StartsWith("HTTP/1.1 413 "));
  RawClient large(server.port, RawClient::Options{});
  large.send("POST /large HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 11\r\n\r\n");
  EXPECT_EQ(large.receive_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
}

TEST(Server, DeliversTheRefusalOfABodyThatIsStillBeingSent) {
  Limits limits;
  limits.body_bytes = 1'000;
  TestServer server(echo, limits);
  RawClient client(server.port, RawClient::Options{});
  client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 300000\r\n\r\n");
  for (int i = 0; i < 30; ++i) client.send(std::string(10'000, 'x'));
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 413 "));
}

TEST(Server, SharesTheBodyBudgetOverAllConnections) {
  Limits limits;
  limits.body_bytes_in_flight = 1'000;
  TestServer server(echo, limits);
  RawClient first(server.port, RawClient::Options{});
  first.send("POST / HTTP/1.1\r\nhost: h\r\nexpect: 100-continue\r\ncontent-length: 900\r\n\r\n");
  EXPECT_THAT(first.receive_until("\r\n\r\n"), HasSubstr("100 Continue"));  // the share is taken
  RawClient second(server.port, RawClient::Options{});
  second.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 200\r\n\r\n");
  auto const refusal = second.receive_all();
  EXPECT_THAT(refusal, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refusal, HasSubstr("\r\nretry-after: "));
  first.send(std::string(900, 'x'));
  EXPECT_THAT(first.receive_responses(1), StartsWith("HTTP/1.1 200 "));
  RawClient third(server.port, RawClient::Options{});
  third.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 5\r\n\r\nabcde");
  EXPECT_THAT(third.receive_responses(1), EndsWith("POST / abcde"));
}

TEST(Server, RefusesAtOnceWhenTheQueueIsFull) {
  Gate gate;
  TestServer server(
      [&](Request&& request) {
        gate.wait();
        return echo(std::move(request));
      },
      {}, {1, 1, 1});
  RawClient running(server.port, RawClient::Options{});
  running.send(get("/running"));
  gate.wait_for(1);
  // One more waits in the queue; of two, one must be refused while both handlers still hold.
  RawClient a(server.port, RawClient::Options{});
  RawClient b(server.port, RawClient::Options{});
  a.send(get("/a"));
  std::this_thread::sleep_for(milliseconds(50));
  b.send(get("/b"));
  auto const refused = b.receive_responses(1);
  EXPECT_THAT(refused, StartsWith("HTTP/1.1 503 "));
  EXPECT_THAT(refused, HasSubstr("\r\nretry-after: "));
  gate.open();
  EXPECT_THAT(running.receive_responses(1), EndsWith("GET /running "));
  EXPECT_THAT(a.receive_responses(1), EndsWith("GET /a "));
  b.send(get("/again"));
  EXPECT_THAT(b.receive_responses(1), EndsWith("GET /again "));
}

TEST(Server, AnswersForAHandlerThatThrows) {
  TestServer server([](Request&&) -> Response { throw 1; });
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/"));
  EXPECT_THAT(client.receive_responses(1), StartsWith("HTTP/1.1 500 "));
}

TEST(Server, ClosesAConnectionThatNeverSpeaks) {
  Limits limits;
  limits.header_time = milliseconds(200);
  TestServer server(echo, limits);
  RawClient silent(server.port);
  EXPECT_TRUE(silent.is_closed_by_peer());
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTimeout));
}

TEST(Server, ClosesASlowLorisHoweverBusyItLooks) {
  Limits limits;
  limits.header_time = milliseconds(300);
  TestServer server(echo, limits);
  RawClient loris(server.port, RawClient::Options{});
  loris.send("GET / HTTP/1.1\r\nhost: h\r\n");
  // Each byte comes well within the time; all together must not.
  std::jthread const drip([&](std::stop_token stop) {
    while (!stop.stop_requested() && loris.send("x: y\r\n")) std::this_thread::sleep_for(milliseconds(20));
  });
  EXPECT_TRUE(server.has_failed_with(ConnectionFailure::kTimeout));
}

TEST(Server, AnswersABodyThatNeverEndsWith408) {
  Limits limits;
  limits.body_time = milliseconds(200);
  TestServer server(echo, limits);
  RawClient client(server.port, RawClient::Options{});
  client.send("POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 10\r\n\r\nabc");
  EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 408 "));
}

TEST(Server, ClosesAnIdleConnection) {
  Limits limits;
  limits.idle_time = milliseconds(200);
  TestServer server(echo, limits);
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/"));
  EXPECT_THAT(client.receive_responses(1), StartsWith("HTTP/1.1 200 "));
  EXPECT_EQ(client.receive_all(), "");
  EXPECT_THAT(server.failures(), IsEmpty());
}

TEST(Server, CutsOffAPeerThatDoesNotFetchItsAnswer) {
  Limits limits;
  limits.body_time = milliseconds(300);
  limits.connections = 1;
  TestServer server(
      [](Request&&) {
        Response response;
        response.status = 200;
        response.body.assign(50'000'000, 'x');  // NOLINT(bugprone-string-constructor): it is to be long
        return response;
      },
      limits);
  RawClient::Options options;
  options.receive_buffer = 4'096;
  RawClient lazy(server.port, options);
  lazy.send(get("/"));
  // The only place is free again when the lazy one was dropped.
  bool is_free = false;
  for (int i = 0; i < 500 && !is_free; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    is_free = RawClient(server.port, RawClient::Options{}).is_connected();
  }
  EXPECT_TRUE(is_free);
}

TEST(Server, LimitsConnectionsAndTakesNewOnesWhenOldOnesEnd) {
  Limits limits;
  limits.connections = 3;
  TestServer server(echo, limits);
  std::vector<std::unique_ptr<RawClient>> clients;
  for (int i = 0; i < 3; ++i) {
    clients.push_back(std::make_unique<RawClient>(server.port, RawClient::Options{}));
    EXPECT_TRUE(clients.back()->is_connected());
  }
  EXPECT_FALSE(RawClient(server.port, RawClient::Options{}).is_connected());
  clients.pop_back();
  bool is_taken = false;
  for (int i = 0; i < 500 && !is_taken; ++i) {
    std::this_thread::sleep_for(milliseconds(10));
    is_taken = RawClient(server.port, RawClient::Options{}).is_connected();
  }
  EXPECT_TRUE(is_taken);
}

TEST(Server, LimitsConnectionsOfOneAddress) {
  Limits limits;
  limits.connections_per_address = 2;
  TestServer server(echo, limits);
  RawClient one(server.port, RawClient::Options{});
  RawClient two(server.port, RawClient::Options{});
  EXPECT_TRUE(one.is_connected() && two.is_connected());
  EXPECT_FALSE(RawClient(server.port, RawClient::Options{}).is_connected());
}

TEST(Server, OutlivesClientsThatVanishInMidRequest) {
  Gate gate;
  TestServer server(
      [&](Request&& request) {
        if (request.path == "/slow") gate.wait();
        return echo(std::move(request));
      },
      {}, {2, 4, 64});
  for (auto const* bytes : {"", "GET", "GET / HTTP/1.1\r\nhost: h\r\n",
                            "POST / HTTP/1.1\r\nhost: h\r\ncontent-length: 9\r\n\r\nab"}) {
    RawClient client(server.port, RawClient::Options{});
    client.send(bytes);
  }
  {
    RawClient gone(server.port, RawClient::Options{});
    gone.send(get("/slow"));
    gate.wait_for(1);
  }
  gate.open();
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/after"));
  EXPECT_THAT(client.receive_responses(1), EndsWith("GET /after "));
}

TEST(Server, LetsRunningRequestsFinishWhenItStops) {
  Gate gate;
  TestServer server(
      [&](Request&& request) {
        gate.wait();
        return echo(std::move(request));
      },
      {}, {1, 1, 8});  // one I/O thread: when the idle one is closed, the other knows too
  RawClient idle(server.port, RawClient::Options{});
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/last"));
  gate.wait_for(1);
  auto stopped = std::async(std::launch::async, [&] { server.server->stop(milliseconds(10'000)); });
  EXPECT_EQ(idle.receive_all(), "");
  EXPECT_FALSE(RawClient(server.port, RawClient::Options{}).is_connected());
  gate.open();
  auto const answer = client.receive_all();
  EXPECT_THAT(answer, HasSubstr("connection: close"));
  EXPECT_THAT(answer, EndsWith("GET /last "));
  client.close();
  idle.close();
  stopped.get();
}

TEST(Server, ClosesWhatIsLeftAfterTheGrace) {
  TestServer server(echo);
  RawClient half(server.port, RawClient::Options{});
  half.send("GET / HT");
  std::this_thread::sleep_for(milliseconds(50));
  server.server->stop(milliseconds(100));
  EXPECT_TRUE(half.is_closed_by_peer());
  EXPECT_EQ(
      server.server->listen_tls("127.0.0.1", 0, tls_options(), {}, server.handlers(echo)).error().kind(),
      ErrorKind::kUnavailable);
}

TEST(Server, RefusesAnAddressThatIsNoneOrInUse) {
  TestServer server(echo);
  auto const kind = [&](std::string const& address, std::uint16_t port) {
    return server.server->listen_tls(address, port, tls_options(), {}, server.handlers(echo)).error().kind();
  };
  EXPECT_EQ(kind("localhost", 0), ErrorKind::kInvalid);
  EXPECT_EQ(kind("127.0.0.1", server.port), ErrorKind::kUnavailable);
  EXPECT_EQ(kind("192.0.2.1", 0), ErrorKind::kUnavailable);
}

TEST(Server, ListensOnIpv6AndShowsIpv4PeersAsIpv4) {
  TestServer server([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = request.peer.address;
    return response;
  });
  auto handlers = server.handlers([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = request.peer.address;
    return response;
  });
  auto const port = server.server->listen_tls("::", 0, tls_options(), {}, std::move(handlers));
  if (!port) GTEST_SKIP() << "no IPv6 here";
  RawClient client(*port, RawClient::Options{});
  client.send(get("/"));
  EXPECT_THAT(client.receive_responses(1), EndsWith("\r\n\r\n127.0.0.1"));
}

TEST(UnixSocket, IsOursAloneAndTellsTheUser) {
  Folder const folder;
  auto const path = folder / "admin.sock";
  TestServer server(echo);
  auto const listened = server.server->listen_unix(path, {}, server.handlers([](Request&& request) {
    Response response;
    response.status = 200;
    response.body = request.peer.uid ? std::to_string(*request.peer.uid) : "unknown";
    return response;
  }));
  ASSERT_TRUE(listened.has_value());
  struct stat found{};
  ASSERT_EQ(::stat(path.c_str(), &found), 0);
  EXPECT_EQ(found.st_mode & 07777U, 0600U);
  RawClient client(path);
  client.send(get("/"));
  EXPECT_THAT(client.receive_responses(1), EndsWith("\r\n\r\n" + std::to_string(::geteuid())));
  server.server->stop(milliseconds(0));
  EXPECT_NE(::stat(path.c_str(), &found), 0) << "removed at the end";
}

TEST(UnixSocket, ReplacesAStaleFileAndNothingElse) {
  Folder const folder;
  auto const path = folder / "admin.sock";
  TestServer first(echo);
  ASSERT_TRUE(first.server->listen_unix(path, {}, first.handlers(echo)).has_value());
  TestServer second(echo);
  EXPECT_EQ(second.server->listen_unix(path, {}, second.handlers(echo)).error().kind(),
            ErrorKind::kUnavailable);
  // A process that was killed leaves its file behind: a hard link keeps it over the end of the first.
  ASSERT_EQ(::link(path.c_str(), (folder / "stale.sock").c_str()), 0);
  first.server->stop(milliseconds(0));
  EXPECT_TRUE(second.server->listen_unix(folder / "stale.sock", {}, second.handlers(echo)).has_value());
  auto const file = folder.write("file", "text");
  EXPECT_EQ(second.server->listen_unix(file, {}, second.handlers(echo)).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(second.server->listen_unix(std::string(200, 'a'), {}, second.handlers(echo)).error().kind(),
            ErrorKind::kInvalid);
}

// The sanitizer looks at memory through a pipe: without descriptors it sees undefined behaviour where there
// is none.
#if defined(__has_feature)
#if __has_feature(undefined_behavior_sanitizer)
#define TACENDA_DESCRIPTORS_NEEDED
#endif
#endif

TEST(Server, ShedsConnectionsWhenDescriptorsRunOutAndServesAgainAfterwards) {
#ifdef TACENDA_DESCRIPTORS_NEEDED
  GTEST_SKIP() << "the undefined-behaviour sanitizer needs descriptors itself";
#endif
  TestServer server(echo);
  std::vector<std::unique_ptr<RawClient>> held;
  rlimit before{};
  ::getrlimit(RLIMIT_NOFILE, &before);
  int const probe = ::dup(0);
  ::close(probe);
  rlimit const few{static_cast<rlim_t>(probe) + 6, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &few), 0);
  // Ours and the server's end share the limit: these clients cannot all be taken.
  for (int i = 0; i < 4; ++i) held.push_back(std::make_unique<RawClient>(server.port));
  std::this_thread::sleep_for(milliseconds(100));
  rusage used{};
  ::getrusage(RUSAGE_SELF, &used);
  auto const cpu = [&] {
    return used.ru_utime.tv_sec * 1'000 + used.ru_utime.tv_usec / 1'000 + used.ru_stime.tv_sec * 1'000 +
           used.ru_stime.tv_usec / 1'000;
  };
  auto const spent_before = cpu();
  std::this_thread::sleep_for(milliseconds(400));
  ::getrusage(RUSAGE_SELF, &used);
  EXPECT_LT(cpu() - spent_before, 200) << "it spins";
  held.clear();
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  std::this_thread::sleep_for(milliseconds(200));
  RawClient client(server.port, RawClient::Options{});
  client.send(get("/after"));
  EXPECT_THAT(client.receive_responses(1), EndsWith("GET /after "));
}

}  // namespace
}  // namespace tacenda::net
