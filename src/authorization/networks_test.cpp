// From where applications may ask for tokens, and use them (N-05); and that of several changes of one
// application at once none is lost.
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "authorization/people_testing.hpp"

namespace tacenda::authorization {
namespace {

using People = testing::PeopleTest;

constexpr char kInside[] = "10.20.0.5";
constexpr char kOutside[] = "203.0.113.9";

class Networks : public People {
 protected:
  void bind_to(std::string const& client, std::optional<std::vector<std::string>> networks) {
    auto changed = server->clients().restrict_networks(client, std::move(networks));
    expect_committed(changed);
  }
  TokenReply ask_from(char const* address, Form const& form) {
    auto reply = server->token(form, {address});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  }
  static Form fetching(std::string const& code) {
    return form({{"grant_type", "authorization_code"},
                 {"client_id", "app"},
                 {"redirect_uri", testing::kRedirect},
                 {"code_verifier", testing::kVerifier},
                 {"code", code}});
  }
  static Form refreshing(std::string const& token, bool says_who = true) {
    return form(
        {{"grant_type", "refresh_token"}, {"client_id", says_who ? "app" : ""}, {"refresh_token", token}});
  }
  static void expect_outside(TokenReply const& reply) {
    ASSERT_TRUE(reply.refusal);
    EXPECT_TRUE(reply.is_outside);
    EXPECT_EQ(reply.refusal->error, OAuthError::kAccessDenied);
    EXPECT_TRUE(reply.body.text_of("access_token").empty());
    EXPECT_FALSE(reply.reused);
  }
};

TEST_F(Networks, N05ACodeOrRefreshTokenShownElsewhereGetsNothingAndUsesNothingUp) {
  bind_to("app", {{"10.20.0.0/16"}});
  auto const allowed = code();
  expect_outside(ask_from(kOutside, fetching(allowed)));
  auto const first = ask_from(kInside, fetching(allowed));
  ASSERT_FALSE(first.refusal) << "a code that was caught is still the application's";
  auto const token = refresh_of(first);
  for (bool const says_who : {true, false}) expect_outside(ask_from(kOutside, refreshing(token, says_who)));
  auto const second = ask_from(kInside, refreshing(token));
  ASSERT_FALSE(second.refusal);
  // One that was used is no alarm from elsewhere: whoever has caught it could else end what others go on
  // with.
  expect_outside(ask_from(kOutside, refreshing(token)));
  EXPECT_FALSE(ask_from(kInside, refreshing(refresh_of(second))).refusal);
  EXPECT_TRUE(is_good(access_of(second)));
}

TEST_F(Networks, F05WhoShowsAUsedCodeOfAnotherApplicationIsHeldToItsNetworksAndNamed) {
  add_app("other");
  bind_to("app", {{"10.20.0.0/16"}});
  auto const shown = code();
  auto const first = ask_from(kInside, fetching(shown));
  ASSERT_FALSE(first.refusal);
  auto const by_other = form({{"grant_type", "authorization_code"}, {"client_id", "other"}, {"code", shown}});
  expect_outside(ask_from(kOutside, by_other));
  EXPECT_TRUE(is_good(access_of(first)));
  auto const reused = ask_from(kInside, by_other);
  ASSERT_TRUE(reused.refusal && reused.reused);
  EXPECT_EQ(reused.trace.client, "other");
  EXPECT_EQ(reused.trace.owner, "app");
  EXPECT_EQ(reused.trace.user_id, principal().id().view());
  EXPECT_FALSE(is_good(access_of(first)));
}

TEST_F(Networks, N05TheListHoldsForTokensOfBeforeAndAfterARestart) {
  auto const reply = fetch(code());
  ASSERT_FALSE(reply.refusal);
  auto const& clients = server->clients();
  EXPECT_TRUE(clients.admits("app", kOutside).has_value());
  bind_to("app", {{"10.20.0.0/16", "fd00::/8"}});
  for (int round = 0; round < 2; ++round) {
    EXPECT_EQ(server->clients().admits("app", kOutside).error().kind(), ErrorKind::kForbidden);
    EXPECT_TRUE(server->clients().admits("app", kInside).has_value());
    EXPECT_TRUE(server->clients().admits("app", "fd00::7").has_value());
    EXPECT_TRUE(server->clients().admits("app", "").has_value()) << "the administration socket";
    expect_outside(ask_from(kOutside, refreshing(refresh_of(reply))));
    restart_server();
  }
  EXPECT_FALSE(server->clients().admits("nobody", kInside).has_value());
  bind_to("app", std::nullopt);
  EXPECT_TRUE(server->clients().admits("app", kOutside).has_value());
  EXPECT_FALSE(ask_from(kOutside, refreshing(refresh_of(reply))).refusal);
}

TEST_F(Networks, N05AListThatCannotBeHeldToIsRefused) {
  auto const kind_of = [&](std::string const& id, std::optional<std::vector<std::string>> networks) {
    auto changed = server->clients().restrict_networks(id, std::move(networks));
    return changed.has_value() ? ErrorKind::kBug : changed.error().kind();
  };
  EXPECT_EQ(kind_of("app", {{"nowhere"}}), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of("app", std::vector<std::string>()), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of("app", std::vector<std::string>(65, "10.0.0.1")), ErrorKind::kInvalid);
  EXPECT_EQ(kind_of("nobody", {{"10.0.0.0/8"}}), ErrorKind::kNotFound);
}

TEST_F(Networks, N05AServiceAsksForTokensFromItsOwnNetworksAlone) {
  add_service("lab", key.jwks("k1"));
  auto const ask = [&](char const* address) {
    return ask_from(address, form_of(key.jws(kHeader, claims())));
  };
  EXPECT_FALSE(ask(kOutside).refusal);
  bind_to("lab", {{"10.20.0.0/16"}});
  expect_outside(ask(kOutside));
  EXPECT_FALSE(ask(kInside).refusal);
  bind_to("lab", std::nullopt);
  // Its account has a list of its own, which holds here, too.
  auto placed = directory->restrict_networks("lab", {{"10.20.0.0/16"}});
  expect_committed(placed);
  expect_outside(ask(kOutside));
  EXPECT_FALSE(ask(kInside).refusal);
  auto const introspect = [&](char const* address) {
    auto fields = form_of(key.jws(kHeader, claims()));
    auto reply = server->introspect(fields, {address});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  };
  expect_outside(introspect(kOutside));
  EXPECT_FALSE(introspect(kInside).refusal);
}

TEST_F(Networks, N05AServiceThatShowsItsCertificateIsHeldToThemToo) {
  Digest certificate;
  certificate.fill(std::byte{7});
  auto added = server->clients().add({"edge",
                                      "",
                                      Client::Kind::kService,
                                      "loader",
                                      testing::kScope,
                                      {"", "", codec::hex_encode(certificate)},
                                      {}});
  expect_committed(added);
  bind_to("edge", {{"10.20.0.0/16"}});
  auto const ask = [&](char const* address) {
    auto reply = server->token(
        form({{"grant_type", "client_credentials"}, {"client_id", "edge"}, {"scope", "system/*.rs"}}),
        {address, certificate});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  };
  expect_outside(ask(kOutside));
  EXPECT_FALSE(ask(kInside).refusal);
}

TEST_F(Networks, N05APersonsListHoldsForTheApplicationThatActsForHim) {
  auto const reply = fetch(code());
  auto placed = directory->restrict_networks("ada", {{"10.20.0.0/16"}});
  expect_committed(placed);
  expect_outside(ask_from(kOutside, refreshing(refresh_of(reply))));
  EXPECT_FALSE(ask_from(kInside, refreshing(refresh_of(reply))).refusal) << "nothing was ended by it";
}

TEST_F(Networks, N05RevocationTakesAndSoIsTakenFromAnywhere) {
  auto const reply = fetch(code());
  bind_to("app", {{"10.20.0.0/16"}});
  auto revoked = server->revoke(form({{"client_id", "app"}, {"token", access_of(reply)}}), {kOutside});
  EXPECT_FALSE(revoked.refusal);
  EXPECT_TRUE(commit(revoked.pending).has_value());
  EXPECT_FALSE(directory->authenticate_token(access_of(reply)).has_value());
}

TEST_F(Networks, S11OfSeveralChangesAtOnceNoneIsLostAndNoneRevives) {
  add_service("lab", key.jwks("k1"));
  auto const other = testing::TestKey::ec();
  auto& clients = server->clients();
  auto keys = clients.replace_keys("lab", {other.jwks("k2"), ""});
  bind_to("lab", {{"10.20.0.0/16"}});  // while the change of keys is under way
  expect_committed(keys);
  auto const expect_both = [&] {
    auto const lab = server->clients().find("lab");
    EXPECT_EQ(lab->networks, std::vector<std::string>{"10.20.0.0/16"});
    ASSERT_EQ(lab->keys.size(), 1U);
    EXPECT_EQ(lab->keys.front().key_id, "k2");
  };
  expect_both();
  restart_server();
  expect_both();
  auto late = server->clients().restrict_networks("lab", std::nullopt);
  auto disabled = server->clients().disable("lab");
  expect_committed(disabled);
  EXPECT_FALSE(commit(*late).has_value()) << "what was decided meanwhile holds";
  EXPECT_FALSE(server->clients().find("lab")->enabled);
  restart_server();
  EXPECT_FALSE(server->clients().find("lab")->enabled);
  expect_both();
}

TEST_F(Networks, S11ManyChangesOfOneApplicationAtOnceLeaveMemoryAndStoreTheSame) {
  constexpr int kThreads = 6;
  add_service("lab", key.jwks("k1"));
  std::atomic<int> ready{0};
  std::vector<std::jthread> running;
  for (int i = 0; i < kThreads; ++i) {
    running.emplace_back([&, i] {
      ++ready;
      while (ready < kThreads) std::this_thread::yield();
      for (int round = 0; round < 20; ++round) {
        auto changed = server->clients().restrict_networks(
            "lab", {{"10." + std::to_string(i) + "." + std::to_string(round) + ".0/24"}});
        if (!changed.has_value()) continue;
        // Whoever loses does nothing.
        auto set = changed->set();
        if (set.has_value() && store.commit(std::move(*set)).has_value()) changed->committed();
      }
    });
  }
  running.clear();
  auto const held = server->clients().find("lab");
  ASSERT_TRUE(held->networks);
  auto const networks = *held->networks;
  auto const revision = held->revision;
  restart_server();
  EXPECT_EQ(server->clients().find("lab")->networks, networks);
  EXPECT_EQ(server->clients().find("lab")->revision, revision);
}

}  // namespace
}  // namespace tacenda::authorization
