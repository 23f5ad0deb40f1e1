#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "access/rate_limiter.hpp"
#include "core/error.hpp"
#include "identity/relying_party.hpp"
#include "net/server.hpp"
#include "operations/uploads.hpp"
#include "operations/validation.hpp"

namespace tacenda::start {

/// The configuration file (TOML); docs/operating/configuration.md has every key. There is no key that turns
/// encryption or audit off.
struct Config {
  std::uint8_t approvals = 2;  // persons who agree on what gives rights or a way in
  std::string address = "127.0.0.1";
  std::uint16_t port = 8443;
  std::optional<std::vector<std::string>> allow;  // networks; nullopt: everyone
  bool allow_tls12 = false;
  net::TlsOptions::ClientCertificate client_certificate = net::TlsOptions::ClientCertificate::kNone;
  std::filesystem::path client_ca;
  net::Limits limits;
  std::size_t workers = limits::kWorkers;
  std::size_t cache_mib = 64;
  operations::ValidationRules validation;
  std::size_t session_idle_seconds = std::chrono::seconds(limits::kSessionIdle).count();
  std::size_t session_seconds = std::chrono::seconds(limits::kSessionAbsolute).count();
  access::Rates rates;
  operations::UploadLimits uploads;
  std::vector<std::string> trusted_proxies;  // networks whose word of who asks is believed
  bool proxy_protocol = false;               // they say it by a PROXY header
  identity::RelyingParty relying_party;      // empty: what the listener's address says
  std::vector<std::string> keys_networks;    // where applications may have their keys beside the internet
  std::filesystem::path keys_ca;             // trust anchors of those addresses; empty: the system's
  std::string public_origin;                 // under which applications reach it; empty: as above
  struct OpenId {
    std::string issuer;  // empty: there is none
    std::string client_id;
    std::filesystem::path client_secret_file;
    std::filesystem::path ca_file;  // empty: the system's authorities
    std::vector<std::string> hosts;
    std::string account_claim = "sub";
    std::vector<std::string> factor_acr;
    std::vector<std::string> factor_amr;
  };
  OpenId openid;  // where people sign in, beside here
  struct Alerts {
    std::vector<std::string> mail_to;  // empty: no mail is sent
    std::string mail_from;
    std::string smtp;                        // "smtps://host:465", or "smtp://host:587" with STARTTLS
    std::filesystem::path ca_file;           // empty: the system's authorities
    std::filesystem::path credentials_file;  // a line each: user, password; empty: none
  };
  Alerts alerts;  // who is told of alerts by mail
  std::size_t export_seconds = std::chrono::seconds(limits::kExportTime).count();
};

/// A refused configuration: an error the operator can act on, with his own words in it (they are not patient
/// data).
struct ConfigProblem {
  std::string text;  // "unknown key listener.prot: did you mean listener.port?"
};

/// Reads TOML text.
std::expected<Config, ConfigProblem> parse_config(std::string_view toml);
/// "127.0.0.1:8443", "[::1]:0", ":8443". Errors: kInvalid.
Result<std::pair<std::string, std::uint16_t>> parse_listen(std::string_view text);

}  // namespace tacenda::start
