// `tacenda login`, for the FHIR side and for administration; `seal`.
#include <algorithm>
#include <iostream>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/terminal.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

/// Six digits of an authenticator app; everything else is a recovery code.
bool is_totp(std::string_view code) {
  return code.size() == 6 && std::ranges::all_of(code, [](char c) { return c >= '0' && c <= '9'; });
}

/// Password and code from the terminal or two lines of standard input, as the body of a log-in.
Result<Json> ask(std::string const& user) {
  auto const password = TACENDA_TRY(read_secret("password of " + user + ": "));
  auto const code = TACENDA_TRY(read_secret("code of the second factor, or a recovery code: "));
  Json body = Json::object();
  body.set("user", Json::string(user));
  body.set("password", Json::string(as_text(password.reveal())));
  auto const shown = as_text(code.reveal());
  body.set(is_totp(shown) ? "totp" : "recovery_code", Json::string(shown));
  return body;
}

/// The server's address out of a FHIR base: "https://host:8443".
std::string origin_of(std::string const& url) {
  auto const start = url.find("://");
  auto const slash = url.find('/', start == std::string::npos ? 0 : start + 3);
  return url.substr(0, slash);
}

int keep(std::string const& path, Json const& body) {
  if (auto const written = write_private_file(path, body.text_of("access_token")); !written.has_value()) {
    return report("login", written.error());
  }
  std::cerr << "signed in until " << body.text_of("expires_at") << "\n";
  if (auto const* notices = body.find("notices"); notices != nullptr) {
    for (auto const& notice : notices->items())
      std::cerr << notice.text_of("at") << "  " << notice.text_of("text") << "\n";
  }
  if (auto const still = body.text_of("still_to_do"); !still.empty()) std::cerr << still << "\n";
  return kOk;
}

}  // namespace

int login(LoginOptions const& options) {
  auto const body = ask(options.user);
  if (!body.has_value()) return report("login", body.error());
  if (options.admin) {
    auto connection = AdminConnection::open(options.data);
    if (!connection.has_value()) return report("login", connection.error());
    auto const answer = connection->post("/admin/login", *body);
    if (!answer.has_value()) return report("login", answer.error());
    if (answer->status != 200) return report("login", answer->status, answer->body);
    auto const path = session_file(options.data);
    return path.has_value() ? keep(*path, answer->body) : report("login", path.error());
  }
  net::Client::Options client_options;
  client_options.ca_file = options.ca;
  auto client = net::Client::create(client_options);
  if (!client.has_value()) return report("login", client.error());
  auto const response = (*client)->send("POST", origin_of(options.url) + "/auth/login",
                                        {{"content-type", "application/json"}}, codec::write_json(*body));
  if (!response.has_value()) return report("login", response.error());
  auto const answer = codec::parse_json(response->body);
  Json const json = answer.has_value() ? *answer : Json();
  if (response->status != 200) return report("login", response->status, json);
  return keep(options.token_file, json);
}

int seal(std::filesystem::path const& data) {
  auto connection = AdminConnection::open(data);
  if (!connection.has_value()) return report("seal", connection.error());
  auto const answer = connection->post("/admin/seal", Json::object());
  if (!answer.has_value()) return report("seal", answer.error());
  if (answer->status != 200) return report("seal", answer->status, answer->body);
  std::cout << "sealed\n";
  return kOk;
}

}  // namespace tacenda::cli
