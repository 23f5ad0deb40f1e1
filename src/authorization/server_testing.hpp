#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>

#include "authorization/assertion_testing.hpp"
#include "authorization/server.hpp"
#include "identity/directory_testing.hpp"

namespace tacenda::authorization::testing {

inline constexpr char kOrigin[] = "https://records.example.org";
inline constexpr char kTokenEndpoint[] = "https://records.example.org/oauth/token";
inline constexpr char kScope[] = "system/*.cruds";

/// An authorization server on a store in memory, with one backend service, `lab`; for tests only.
class ServerTest : public identity::testing::DirectoryTest {
 protected:
  ServerTest() { open_server(); }

  void open_server() {
    server.reset();
    assignments = std::move(*access::Assignments::open(*store.vault, store.clock));
    auto opened = Server::open({*store.vault, *directory, gate, *assignments, store.clock,
                                [this](std::string const& url) { return fetch(url); }, 8});
    ASSERT_TRUE(opened.has_value()) << opened.error().message();
    server = std::move(*opened);
    server->serve(kOrigin);
  }
  void restart_server() {
    server.reset();
    restart();
    open_server();
  }

  void add_service(std::string const& id, std::string const& jwks, std::string const& scope = kScope) {
    auto added = server->clients().add({id, "", Client::Kind::kService, "loader", scope, {jwks, ""}, {}});
    expect_committed(added);
  }

  std::int64_t seconds(std::chrono::seconds ahead = std::chrono::seconds(0)) const {
    return static_cast<std::int64_t>(to_unix_ms(store.clock.now()) / 1'000) + ahead.count();
  }

  /// Claims that are right in every part, and a jti of its own; `changes` replace members, and an empty text
  /// takes one out. Values are JSON.
  std::string claims(std::map<std::string, std::string> const& changes = {}) {
    std::map<std::string, std::string> members{{"iss", R"("lab")"},
                                               {"sub", R"("lab")"},
                                               {"aud", '"' + std::string(kTokenEndpoint) + '"'},
                                               {"exp", std::to_string(seconds(std::chrono::minutes(4)))},
                                               {"jti", "\"jti-" + std::to_string(++serial_) + "\""}};
    for (auto const& [name, value] : changes) members.insert_or_assign(name, value);
    std::string text = "{";
    for (auto const& [name, value] : members) {
      if (value.empty()) continue;
      if (text.size() > 1) text += ',';
      text.append("\"").append(name).append("\":").append(value);
    }
    return text + "}";
  }

  static Form form_of(std::string const& assertion, std::string const& scope = "system/*.rs") {
    return Form::parse(
               "grant_type=client_credentials&scope=" + codec::percent_encode(scope) +
               "&client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
               "&client_assertion=" +
               assertion)
        .value();
  }

  /// What the pipeline does: asks and commits.
  TokenReply ask(Form const& form) {
    auto reply = server->token(form, {identity::testing::kHome});
    EXPECT_TRUE(commit(reply.pending).has_value());
    return reply;
  }
  /// The access token; empty when refused.
  std::string token(std::string const& assertion, std::string const& scope = "system/*.rs") {
    auto const reply = ask(form_of(assertion, scope));
    return reply.refusal ? std::string() : std::string(reply.body.text_of("access_token"));
  }

  /// What the addresses of keys answer; as if none could be reached.
  std::function<Result<FetchedKeys>(std::string const& url)> fetch = [](std::string const&) {
    return Result<FetchedKeys>(fail(ErrorKind::kUnavailable, "connection refused"));
  };
  static constexpr char kHeader[] = R"({"alg":"RS384","kid":"k1","typ":"JWT"})";
  inline static TestKey const key = TestKey::rsa();
  access::Gate gate{access::Policy::shipped("separated").value()};
  std::unique_ptr<access::Assignments> assignments;
  std::unique_ptr<Server> server;

 private:
  int serial_ = 0;
};

}  // namespace tacenda::authorization::testing
