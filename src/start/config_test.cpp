#include "start/config.hpp"

#include <gtest/gtest.h>

namespace tacenda::start {
namespace {

TEST(ParseConfig, ReadsEveryKeyThatIsDocumented) {
  auto const config = parse_config(R"(
approvals = 1
[listener]
address = "0.0.0.0"
port = 9443
allow = ["10.0.0.0/8"]
tls12 = true
client-certificate = "optional"
client-ca = "/etc/ca.pem"
trusted-proxies = ["10.0.0.1"]
proxy-protocol = true
[sessions]
idle-seconds = 300
absolute-seconds = 3600
[rates]
person = 10
service = 20
address = 30
application = 40
[passkeys]
rp-id = "records.example.org"
origins = ["https://records.example.org", "https://ward.records.example.org:8443"]
[oauth]
origin = "https://records.example.org"
keys-networks = ["10.1.0.0/16"]
keys-ca = "/etc/keys.pem"
[limits]
connections = 100
connections-per-address = 10
header-seconds = 5
body-seconds = 6
idle-seconds = 7
upload-mib = 2
uploads = 0
uploads-per-user = 3
workers = 8
[storage]
cache-mib = 32
[export]
keep-seconds = 60
[validation]
default = "warn"
[validation.types]
Patient = "enforce"
AuditEvent = "off"
)");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->address, "0.0.0.0");
  EXPECT_EQ(config->port, 9443);
  EXPECT_EQ(config->allow->front(), "10.0.0.0/8");
  EXPECT_TRUE(config->allow_tls12);
  EXPECT_EQ(config->limits.idle_time, std::chrono::seconds(7));
  EXPECT_EQ(config->workers, 8U);
  EXPECT_EQ(config->uploads.bytes_max, 2U << 20U);
  EXPECT_EQ(config->uploads.in_all, 0U);
  EXPECT_EQ(config->uploads.per_user, 3U);
  EXPECT_EQ(config->session_idle_seconds, 300U);
  EXPECT_EQ(config->session_seconds, 3600U);
  EXPECT_EQ(config->rates.person, 10U);
  EXPECT_EQ(config->rates.service, 20U);
  EXPECT_EQ(config->rates.address, 30U);
  EXPECT_EQ(config->rates.application, 40U);
  EXPECT_EQ(config->trusted_proxies.front(), "10.0.0.1");
  EXPECT_TRUE(config->proxy_protocol);
  EXPECT_EQ(config->keys_networks.front(), "10.1.0.0/16");
  EXPECT_EQ(config->keys_ca, "/etc/keys.pem");
  EXPECT_EQ(config->relying_party.id, "records.example.org");
  EXPECT_EQ(config->relying_party.origins.size(), 2U);
  EXPECT_EQ(config->cache_mib, 32U);
  EXPECT_EQ(config->export_seconds, 60U);
  EXPECT_EQ(config->validation.of("Patient"), operations::ValidationMode::kEnforce);
  EXPECT_EQ(config->validation.of("AuditEvent"), operations::ValidationMode::kOff);
  EXPECT_EQ(config->validation.of("Observation"), operations::ValidationMode::kWarn);
}

TEST(ParseConfig, S12TwoPersonsAgreeUnlessOneIsSaidToBeEnough) {
  EXPECT_EQ(parse_config("")->approvals, 2);
  EXPECT_EQ(parse_config("approvals = 2")->approvals, 2);
  EXPECT_EQ(parse_config("approvals = 1")->approvals, 1);
  for (auto const* wrong :
       {"approvals = 0", "approvals = 3", "approvals = \"1\"", "approvals = 1.0", "approvals = true"})
    EXPECT_FALSE(parse_config(wrong).has_value()) << wrong;
  EXPECT_FALSE(parse_config("[listener]\napprovals = 1").has_value()) << "said where it does not count";
}

TEST(ParseConfig, KeepsSessionsWithinSafeBounds) {
  EXPECT_EQ(parse_config("").value().session_idle_seconds, 900U);
  EXPECT_EQ(parse_config("").value().session_seconds, 43'200U);
  for (auto const* text : {"[sessions]\nidle-seconds = 0", "[sessions]\nidle-seconds = 3601",
                           "[sessions]\nabsolute-seconds = 86401", "[sessions]\nabsolute-seconds = 0",
                           "[sessions]\nidle-seconds = 900\nabsolute-seconds = 60"})
    EXPECT_FALSE(parse_config(text).has_value()) << text;
}

TEST(ParseConfig, RefusesPasskeysThatNoBrowserWouldMake) {
  auto const taken = [](std::string const& id, std::string const& origin) {
    return parse_config("[passkeys]\nrp-id = \"" + id + "\"\norigins = [\"" + origin + "\"]").has_value();
  };
  EXPECT_TRUE(taken("example.org", "https://a.example.org:8443"));
  EXPECT_FALSE(taken("192.0.2.1", "https://192.0.2.1"));
  EXPECT_FALSE(taken("Example.org", "https://Example.org"));
  EXPECT_FALSE(taken("example.org", "http://example.org"));
  EXPECT_FALSE(taken("example.org", "https://evilexample.org"));
  EXPECT_FALSE(taken("example.org", "https://example.org/"));
  EXPECT_FALSE(taken("example.org", "https://example.org:"));
  EXPECT_FALSE(parse_config("[passkeys]\nrp-id = \"example.org\"").has_value());
}

TEST(ParseConfig, ReadsWhoIsToldOfAlertsByMail) {
  auto const problem = [](std::string const& text) {
    auto const config = parse_config("[alerts]\n" + text);
    return config.has_value() ? std::string() : config.error().text;
  };
  std::string const to = "mail-to = [\"a@b.example\", \"c@d.example\"]\n";
  std::string const from = "mail-from = \"t@b.example\"\n";
  std::string const smtp = "smtp = \"smtps://mail.b.example:465\"\n";
  auto const config =
      parse_config("[alerts]\n" + to + from + smtp + "credentials-file = \"/c\"\nca-file = \"/a\"");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->alerts.mail_to, (std::vector<std::string>{"a@b.example", "c@d.example"}));
  EXPECT_EQ(config->alerts.mail_from, "t@b.example");
  EXPECT_EQ(config->alerts.smtp, "smtps://mail.b.example:465");
  EXPECT_EQ(config->alerts.credentials_file, "/c");
  EXPECT_EQ(config->alerts.ca_file, "/a");
  EXPECT_EQ(problem(to + from + "smtp = \"smtp://mail.b.example:587\""), "");
  for (auto const& part : {to, from, smtp, to + from, to + smtp, from + smtp})
    EXPECT_NE(problem(part), "") << part;
  for (auto const* url :
       {"mail.b.example", "http://mail.b.example", "smtps://", "smtps://a/b", "smtps://u:p@a"})
    EXPECT_NE(problem(to + from + "smtp = \"" + url + "\""), "") << url;
  for (auto const* address : {"", "a", "@b", "a@", "a@b@c", "a b@c", "<a@b>", "a@b\\r\\nBcc: x@y"})
    EXPECT_NE(problem("mail-to = [\"" + std::string(address) + "\"]\n" + from + smtp), "") << address;
}

TEST(ParseConfig, ReadsTheOpenIdProvider) {
  auto const config = parse_config(R"([openid]
issuer = "https://login.example.org"
client-id = "tacenda"
client-secret-file = "/etc/tacenda/secret"
ca-file = "/etc/tacenda/ca.pem"
hosts = ["keys.example.org"]
account-claim = "oid"
second-factor-acr = ["urn:mfa"]
second-factor-amr = ["mfa", "hwk"])");
  ASSERT_TRUE(config.has_value()) << config.error().text;
  EXPECT_EQ(config->openid.issuer, "https://login.example.org");
  EXPECT_EQ(config->openid.client_id, "tacenda");
  EXPECT_EQ(config->openid.client_secret_file, "/etc/tacenda/secret");
  EXPECT_EQ(config->openid.ca_file, "/etc/tacenda/ca.pem");
  EXPECT_EQ(config->openid.hosts, std::vector<std::string>{"keys.example.org"});
  EXPECT_EQ(config->openid.account_claim, "oid");
  EXPECT_EQ(config->openid.factor_acr, std::vector<std::string>{"urn:mfa"});
  EXPECT_EQ(config->openid.factor_amr.size(), 2U);
  EXPECT_TRUE(parse_config("").value().openid.issuer.empty());
}

TEST(ParseConfig, RefusesAnOpenIdProviderThatLetsOneFactorInOrIsHalf) {
  auto const problem = [](std::string const& text) {
    auto const config = parse_config("[openid]\n" + text);
    return config.has_value() ? std::string() : config.error().text;
  };
  std::string const whole =
      "issuer = \"https://a.example\"\nclient-id = \"t\"\nclient-secret-file = \"/s\"\n";
  EXPECT_EQ(problem(whole + "second-factor-acr = [\"m\"]"), "");
  EXPECT_EQ(problem(whole + "second-factor-amr = [\"m\"]"), "");
  EXPECT_NE(problem(whole).find("second factor"), std::string::npos);
  EXPECT_NE(problem(whole + "second-factor-acr = []").find("second factor"), std::string::npos);
  EXPECT_NE(problem("issuer = \"https://a.example\""), "");
  EXPECT_NE(problem("client-id = \"t\""), "");
  EXPECT_NE(problem("issuer = \"http://a.example\"\nclient-id = \"t\"\nclient-secret-file = \"/s\"\n"
                    "second-factor-acr = [\"m\"]"),
            "");
  EXPECT_NE(problem("issuer = 7"), "");
  EXPECT_NE(problem("hosts = \"a\""), "");
}

TEST(ParseConfig, BelievesAProxyOnlyWhenItIsNamed) {
  EXPECT_FALSE(parse_config("[listener]\nproxy-protocol = true").has_value());
  EXPECT_FALSE(parse_config("[listener]\ntrusted-proxies = [\"proxy.example\"]").has_value());
  EXPECT_TRUE(parse_config("").value().trusted_proxies.empty());
}

TEST(ParseConfig, NamesTheTypeThatAValidationRuleMayMean) {
  EXPECT_EQ(parse_config("").value().validation.of("Patient"), operations::ValidationMode::kOff);
  EXPECT_EQ(parse_config("[validation.types]\nPatiant = \"warn\"").error().text,
            "unknown key validation.types.Patiant: did you mean validation.types.Patient?");
  EXPECT_FALSE(parse_config("[validation.types.Patient]\nmode = \"warn\"").has_value());
  EXPECT_FALSE(parse_config("[validation]\ndefault = true").has_value());
}

// N-01: nothing turns encryption or audit off, and a key that would is refused by name.
TEST(ParseConfig, RefusesWhatItDoesNotKnowAndNamesTheNearest) {
  EXPECT_EQ(parse_config("[listener]\nprot = 1").error().text,
            "unknown key listener.prot: did you mean listener.port?");
  for (auto const* text : {"[listener]\ntls = \"off\"", "[listener]\nplaintext = true",
                           "[audit]\nenabled = false", "[storage]\nencryption = \"none\"", "debug = true"}) {
    auto const refused = parse_config(text);
    ASSERT_FALSE(refused.has_value()) << text;
    EXPECT_TRUE(refused.error().text.starts_with("unknown key ")) << refused.error().text;
  }
}

TEST(ParseConfig, RefusesValuesOutOfRangeAndOfAnotherKind) {
  for (auto const* text : {"[listener]\nport = 65536", "[listener]\nport = \"8443\"", "[limits]\nworkers = 1",
                           "[limits]\nupload-mib = 0", "[listener]\ntls12 = 1",
                           "[listener]\nallow = \"10.0.0.0/8\"", "[listener]\nclient-certificate = \"maybe\"",
                           "[listener]\nclient-certificate = \"required\"", "not toml at all ["}) {
    EXPECT_FALSE(parse_config(text).has_value()) << text;
  }
}

TEST(ParseListen, TakesAddressAndPort) {
  using Pair = std::pair<std::string, std::uint16_t>;
  EXPECT_EQ(parse_listen("127.0.0.1:0").value(), (Pair{"127.0.0.1", 0}));
  EXPECT_EQ(parse_listen("[::1]:8443").value(), (Pair{"::1", 8443}));
  for (auto const* text : {"", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "127.0.0.1:x", "127.0.0.1:-1"}) {
    EXPECT_FALSE(parse_listen(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace tacenda::start
