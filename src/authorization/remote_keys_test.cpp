#include "authorization/remote_keys.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "authorization/server_testing.hpp"
#include "core/application_limits.hpp"

namespace tacenda::authorization {
namespace {

using namespace std::chrono_literals;
using testing::TestKey;

constexpr char kUrl[] = "https://lab.example.org/jwks.json";

/// An application whose keys are at an address, and what that address answers.
class RemoteKeysTest : public ::testing::Test {
 protected:
  RemoteKeysTest() {
    client.id = "lab";
    client.jwks_url = kUrl;
  }

  Result<FetchedKeys> fetch(std::string const& url) {
    ++asked;
    asked_for = url;
    return answer;
  }
  /// The outcome of looking for a kid.
  std::optional<ErrorKind> find(std::string_view key_id) {
    notices.clear();
    auto const found = keys.find(client, key_id, notices);
    if (!found.has_value()) return found.error().kind();
    EXPECT_EQ((*found)->key_id, key_id);
    return std::nullopt;
  }
  void says(std::string const& kid, std::string cache_control = "") {
    answer = FetchedKeys{key.jwks(kid), std::move(cache_control)};
  }
  void fails() { answer = fail(ErrorKind::kUnavailable, "connection refused"); }

  inline static TestKey const key = TestKey::ec();
  ManualClock clock{from_unix_ms(1'800'000'000'000)};
  Client client;
  std::atomic<int> asked = 0;
  std::string asked_for;
  Result<FetchedKeys> answer = FetchedKeys{key.jwks("k1"), ""};
  std::vector<KeysNotice> notices;
  RemoteKeys keys{clock, [this](std::string const& url) { return fetch(url); }, 8};
};

TEST_F(RemoteKeysTest, F13AreAskedForOnceAndKept) {
  for (int i = 0; i < 3; ++i) EXPECT_EQ(find("k1"), std::nullopt);
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(asked_for, kUrl);
}

TEST_F(RemoteKeysTest, F13AreKeptAsLongAsTheAnswerSaysAndNoLonger) {
  says("k1", "public, max-age=60");
  EXPECT_EQ(find("k1"), std::nullopt);
  says("k2", "max-age=60");
  clock.advance(47s);
  EXPECT_EQ(find("k1"), std::nullopt);
  EXPECT_EQ(asked, 1);
  clock.advance(13s);
  EXPECT_EQ(find("k2"), std::nullopt);
  EXPECT_EQ(find("k1"), ErrorKind::kUnauthenticated);  // rotated away
  EXPECT_EQ(asked, 2);
}

TEST_F(RemoteKeysTest, F13AreRenewedShortlyBeforeTheirEndByOneWhoCanDoWithoutThem) {
  says("k1", "max-age=100");
  EXPECT_EQ(find("k1"), std::nullopt);
  clock.advance(80s);
  fails();
  EXPECT_EQ(find("k1"), std::nullopt);  // still good
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(find("k1"), std::nullopt);
  EXPECT_EQ(asked, 2);
}

TEST_F(RemoteKeysTest, F13AnUnknownKidHasThemAskedForButNotOften) {
  EXPECT_EQ(find("k1"), std::nullopt);
  says("k2");
  EXPECT_EQ(find("k2"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(asked, 1);
  clock.advance(limits::kKeysLifeMin);
  EXPECT_EQ(find("k2"), std::nullopt);
  EXPECT_EQ(asked, 2);
  for (int i = 0; i < 100; ++i) EXPECT_EQ(find("guess-" + std::to_string(i)), ErrorKind::kUnauthenticated);
  EXPECT_EQ(asked, 2);
}

TEST_F(RemoteKeysTest, F13AnAddressThatFailsIsLeftAloneAndNothingIsBelievedBehindItsTime) {
  says("k1", "max-age=20");
  EXPECT_EQ(find("k1"), std::nullopt);
  fails();
  clock.advance(20s);
  EXPECT_EQ(find("k1"), ErrorKind::kUnavailable);
  says("k1");
  EXPECT_EQ(find("k1"), ErrorKind::kUnavailable);
  EXPECT_EQ(asked, 2);
  clock.advance(limits::kKeysRetry);
  EXPECT_EQ(find("k1"), std::nullopt);
  EXPECT_EQ(asked, 3);
}

TEST_F(RemoteKeysTest, F13WhatIsNoSetOfKeysIsAFailure) {
  for (auto const* text : {"", "{}", R"({"keys":[]})", "<html>", R"({"keys":[{"kty":"RSA","d":"AQAB"}]})"}) {
    answer = FetchedKeys{text, "max-age=3600"};
    EXPECT_EQ(find("k1"), ErrorKind::kUnavailable) << text;
    ASSERT_EQ(notices.size(), 1U);
    EXPECT_TRUE(notices.front().problem);
    clock.advance(limits::kKeysRetry);
  }
}

TEST_F(RemoteKeysTest, F13OfAnotherAddressAreOtherKeys) {
  EXPECT_EQ(find("k1"), std::nullopt);
  client.jwks_url = "https://elsewhere.example.org/";
  says("k2");
  EXPECT_EQ(find("k1"), ErrorKind::kUnauthenticated);
  EXPECT_EQ(find("k2"), std::nullopt);
  EXPECT_EQ(asked_for, client.jwks_url);
}

TEST_F(RemoteKeysTest, WhatChangedIsToldOnce) {
  EXPECT_EQ(find("k1"), std::nullopt);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_EQ(notices.front().client, "lab");
  EXPECT_TRUE(notices.front().after.starts_with("keys: k1, sha256 ")) << notices.front().after;
  EXPECT_EQ(find("k1"), std::nullopt);
  EXPECT_TRUE(notices.empty());
  clock.advance(limits::kKeysLife);
  EXPECT_EQ(find("k1"), std::nullopt);  // asked for again, and the same
  EXPECT_EQ(asked, 2);
  EXPECT_TRUE(notices.empty());
  // Another key under the same kid does not come unseen.
  answer = FetchedKeys{TestKey::ec().jwks("k1"), ""};
  clock.advance(limits::kKeysLife);
  EXPECT_EQ(find("k1"), std::nullopt);
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_TRUE(notices.front().before.starts_with("keys: k1, sha256 "));
  EXPECT_NE(notices.front().before, notices.front().after);
}

TEST_F(RemoteKeysTest, F13AnAddressThatDoesNotAnswerHoldsNobodyElseUp) {
  Mutex mutex;
  ConditionVariable changed;
  bool may_answer = false;
  std::atomic<int> reached = 0;
  RemoteKeys held{clock,
                  [&](std::string const& url) -> Result<FetchedKeys> {
                    if (url != kUrl) return FetchedKeys{key.jwks("k1"), ""};
                    ++reached;
                    MutexLock const lock(mutex);
                    while (!may_answer) changed.wait(mutex);
                    return FetchedKeys{key.jwks("k1"), ""};
                  },
                  8};
  std::atomic<int> good = 0;
  std::atomic<int> turned_away = 0;
  constexpr int kAsking = 8;
  std::vector<std::jthread> threads;
  for (int i = 0; i < kAsking; ++i) {
    threads.emplace_back([&] {
      std::vector<KeysNotice> told;
      auto const found = held.find(client, "k1", told);
      ++(found.has_value() ? good : turned_away);
    });
  }
  // One asks and kKeysWaiting wait; the others are told at once that it cannot be had now.
  while (turned_away < kAsking - 1 - static_cast<int>(limits::kKeysWaiting)) std::this_thread::yield();
  Client other;
  other.id = "other";
  other.jwks_url = "https://other.example.org/";
  std::vector<KeysNotice> told;
  EXPECT_TRUE(held.find(other, "k1", told).has_value());
  {
    MutexLock const lock(mutex);
    may_answer = true;
  }
  changed.notify_all();
  threads.clear();
  EXPECT_EQ(reached, 1);
  EXPECT_EQ(good, 1 + static_cast<int>(limits::kKeysWaiting));
}

TEST(KeysLifetime, IsThatOfTheAnswerWithinTheBounds) {
  auto const of = [](std::string_view text) { return keys_lifetime(text).count(); };
  EXPECT_EQ(of(""), 300);
  EXPECT_EQ(of("max-age=60"), 60);
  EXPECT_EQ(of("public,Max-Age=60 , must-revalidate"), 60);
  EXPECT_EQ(of("max-age=1"), 10);
  EXPECT_EQ(of("max-age=86400"), 3'600);
  EXPECT_EQ(of("max-age=99999999999999999999"), 3'600);
  EXPECT_EQ(of("max-age=600, max-age=60"), 60);
  for (auto const* text : {"no-store", "no-cache", "no-store, max-age=600", "max-age",
                           "max-age=", "max-age=-1", "max-age=x", "max-age=60s", "no-cache=\"x\""})
    EXPECT_EQ(of(text), 10) << text;
  EXPECT_EQ(of("s-maxage=60, stale-while-revalidate=9"), 300);
}

TEST(KeysUrl, IsHttpsAndAPlainHost) {
  for (auto const* url :
       {"https://lab.example.org/jwks.json", "https://lab.example.org:8443/?x=1", "https://192.0.2.1/"})
    EXPECT_TRUE(is_keys_url(url)) << url;
  for (auto const* url :
       {"", "http://lab.example.org/", "https://", "https:///x", "https://a@evil.example/",
        "https://lab.example.org/#x", "https://lab.example.org/ x", "file:///etc/passwd",
        "HTTPS://lab.example.org/", "https://[::1]/", "https://lab.example.org\\@evil/", "unix:/x"})
    EXPECT_FALSE(is_keys_url(url)) << url;
}

class KeysByAddress : public testing::ServerTest {
 protected:
  KeysByAddress() {
    auto added =
        server->clients().add({"far", "", Client::Kind::kService, "loader", testing::kScope, {"", kUrl}, {}});
    expect_committed(added);
  }
  std::string assertion(std::string const& header = kHeader) {
    return key.jws(header, claims({{"iss", R"("far")"}, {"sub", R"("far")"}}));
  }
};

TEST_F(KeysByAddress, F13OpenTheDoorAlsoBehindARestart) {
  EXPECT_EQ(ask(form_of(assertion())).refusal->error, OAuthError::kTemporarilyUnavailable);
  restart_server();
  fetch = [&](std::string const&) -> Result<FetchedKeys> { return FetchedKeys{key.jwks("k1"), ""}; };
  EXPECT_FALSE(token(assertion()).empty());
  EXPECT_EQ(server->clients().find("far")->jwks_url, kUrl);
}

TEST_F(KeysByAddress, F12F13TheAddressThatAHeaderNamesIsTheRegisteredOneOrNone) {
  std::vector<std::string> asked;
  fetch = [&](std::string const& url) -> Result<FetchedKeys> {
    asked.push_back(url);
    return FetchedKeys{key.jwks("k1"), ""};
  };
  auto const header = [](std::string const& jku) {
    return R"({"alg":"RS384","kid":"k1","typ":"JWT","jku":)" + jku + "}";
  };
  for (auto const* jku :
       {R"("https://evil.example/")", R"("https://lab.example.org/jwks.json ")", R"("")", "1", "null"})
    EXPECT_TRUE(token(assertion(header(jku))).empty()) << jku;
  EXPECT_TRUE(asked.empty());
  EXPECT_FALSE(token(assertion(header('"' + std::string(kUrl) + '"'))).empty());
  // Who registered keys has no address that could be named.
  add_service("lab", key.jwks("k1"));
  EXPECT_TRUE(token(key.jws(header('"' + std::string(kUrl) + '"'), claims())).empty());
  EXPECT_EQ(asked, std::vector<std::string>{kUrl});
}

TEST_F(KeysByAddress, F13OtherKeysInTheirPlaceAreGoodAtOnce) {
  auto const own = TestKey::rsa();
  auto replaced = server->clients().replace_keys("far", {own.jwks("k1"), ""});
  expect_committed(replaced);
  EXPECT_FALSE(token(own.jws(kHeader, claims({{"iss", R"("far")"}, {"sub", R"("far")"}}))).empty());
  EXPECT_TRUE(token(assertion()).empty());
  EXPECT_FALSE(server->clients().replace_keys("far", {own.jwks("k1"), kUrl}).has_value());
  EXPECT_FALSE(server->clients().replace_keys("far", {}).has_value());
  EXPECT_FALSE(server->clients().replace_keys("far", {"", "http://lab.example.org/"}).has_value());
}

}  // namespace
}  // namespace tacenda::authorization
