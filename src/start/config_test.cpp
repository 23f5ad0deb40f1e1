#include "start/config.hpp"

#include <gtest/gtest.h>

namespace tacenda::start {
namespace {

TEST(ParseConfig, ReadsEveryKeyThatIsDocumented) {
  auto const config = parse_config(R"(
[listener]
address = "0.0.0.0"
port = 9443
allow = ["10.0.0.0/8"]
tls12 = true
client-certificate = "optional"
client-ca = "/etc/ca.pem"
[limits]
connections = 100
connections-per-address = 10
header-seconds = 5
body-seconds = 6
idle-seconds = 7
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
  EXPECT_EQ(config->cache_mib, 32U);
  EXPECT_EQ(config->export_seconds, 60U);
  EXPECT_EQ(config->validation.of("Patient"), operations::ValidationMode::kEnforce);
  EXPECT_EQ(config->validation.of("AuditEvent"), operations::ValidationMode::kOff);
  EXPECT_EQ(config->validation.of("Observation"), operations::ValidationMode::kWarn);
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
                           "[listener]\ntls12 = 1", "[listener]\nallow = \"10.0.0.0/8\"",
                           "[listener]\nclient-certificate = \"maybe\"",
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
