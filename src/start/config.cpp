#include "start/config.hpp"

#include <algorithm>
#include <charconv>
#include <functional>
#include <limits>
#include <map>
#include <numeric>

#include "codec/toml.hpp"
#include "core/limits.hpp"
#include "fhir/types.hpp"

namespace tacenda::start {
namespace {

using Problem = std::optional<std::string>;
using Setter = std::function<Problem(Config&, toml::node const&)>;

std::size_t edit_distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> row(b.size() + 1);
  std::iota(row.begin(), row.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    std::size_t diagonal = std::exchange(row[0], i);
    for (std::size_t j = 1; j <= b.size(); ++j) {
      std::size_t const replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, replaced});
    }
  }
  return row.back();
}

template <typename T>
Setter number(T Config::* member, std::int64_t least, std::int64_t most) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    }
    config.*member = static_cast<T>(*value);
    return std::nullopt;
  };
}

Setter limit(std::size_t net::Limits::* member, std::int64_t least, std::int64_t most) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < least || *value > most) {
      return "must be a whole number from " + std::to_string(least) + " to " + std::to_string(most);
    }
    config.limits.*member = static_cast<std::size_t>(*value);
    return std::nullopt;
  };
}

/// A size in MiB.
std::optional<std::string> set_upload_size(Config& config, toml::node const& node) {
  constexpr std::int64_t kMost = 1'048'576;
  auto const value = node.value_exact<std::int64_t>();
  if (!value || *value < 1 || *value > kMost)
    return "must be a whole number from 1 to " + std::to_string(kMost);
  config.uploads.bytes_max = static_cast<std::uint64_t>(*value) << 20U;
  return std::nullopt;
}

Setter uploads(std::size_t operations::UploadLimits::* member) {
  constexpr std::int64_t kMost = 1'000;
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || *value > kMost)
      return "must be a whole number from 0 to " + std::to_string(kMost);
    config.uploads.*member = static_cast<std::size_t>(*value);
    return std::nullopt;
  };
}

Setter seconds(std::chrono::milliseconds net::Limits::* member) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < 1 || *value > 3600) return "must be a whole number of seconds from 1 to 3600";
    config.limits.*member = std::chrono::seconds(*value);
    return std::nullopt;
  };
}

Setter rate(std::size_t access::Rates::* member) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const value = node.value_exact<std::int64_t>();
    if (!value || *value < 0 || static_cast<std::size_t>(*value) > limits::kRateMax)
      return "must be a whole number of requests a second from 0 (no limit) to " +
             std::to_string(limits::kRateMax);
    config.rates.*member = static_cast<std::size_t>(*value);
    return std::nullopt;
  };
}

/// The texts of a list. Problem: `what` it must be.
Problem set_texts(std::vector<std::string>& texts, toml::node const& node, std::string const& what) {
  auto const* list = node.as_array();
  if (list == nullptr) return what;
  texts.clear();
  for (auto const& item : *list) {
    auto const text = item.value<std::string>();
    if (!text) return what;
    texts.push_back(*text);
  }
  return std::nullopt;
}

Problem set_allow(Config& config, toml::node const& node) {
  return set_texts(config.allow.emplace(), node, "must be a list of networks");
}

Problem set_trusted_proxies(Config& config, toml::node const& node) {
  if (auto problem = set_texts(config.trusted_proxies, node, "must be a list of networks")) return problem;
  if (!access::AddressList::parse(config.trusted_proxies).has_value()) return "must be a list of networks";
  return std::nullopt;
}

Problem set_keys_networks(Config& config, toml::node const& node) {
  if (auto problem = set_texts(config.keys_networks, node, "must be a list of networks")) return problem;
  if (!access::AddressList::parse(config.keys_networks).has_value()) return "must be a list of networks";
  return std::nullopt;
}

template <typename Value>
Setter alerts_text(Value Config::Alerts::* member) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const text = node.value<std::string>();
    if (!node.is_string() || text->empty()) return "must be a text in quotes";
    config.alerts.*member = *text;
    return std::nullopt;
  };
}

/// An address alone, as it stands in the head of a mail and in SMTP.
bool is_mail_address(std::string_view text) {
  auto const at = text.find('@');
  if (at == std::string_view::npos) return false;
  return at != 0 && at + 1 < text.size() && text.find('@', at + 1) == std::string_view::npos &&
         text.size() <= 254 && std::ranges::all_of(text, [](char c) {
           return c > ' ' && c < '\x7f' && !std::string_view("<>()[],;:\\\"").contains(c);
         });
}

/// "smtps://" or "smtp://", a host, and a port or none.
bool is_mail_server(std::string_view text) {
  for (auto const* scheme : {"smtps://", "smtp://"}) {
    if (!text.starts_with(scheme)) continue;
    auto const host = text.substr(std::string_view(scheme).size());
    return !host.empty() && std::ranges::all_of(host, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-.:[]").contains(c);
    });
  }
  return false;
}

Setter openid_text(std::string Config::OpenId::* member) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const text = node.value<std::string>();
    if (!node.is_string() || text->empty()) return "must be a text in quotes";
    config.openid.*member = *text;
    return std::nullopt;
  };
}

Setter openid_path(std::filesystem::path Config::OpenId::* member) {
  return [=](Config& config, toml::node const& node) -> Problem {
    auto const text = node.value<std::string>();
    if (!node.is_string() || text->empty()) return "must be a path in quotes";
    config.openid.*member = *text;
    return std::nullopt;
  };
}

Setter openid_texts(std::vector<std::string> Config::OpenId::* member) {
  return [=](Config& config, toml::node const& node) {
    return set_texts(config.openid.*member, node, "must be a list of texts");
  };
}

/// A passkey is for a domain (WebAuthn section 5.1.2): browsers take no address.
bool is_domain(std::string_view text) {
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  bool const has_letter = std::ranges::any_of(text, [](char c) { return c >= 'a' && c <= 'z'; });
  return !text.empty() && text.size() <= 253 && has_letter && std::ranges::all_of(text, is_allowed) &&
         text.front() != '.' && text.back() != '.';
}

/// "https://" and a host that is the domain or inside it, with a port or without, and nothing more.
bool is_origin_of(std::string_view origin, std::string_view domain) {
  constexpr std::string_view kScheme = "https://";
  if (!origin.starts_with(kScheme)) return false;
  auto host = origin.substr(kScheme.size());
  if (auto const colon = host.find(':'); colon != std::string_view::npos) {
    auto const port = host.substr(colon + 1);
    if (port.empty() || port.size() > 5 ||
        !std::ranges::all_of(port, [](char c) { return c >= '0' && c <= '9'; }))
      return false;
    host = host.substr(0, colon);
  }
  if (!is_domain(host)) return false;
  return host == domain || host.ends_with("." + std::string(domain));
}

/// "https://", a host that is a domain or an address, with a port or without, and nothing more.
bool is_origin(std::string_view text) {
  constexpr std::string_view kScheme = "https://";
  constexpr auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || std::string_view("-.:[]").contains(c);
  };
  if (!text.starts_with(kScheme) || text.size() > 300) return false;
  auto const host = text.substr(kScheme.size());
  return !host.empty() && host.front() != ':' && host.back() != ':' && std::ranges::all_of(host, is_allowed);
}

/// What only several keys together say. nullopt: all is well.
Problem problem_between_keys(Config const& config) {
  if (config.client_certificate != net::TlsOptions::ClientCertificate::kNone && config.client_ca.empty())
    return "listener.client-certificate needs listener.client-ca";
  if (config.proxy_protocol && config.trusted_proxies.empty())
    return "listener.proxy-protocol needs listener.trusted-proxies";
  if (config.session_idle_seconds > config.session_seconds)
    return "sessions.idle-seconds must not be more than sessions.absolute-seconds";
  auto const& openid = config.openid;
  bool const has_openid = !openid.issuer.empty();
  if (has_openid != !openid.client_id.empty() || has_openid != !openid.client_secret_file.empty())
    return "openid.issuer, openid.client-id and openid.client-secret-file need each other";
  if (has_openid && !openid.issuer.starts_with("https://")) return "openid.issuer must begin with https://";
  // Nobody comes in with one factor alone, wherever he shows it.
  if (has_openid && openid.factor_acr.empty() && openid.factor_amr.empty())
    return "openid.second-factor-acr or openid.second-factor-amr must name what counts as a second factor";
  auto const& alerts = config.alerts;
  bool const sends_mail = !alerts.mail_to.empty();
  if (sends_mail != !alerts.mail_from.empty() || sends_mail != !alerts.smtp.empty())
    return "alerts.mail-to, alerts.mail-from and alerts.smtp need each other";
  if (sends_mail && !is_mail_address(alerts.mail_from)) return "alerts.mail-from must be a mail address";
  if (sends_mail && !is_mail_server(alerts.smtp))
    return "alerts.smtp must be smtps://host:port, or smtp://host:port, where STARTTLS is demanded";
  auto const& party = config.relying_party;
  if (party.id.empty() != party.origins.empty()) return "passkeys.rp-id and passkeys.origins need each other";
  for (auto const& origin : party.origins) {
    if (!is_origin_of(origin, party.id)) return "passkeys.origins must be https:// origins in passkeys.rp-id";
  }
  return std::nullopt;
}

Problem set_client_certificate(Config& config, toml::node const& node) {
  using Choice = net::TlsOptions::ClientCertificate;
  auto const word = node.value<std::string>();
  if (word == "none")
    config.client_certificate = Choice::kNone;
  else if (word == "optional")
    config.client_certificate = Choice::kOptional;
  else if (word == "required")
    config.client_certificate = Choice::kRequired;
  else
    return "must be \"none\", \"optional\" or \"required\"";
  return std::nullopt;
}

Problem set_mode(operations::ValidationMode& mode, toml::node const& node) {
  using operations::ValidationMode;
  auto const word = node.value<std::string>();
  if (word == "off")
    mode = ValidationMode::kOff;
  else if (word == "warn")
    mode = ValidationMode::kWarn;
  else if (word == "enforce")
    mode = ValidationMode::kEnforce;
  else
    return "must be \"off\", \"warn\" or \"enforce\"";
  return std::nullopt;
}

std::map<std::string, Setter, std::less<>> const& setters() {
  static std::map<std::string, Setter, std::less<>> const all{
      {"listener.address",
       [](Config& config, toml::node const& node) -> Problem {
         if (!node.is_string()) return "must be an address in quotes";
         config.address = *node.value<std::string>();
         return std::nullopt;
       }},
      {"approvals", number(&Config::approvals, 1, 2)},
      {"listener.port", number(&Config::port, 0, 65'535)},
      {"listener.allow", set_allow},
      {"listener.tls12",
       [](Config& config, toml::node const& node) -> Problem {
         if (!node.is_boolean()) return "must be true or false";
         config.allow_tls12 = *node.value<bool>();
         return std::nullopt;
       }},
      {"listener.client-certificate", set_client_certificate},
      {"listener.client-ca",
       [](Config& config, toml::node const& node) -> Problem {
         if (!node.is_string()) return "must be a path in quotes";
         config.client_ca = *node.value<std::string>();
         return std::nullopt;
       }},
      {"listener.trusted-proxies", set_trusted_proxies},
      {"listener.proxy-protocol",
       [](Config& config, toml::node const& node) -> Problem {
         if (!node.is_boolean()) return "must be true or false";
         config.proxy_protocol = *node.value<bool>();
         return std::nullopt;
       }},
      {"sessions.idle-seconds",
       number(&Config::session_idle_seconds, 1, std::chrono::seconds(limits::kSessionIdleMax).count())},
      {"sessions.absolute-seconds",
       number(&Config::session_seconds, 1, std::chrono::seconds(limits::kSessionAbsoluteMax).count())},
      {"rates.person", rate(&access::Rates::person)},
      {"rates.service", rate(&access::Rates::service)},
      {"rates.address", rate(&access::Rates::address)},
      {"rates.application", rate(&access::Rates::application)},
      {"passkeys.rp-id",
       [](Config& config, toml::node const& node) -> Problem {
         auto const id = node.value<std::string>();
         if (!node.is_string() || !is_domain(*id)) return "must be a domain in lower case, not an address";
         config.relying_party.id = *id;
         return std::nullopt;
       }},
      {"passkeys.origins",
       [](Config& config, toml::node const& node) {
         return set_texts(config.relying_party.origins, node, "must be a list of origins");
       }},
      {"oauth.origin",
       [](Config& config, toml::node const& node) -> Problem {
         auto const origin = node.value<std::string>();
         if (!node.is_string() || !is_origin(*origin))
           return "must be https:// and a host in lower case, with a port or without, and no path";
         config.public_origin = *origin;
         return std::nullopt;
       }},
      {"oauth.keys-networks", set_keys_networks},
      {"oauth.keys-ca",
       [](Config& config, toml::node const& node) -> Problem {
         if (!node.is_string()) return "must be a path in quotes";
         config.keys_ca = *node.value<std::string>();
         return std::nullopt;
       }},
      {"openid.issuer", openid_text(&Config::OpenId::issuer)},
      {"openid.client-id", openid_text(&Config::OpenId::client_id)},
      {"openid.client-secret-file", openid_path(&Config::OpenId::client_secret_file)},
      {"openid.ca-file", openid_path(&Config::OpenId::ca_file)},
      {"openid.hosts", openid_texts(&Config::OpenId::hosts)},
      {"openid.account-claim", openid_text(&Config::OpenId::account_claim)},
      {"openid.second-factor-acr", openid_texts(&Config::OpenId::factor_acr)},
      {"openid.second-factor-amr", openid_texts(&Config::OpenId::factor_amr)},
      {"alerts.mail-to",
       [](Config& config, toml::node const& node) -> Problem {
         auto problem = set_texts(config.alerts.mail_to, node, "must be a list of mail addresses");
         if (!problem && !std::ranges::all_of(config.alerts.mail_to, is_mail_address))
           problem = "must be a list of mail addresses";
         return problem;
       }},
      {"alerts.mail-from", alerts_text(&Config::Alerts::mail_from)},
      {"alerts.smtp", alerts_text(&Config::Alerts::smtp)},
      {"alerts.ca-file", alerts_text(&Config::Alerts::ca_file)},
      {"alerts.credentials-file", alerts_text(&Config::Alerts::credentials_file)},
      {"limits.connections", limit(&net::Limits::connections, 1, 100'000)},
      {"limits.connections-per-address", limit(&net::Limits::connections_per_address, 1, 100'000)},
      {"limits.header-seconds", seconds(&net::Limits::header_time)},
      {"limits.body-seconds", seconds(&net::Limits::body_time)},
      {"limits.idle-seconds", seconds(&net::Limits::idle_time)},
      {"limits.upload-mib", set_upload_size},
      {"limits.uploads", uploads(&operations::UploadLimits::in_all)},
      {"limits.uploads-per-user", uploads(&operations::UploadLimits::per_user)},
      {"limits.workers", number(&Config::workers, 2, 1024)},
      {"storage.cache-mib", number(&Config::cache_mib, 8, 1'048'576)},
      {"export.keep-seconds",
       number(&Config::export_seconds, 1, std::chrono::seconds(limits::kExportTimeMax).count())},
      {"validation.default",
       [](Config& config, toml::node const& node) { return set_mode(config.validation.usual, node); }},
  };
  return all;
}

constexpr std::string_view kTypeKeys = "validation.types.";  // behind it: a resource type

std::string nearest_key(std::string_view key) {
  std::string best;
  std::size_t distance = std::numeric_limits<std::size_t>::max();
  for (auto const& [name, setter] : setters()) {
    // A name without its table is near to one in a table.
    std::string_view const last = std::string_view(name).substr(name.rfind('.') + 1);
    if (auto const d = std::min(edit_distance(key, name), edit_distance(key, last) + 1); d < distance) {
      distance = d;
      best = name;
    }
  }
  if (!key.starts_with(kTypeKeys)) return best;
  distance = std::numeric_limits<std::size_t>::max();
  for (auto const type : fhir::resource_types()) {
    if (auto const d = edit_distance(key.substr(kTypeKeys.size()), type); d < distance) {
      distance = d;
      best = std::string(kTypeKeys) + std::string(type);
    }
  }
  return best;
}

Problem apply(Config& config, toml::table const& table, std::string const& prefix) {
  for (auto const& [key, node] : table) {
    std::string const name = prefix + std::string(key.str());
    if (node.is_table()) {
      if (auto problem = apply(config, *node.as_table(), name + ".")) return problem;
      continue;
    }
    if (prefix == kTypeKeys && fhir::is_resource_type(key.str())) {
      if (auto const problem = set_mode(config.validation.types[std::string(key.str())], node))
        return name + " " + *problem;
      continue;
    }
    auto const found = setters().find(name);
    if (found == setters().end()) return "unknown key " + name + ": did you mean " + nearest_key(name) + "?";
    if (auto const problem = found->second(config, node)) return name + " " + *problem;
  }
  return std::nullopt;
}

}  // namespace

std::expected<Config, ConfigProblem> parse_config(std::string_view text) {
  auto const parsed = codec::parse_toml(text);
  if (!parsed) {
    return std::unexpected(
        ConfigProblem{"not TOML, line " + std::to_string(parsed.error().line) + ": " + parsed.error().text});
  }
  Config config;
  if (auto problem = apply(config, *parsed, "")) return std::unexpected(ConfigProblem{std::move(*problem)});
  if (auto problem = problem_between_keys(config)) return std::unexpected(ConfigProblem{std::move(*problem)});
  return config;
}

Result<std::pair<std::string, std::uint16_t>> parse_listen(std::string_view text) {
  auto const colon = text.rfind(':');
  if (colon == std::string_view::npos) return fail(ErrorKind::kInvalid, "a listener is ADDRESS:PORT");
  std::string_view address = text.substr(0, colon);
  if (address.size() >= 2 && address.front() == '[' && address.back() == ']')
    address = address.substr(1, address.size() - 2);
  std::uint16_t port = 0;
  auto const digits = text.substr(colon + 1);
  auto const [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.empty()) {
    return fail(ErrorKind::kInvalid, "the port of a listener is a number from 0 to 65535");
  }
  return std::pair(std::string(address.empty() ? "::" : address), port);
}

}  // namespace tacenda::start
