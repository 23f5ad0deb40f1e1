// W-10: every file of tests/vectors/smuggling is sent over TLS; none may reach a handler.
#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/internal/test_support.hpp"

namespace tacenda::net {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using testing::RawClient;
using ::testing::StartsWith;
using testing::TestServer;

struct Attempt {
  std::string name;
  std::string status;
  std::string bytes;
};

std::string unescape(std::string const& line) {
  std::string bytes;
  for (std::size_t i = 0; i < line.size(); ++i) {
    if (line[i] != '\\') {
      bytes += line[i];
      continue;
    }
    switch (line.at(++i)) {
      case 'r':
        bytes += '\r';
        break;
      case 'n':
        bytes += '\n';
        break;
      case 't':
        bytes += '\t';
        break;
      default:
        bytes += static_cast<char>(std::stoi(line.substr(i + 1, 2), nullptr, 16));
        i += 2;
    }
  }
  return bytes;
}

std::vector<Attempt> load() {
  std::vector<Attempt> attempts;
  for (auto const& entry :
       std::filesystem::directory_iterator(TACENDA_SOURCE_DIR "/tests/vectors/smuggling")) {
    if (entry.path().extension() != ".txt") continue;
    std::ifstream file(entry.path());
    Attempt attempt{entry.path().stem().string(), "", ""};
    std::string line;
    std::getline(file, line);
    std::getline(file, line);
    attempt.status = line.substr(line.find(' ') + 1);
    while (std::getline(file, line)) attempt.bytes += unescape(line);
    attempts.push_back(std::move(attempt));
  }
  std::ranges::sort(attempts, {}, &Attempt::name);
  return attempts;
}

TEST(Smuggling, EveryAttemptIsRefusedAndTheConnectionClosed) {
  std::atomic<int> served = 0;
  TestServer server([&](Request&& request) {
    ++served;
    return testing::echo(std::move(request));
  });
  auto const attempts = load();
  ASSERT_GE(attempts.size(), 60U);
  for (auto const& attempt : attempts) {
    RawClient client(server.port, RawClient::Options{});
    ASSERT_TRUE(client.send(attempt.bytes)) << attempt.name;
    auto const answer = client.receive_all();  // returns when the server has closed
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 " + attempt.status + " ")) << attempt.name;
    EXPECT_THAT(answer, HasSubstr("\r\nconnection: close\r\n")) << attempt.name;
    EXPECT_THAT(answer, EndsWith("\r\n\r\nrefused")) << attempt.name << ": one answer and no second";
    EXPECT_EQ(served.exchange(0), 0) << attempt.name;
  }
  auto const failures = server.failures();
  EXPECT_EQ(failures.size(), attempts.size());
  EXPECT_TRUE(
      std::ranges::all_of(failures, [](auto f) { return f == ConnectionFailure::kMalformedRequest; }));
}

TEST(Smuggling, TheSameRequestsPieceByPieceAreRefusedToo) {
  std::atomic<int> served = 0;
  TestServer server([&](Request&& request) {
    ++served;
    return testing::echo(std::move(request));
  });
  for (auto const& attempt : load()) {
    RawClient client(server.port, RawClient::Options{});
    // A refusal may come before the last piece; then the rest cannot be sent any more.
    for (std::size_t at = 0; at < attempt.bytes.size(); at += 7) {
      if (!client.send(std::string_view(attempt.bytes).substr(at, 7))) break;
    }
    EXPECT_THAT(client.receive_all(), StartsWith("HTTP/1.1 " + attempt.status + " ")) << attempt.name;
    EXPECT_EQ(served.exchange(0), 0) << attempt.name;
  }
}

}  // namespace
}  // namespace tacenda::net
