#include <gtest/gtest.h>

#include "identity/directory_testing.hpp"
#include "identity/own_account.hpp"

namespace tacenda::identity {
namespace {

using namespace std::chrono_literals;

class Applications : public testing::DirectoryTest {
 protected:
  static std::shared_ptr<Application const> granted(std::string const& client,
                                                    std::string const& grant = "g") {
    return std::make_shared<Application const>(
        Application{client, grant, codec::parse_scopes("patient/*.rs").value(), "p1"});
  }
  UserId id_of(std::string const& name) { return UserId::parse(directory->find_user(name)->id).value(); }
  std::string issue(std::string const& name, std::shared_ptr<Application const> application,
                    std::optional<std::uint32_t> epoch = std::nullopt) {
    auto issued = directory->issue_application_token({id_of(name), epoch, Method::kPasskey},
                                                     std::move(application), 5min, testing::kHome);
    if (!issued.has_value()) return {};
    expect_committed(issued);
    return issued->access_token;
  }
};

TEST_F(Applications, ATokenSaysForWhomItActsAlsoBehindARestart) {
  person("ada");
  auto const token = issue("ada", granted("app"));
  restart();
  auto const principal = directory->authenticate_token(token).value();
  EXPECT_EQ(principal.name(), "ada");
  ASSERT_TRUE(principal.application());
  EXPECT_EQ(principal.application()->client, "app");
  EXPECT_EQ(principal.application()->grant, "g");
  EXPECT_EQ(codec::write_scopes(principal.application()->scopes), "patient/*.rs");
  EXPECT_EQ(principal.application()->patient, "p1");
  EXPECT_EQ(principal.method(), Method::kPasskey);
  EXPECT_FALSE(is_fresh(principal, store.clock.now()));
}

TEST_F(Applications, F19ATokenKeepsWhatItIsBoundToBehindARestart) {
  person("ada");
  Application bound{"app", "g", codec::parse_scopes("patient/*.rs").value(), "p1"};
  bound.certificate.emplace().fill(std::byte{7});
  auto const token = issue("ada", std::make_shared<Application const>(bound));
  auto const free = issue("ada", granted("app"));
  restart();
  auto const found = directory->authenticate_token(token).value();
  EXPECT_EQ(found.application()->certificate, bound.certificate);
  EXPECT_EQ(found.application()->patient, "p1");
  EXPECT_FALSE(directory->authenticate_token(free).value().application()->certificate);
}

TEST_F(Applications, ATokenEndsAtItsTimeAndWithItsAccount) {
  auto const secret = person("ada");
  auto const token = issue("ada", granted("app"));
  store.clock.advance(5min - 1s);
  EXPECT_TRUE(is_known(token));
  store.clock.advance(1s);
  EXPECT_FALSE(is_known(token));
  auto const second = issue("ada", granted("app"));
  auto disabled = directory->disable_user("ada");
  EXPECT_FALSE(is_known(second));  // before the commit
  expect_committed(disabled);
  EXPECT_TRUE(issue("ada", granted("app")).empty());
}

TEST_F(Applications, S11NoTokenIsMadeForWhatEndedMeanwhile) {
  person("ada");
  auto const before = directory->authenticate_token(issue("ada", granted("app"))).value().account_epoch();
  auto renewed = directory->renew_enrolment("ada");
  expect_committed(renewed);
  enrol(renewed->enrolment_code);  // new factors end what was before
  EXPECT_TRUE(issue("ada", granted("app"), before).empty());
  EXPECT_FALSE(issue("ada", granted("app"), before + 1).empty());
}

TEST_F(Applications, TokensOfOneApplicationEndTogetherAndNoOthers) {
  auto const secret = person("ada");
  auto const own = login("ada", secret);
  auto const ended = issue("ada", granted("app", "g1"));
  auto const stays = issue("ada", granted("app", "g2"));
  auto end = directory->end_application_tokens([](Application const& each) { return each.grant == "g1"; });
  EXPECT_FALSE(is_known(ended));  // before the commit
  ASSERT_TRUE(commit(end).has_value());
  EXPECT_TRUE(is_known(stays));
  EXPECT_TRUE(is_known(own));
  restart();
  EXPECT_FALSE(is_known(ended));
  EXPECT_TRUE(is_known(stays));
}

}  // namespace
}  // namespace tacenda::identity
