// `tacenda client`: applications that get tokens.
#include <fstream>
#include <iomanip>
#include <iostream>
#include <iterator>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

constexpr std::size_t kKeysBytesMax = 48'000;
constexpr std::size_t kDigestHex = 64;

int ask(std::string_view command, ClientOptions const& options, std::string const& path, Json const* body,
        Show const& show) {
  return ask(command, Asked{options.data, path, body, options.json}, show);
}

/// The text of a file with public keys. Errors: kNotFound, kTooLarge.
Result<std::string> keys_of(std::filesystem::path const& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return fail(ErrorKind::kNotFound, "the file with the keys cannot be read");
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (text.size() > kKeysBytesMax) return fail(ErrorKind::kTooLarge, "the file with the keys is too large");
  return text;
}

template <typename... Choices>
bool is_one_of(Choices... choices) {
  return (0 + ... + (choices ? 1 : 0)) == 1;
}

/// Its keys, as they are or where they are. Errors: those of keys_of.
Result<void> put_keys(Json& body, ClientOptions const& options) {
  if (!options.jwks_url.empty()) body.set("jwks_url", Json::string(options.jwks_url));
  if (!options.jwks.empty()) body.set("jwks", Json::string(TACENDA_TRY(keys_of(options.jwks))));
  if (!options.certificate.empty()) {
    bool const is_hex =
        options.certificate.size() == kDigestHex && !std::filesystem::exists(options.certificate);
    std::string const text = is_hex ? options.certificate : TACENDA_TRY(keys_of(options.certificate));
    body.set("certificate", Json::string(text));
  }
  return {};
}

/// "any", or the list that it has.
std::string networks_of(Json const& client) {
  auto const* networks = client.find("networks");
  if (networks == nullptr) return "any";
  std::string text;
  for (auto const& network : networks->items())
    text.append(text.empty() ? "" : ",").append(network.as_string());
  return text;
}

void show_client(Json const& client, bool as_json) {
  if (as_json) {
    std::cout << codec::write_json(client) << "\n";
    return;
  }
  for (std::string_view const name :
       {"client_id", "title", "kind", "created", "scope", "jwks_url", "certificate"}) {
    if (auto const text = client.text_of(name); !text.empty())
      std::cout << std::left << std::setw(14) << name << text << "\n";
  }
  std::cout << std::left << std::setw(14) << "state" << (is_true(client, "enabled") ? "active" : "disabled")
            << "\n"
            << std::setw(14) << "bound_tokens" << (is_true(client, "bound_tokens") ? "yes" : "no") << "\n"
            << std::setw(14) << "networks" << networks_of(client) << "\n";
  for (std::string_view const name : {"keys", "redirect_uris"}) {
    auto const* list = client.find(name);
    if (list == nullptr) continue;
    for (auto const& each : list->items())
      std::cout << std::setw(14) << (name == "keys" ? "key" : "redirect_uri")
                << (each.is_string() ? each.as_string() : std::string(each.text_of("kid"))) << "\n";
  }
}

}  // namespace

int client_add(ClientOptions const& options) {
  if (!is_one_of(options.is_public, !options.jwks.empty(), !options.jwks_url.empty(),
                 !options.certificate.empty()) ||
      (options.is_public && !options.role.empty())) {
    std::cerr << "tacenda: client add: give its keys with --jwks FILE or --jwks-url URL, its --certificate, "
                 "or say --public (never "
                 "with --role)\n";
    return kUsage;
  }
  Json body = Json::object();
  body.set("client_id", Json::string(options.id));
  body.set("scope", Json::string(options.scope));
  body.set("title", Json::string(options.title));
  body.set("role", Json::string(options.role));
  body.set("bound_tokens", Json::boolean(options.binds_tokens));
  Json uris = Json::array();
  for (auto const& uri : options.redirect_uris) uris.push(Json::string(uri));
  body.set("redirect_uris", std::move(uris));
  if (auto const put = put_keys(body, options); !put.has_value()) return report("client add", put.error());
  return ask("client add", options, "/admin/clients", &body, [](Json const& answer) {
    std::cout << "client_id  " << answer.text_of("client_id") << "  (" << answer.text_of("kind") << ")\n"
              << "token      " << answer.text_of("token_endpoint") << "\n";
  });
}

int client_disable(ClientOptions const& options) {
  Json body = Json::object();
  body.set("client_id", Json::string(options.id));
  return ask("client disable", options, "/admin/clients/disable", &body,
             [&](Json const&) { std::cout << options.id << " is disabled; all its tokens ended\n"; });
}

int client_keys(ClientOptions const& options) {
  if (!is_one_of(!options.jwks.empty(), !options.jwks_url.empty(), !options.certificate.empty())) {
    std::cerr << "tacenda: client keys: give --jwks FILE, --jwks-url URL or --certificate\n";
    return kUsage;
  }
  Json body = Json::object();
  body.set("client_id", Json::string(options.id));
  if (auto const put = put_keys(body, options); !put.has_value()) return report("client keys", put.error());
  return ask("client keys", options, "/admin/clients/keys", &body,
             [&](Json const&) { std::cout << options.id << " signs with the new keys alone\n"; });
}

int client_networks(ClientOptions const& options) {
  if (options.any_network == !options.networks.empty()) {
    std::cerr << "tacenda: client networks: name networks with --allow, or say --clear\n";
    return kUsage;
  }
  Json body = Json::object();
  body.set("client_id", Json::string(options.id));
  if (!options.any_network) {
    Json list = Json::array();
    for (auto const& network : options.networks) list.push(Json::string(network));
    body.set("networks", std::move(list));
  }
  return ask("client networks", options, "/admin/clients/networks", &body, [&](Json const&) {
    std::cout << options.id
              << (options.any_network ? " may be used from anywhere that those it acts for may\n"
                                      : " may be used from these networks alone\n");
  });
}

int client_show(ClientOptions const& options) {
  bool is_there = false;
  int const code =
      ask("client show", Asked{options.data, "/admin/clients", nullptr, false}, [&](Json const& answer) {
        auto const* clients = answer.find("clients");
        if (clients == nullptr) return;
        for (auto const& client : clients->items()) {
          if (client.text_of("client_id") != options.id) continue;
          is_there = true;
          show_client(client, options.json);
        }
      });
  if (code != kOk || is_there) return code;
  return report("client show", Error(ErrorKind::kNotFound, "there is no such application"));
}

int client_list(ClientOptions const& options) {
  return ask("client list", options, "/admin/clients", nullptr, [](Json const& answer) {
    std::cout << std::left << std::setw(24) << "CLIENT" << std::setw(14) << "KIND" << std::setw(10) << "STATE"
              << std::setw(24) << "NETWORKS"
              << "SCOPE\n";
    auto const* clients = answer.find("clients");
    if (clients == nullptr) return;
    for (auto const& client : clients->items()) {
      std::cout << std::left << std::setw(24) << client.text_of("client_id") << std::setw(14)
                << client.text_of("kind") << std::setw(10)
                << (is_true(client, "enabled") ? "active" : "disabled") << std::setw(24)
                << networks_of(client) << client.text_of("scope") << "\n";
    }
  });
}

}  // namespace tacenda::cli
