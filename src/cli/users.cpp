// `tacenda user` and `tacenda token`.
#include <charconv>
#include <functional>
#include <iomanip>
#include <iostream>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

/// Posts `body` and hands the answer of a success to `show`.
int post(std::string_view command, UserOptions const& options, std::string const& path, Json const& body,
         Show const& show) {
  return ask(command, Asked{options.data, path, &body, false}, show);
}
/// The same of a command whose answer programs read.
int post_told(std::string_view command, UserOptions const& options, std::string const& path, Json const& body,
              Show const& show) {
  return ask(command, Asked{options.data, path, &body, options.json}, show);
}

Json named(std::string const& name) {
  Json body = Json::object();
  body.set("name", Json::string(name));
  return body;
}

/// "90s", "15m", "1h", "180d". 0 when it is none of these.
std::int64_t seconds_of(std::string_view text) {
  if (text.size() < 2) return 0;
  std::int64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size() - 1, number);
  if (error != std::errc() || end != text.data() + text.size() - 1 || number <= 0 || number > 1'000'000)
    return 0;
  switch (text.back()) {
    case 's':
      return number;
    case 'm':
      return number * 60;
    case 'h':
      return number * 3600;
    case 'd':
      return number * 86'400;
    default:
      return 0;
  }
}

}  // namespace

void show_enrolment(Json const& answer) {
  std::cout << "user       " << answer.text_of("user") << "  " << answer.text_of("id") << "\n";
  if (answer.find("enrolment_code") == nullptr) return;
  std::cout << "enrolment  " << answer.text_of("enrolment_link") << "\n"
            << "           good once until " << answer.text_of("expires")
            << "; hand it over by a way that only its owner reads\n";
}

void show_credential(Json const& answer) {
  auto const user = answer.text_of("user");
  std::cout
      << "Shown once. Print the two parts on two sheets, seal them in two envelopes, keep them apart.\n\n"
      << "--- first sheet ---\n"
      << "emergency account  " << user << "\n"
      << "passphrase         " << answer.text_of("passphrase") << "\n\n"
      << "--- second sheet ---\n"
      << "emergency account  " << user << "\n"
      << "codes, each good for one sign-in\n";
  if (auto const* codes = answer.find("codes"); codes != nullptr && codes->is_array()) {
    for (auto const& code : codes->items()) std::cout << "  " << code.as_string() << "\n";
  }
}

void show_token(Json const& answer) {
  std::cout << answer.text_of("access_token") << "\n";
  std::cerr << "good until " << answer.text_of("expires_at") << "\n";
}

int user_add(UserOptions const& options) {
  Json body = named(options.name);
  body.set("role", Json::string(options.role));
  body.set("service", Json::boolean(options.service));
  if (!options.patient.empty()) body.set("patient", Json::string(options.patient));
  if (!options.until.empty()) body.set("until", Json::string(options.until));
  if (options.emergency) body.set("emergency", Json::boolean(true));
  return post_told("user add", options, "/admin/users", body,
                   options.emergency ? show_credential : show_enrolment);
}

int user_reseal(UserOptions const& options) {
  return post_told("user reseal", options, "/admin/users/reseal", named(options.name), show_credential);
}

int user_renew(UserOptions const& options) {
  return post_told("user renew", options, "/admin/users/renew", named(options.name), show_enrolment);
}

int user_disable(UserOptions const& options) {
  return post("user disable", options, "/admin/users/disable", named(options.name), [&](Json const&) {
    std::cout << options.name << " is disabled; all sessions and tokens ended\n";
  });
}

int user_role(UserOptions const& options) {
  Json body = named(options.name);
  body.set("role", Json::string(options.role));
  return post("user role", options, "/admin/users/role", body,
              [&](Json const&) { std::cout << options.name << " has the role " << options.role << "\n"; });
}

int user_unlock(UserOptions const& options) {
  return post("user unlock", options, "/admin/users/unlock", named(options.name),
              [&](Json const&) { std::cout << options.name << " may try again\n"; });
}

int user_certificate(UserOptions const& options) {
  Json body = named(options.name);
  body.set("sha256", Json::string(options.certificate));
  return post("user certificate", options, "/admin/users/certificate", body,
              [&](Json const&) { std::cout << "bound to " << options.name << "\n"; });
}

int user_networks(UserOptions const& options) {
  if (options.any_network == !options.networks.empty()) {
    std::cerr << "tacenda: user networks: name networks with --allow, or say --any\n";
    return kUsage;
  }
  Json body = named(options.name);
  if (!options.any_network) {
    Json list = Json::array();
    for (auto const& network : options.networks) list.push(Json::string(network));
    body.set("networks", std::move(list));
  }
  return post("user networks", options, "/admin/users/networks", body, [&](Json const&) {
    std::cout << options.name
              << (options.any_network ? " may be used from anywhere that its role may\n"
                                      : " may be used from these networks alone\n");
  });
}

int user_until(UserOptions const& options) {
  if (options.never == !options.until.empty()) {
    std::cerr << "tacenda: user until: name the end with --date, or say --never\n";
    return kUsage;
  }
  Json body = named(options.name);
  if (!options.never) body.set("until", Json::string(options.until));
  return post("user until", options, "/admin/users/until", body, [&](Json const&) {
    std::cout << options.name
              << (options.never ? std::string(" does not end by itself") : " ends at " + options.until)
              << "\n";
  });
}

int user_link(UserOptions const& options) {
  Json body = named(options.name);
  body.set("external_id", Json::string(options.external_id));
  body.set("unlink", Json::boolean(options.unlink));
  if (options.by_subject || !options.subject.empty()) {
    body.set("subject", Json::string(options.subject));
    return post("user link", options, "/admin/users/link", body, [&](Json const&) {
      std::cout << options.name
                << (options.unlink ? " is nobody at the OpenID provider\n"
                                   : " can sign in at the OpenID provider\n");
    });
  }
  return post("user link", options, "/admin/users/link", body, [&](Json const&) {
    std::cout << options.name
              << (options.unlink ? " is unknown to the identity provider\n"
                                 : " can be ended by the identity provider; the role stays\n");
  });
}

int user_list(UserOptions const& options) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report("user list", connection.error());
  auto const answer = connection->get("/admin/users");
  if (!answer.has_value()) return report("user list", answer.error());
  if (answer->status != 200) return report("user list", answer->status, answer->body);
  if (options.json) {
    std::cout << codec::write_json(answer->body) << "\n";
    return kOk;
  }
  std::cout << std::left << std::setw(24) << "NAME" << std::setw(18) << "ROLE" << std::setw(12) << "STATE"
            << "LAST LOG-IN\n";
  auto const* users = answer->body.find("users");
  if (users == nullptr || !users->is_array()) return kFailed;
  for (auto const& user : users->items()) {
    auto const* sealed = user.find("sealed");
    std::string_view const state = !is_true(user, "enabled")    ? "disabled"
                                   : sealed != nullptr          ? sealed->find("opened") ? "opened" : "sealed"
                                   : is_true(user, "service")   ? "service"
                                   : !is_true(user, "enrolled") ? "invited"
                                                                : "active";
    std::cout << std::left << std::setw(24) << user.text_of("name") << std::setw(18) << user.text_of("role")
              << std::setw(12) << state << user.text_of("last_login") << "\n";
  }
  return kOk;
}

int token_issue(TokenOptions const& options) {
  std::int64_t const seconds = seconds_of(options.expires);
  if (seconds == 0) {
    std::cerr << "tacenda: token issue: --expires takes a number with s, m, h or d, such as 15m\n";
    return kUsage;
  }
  Json body = Json::object();
  body.set("user", Json::string(options.user));
  body.set("expires_seconds", Json::number(seconds));
  return ask("token issue", Asked{options.data, "/admin/tokens", &body, options.json}, show_token);
}

}  // namespace tacenda::cli
