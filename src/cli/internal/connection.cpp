#include "cli/internal/connection.hpp"

#include <sys/stat.h>
#include <unistd.h>

#include <iostream>

#include "cli/internal/terminal.hpp"
#include "codec/text.hpp"
#include "vault/digest.hpp"

namespace tacenda::cli {
namespace {

constexpr std::size_t kTokenBytesMax = 4096;
constexpr std::uint16_t kWaitsForSecond = 202;

/// Says that a second person is needed (S-12).
int report_waiting(std::string_view command, Asked const& asked, codec::Json const& body) {
  if (asked.json) std::cout << codec::write_json(body) << "\n";
  std::cerr << "tacenda: " << command << ": waits until " << body.text_of("expires")
            << " for a second person: tacenda approvals approve " << body.text_of("approval") << " --data "
            << asked.data.string() << "\n";
  if (number_of(body, "others") == 0)
    std::cerr << "tacenda: " << command
              << ": nobody else can approve it now; docs/operating/accounts.md, \"Two persons\"\n";
  return kWaits;
}

/// /run/user/<uid>, or a folder of this user's own under /tmp.
Result<std::filesystem::path> runtime_folder() {
  auto const uid = ::geteuid();
  std::filesystem::path run = "/run/user/" + std::to_string(uid);
  struct stat info{};
  if (::stat(run.c_str(), &info) == 0 && S_ISDIR(info.st_mode) && info.st_uid == uid) return run;
  std::filesystem::path own = "/tmp/tacenda-" + std::to_string(uid);
  (void)::mkdir(own.c_str(), 0700);  // it may be there; what it is gets checked now
  if (::lstat(own.c_str(), &info) != 0 || !S_ISDIR(info.st_mode) || info.st_uid != uid ||
      (info.st_mode & 077U) != 0) {
    return fail(ErrorKind::kUnavailable, "there is no runtime folder that is this user's alone");
  }
  return own;
}

}  // namespace

Result<std::string> session_file(std::filesystem::path const& data) {
  std::error_code error;
  auto const whole = std::filesystem::weakly_canonical(data, error);
  if (error) return fail(ErrorKind::kUnavailable, "the data folder cannot be found");
  auto const digest = vault::digest(as_bytes(whole.native()));
  auto const folder = TACENDA_TRY(runtime_folder());
  return (folder / ("tacenda-" + codec::hex_encode(ByteView(digest).first(8)) + ".session")).string();
}

Result<AdminConnection> AdminConnection::open(std::filesystem::path const& data) {
  net::Client::Options options;
  options.unix_socket = (data / "admin.sock").string();
  options.timeout = std::chrono::hours(1);  // `verify` of a large store
  if (!std::filesystem::exists(options.unix_socket)) {
    return fail(ErrorKind::kUnavailable, "no server has this data folder open: tacenda serve");
  }
  auto client = TACENDA_TRY(net::Client::create(options));
  std::string token;
  if (auto const path = session_file(data); path.has_value()) {
    if (auto text = read_file(*path, kTokenBytesMax); text.has_value()) token = std::move(*text);
  }
  return AdminConnection(std::move(client), std::move(token));
}

Result<AdminConnection::Answer> AdminConnection::send(std::string const& method, std::string const& path,
                                                      std::string const& body) {
  std::vector<net::Header> headers{{"content-type", "application/json"}};
  if (!token_.empty()) headers.push_back({"authorization", "Bearer " + token_});
  auto const response = TACENDA_TRY(client_->send(method, "http://localhost" + path, headers, body));
  Answer answer;
  answer.status = response.status;
  if (auto json = codec::parse_json(response.body); json.has_value()) answer.body = std::move(*json);
  return answer;
}

Result<AdminConnection::Answer> AdminConnection::get(std::string const& path_and_query) {
  return send("GET", path_and_query, "");
}

Result<AdminConnection::Answer> AdminConnection::post(std::string const& path, codec::Json const& body) {
  return send("POST", path, codec::write_json(body));
}

Result<AdminConnection::Answer> AdminConnection::post_secret(std::string const& path,
                                                             SecretBuffer const& secret) {
  std::string body(as_text(secret.reveal()));
  auto answer = send("POST", path, body);
  ::explicit_bzero(body.data(), body.size());
  return answer;
}

int report(std::string_view command, std::uint16_t status, codec::Json const& body) {
  std::string_view text = "the server refused";
  if (auto const* issues = body.find("issue");
      issues != nullptr && issues->is_array() && !issues->items().empty()) {
    text = issues->items().front().text_of("diagnostics");
  }
  std::cerr << "tacenda: " << command << ": " << text << " (" << status << ")\n";
  if (status == 401 || status == 403) return kDenied;
  return status == 503 ? kIsSealed : kFailed;
}

int report(std::string_view command, Error const& error) {
  std::cerr << "tacenda: " << command << ": " << error.message() << "\n";
  return error.kind() == ErrorKind::kForbidden || error.kind() == ErrorKind::kUnauthenticated ? kDenied
                                                                                              : kFailed;
}

int ask(std::string_view command, Asked const& asked, Show const& show) {
  auto connection = AdminConnection::open(asked.data);
  if (!connection.has_value()) return report(command, connection.error());
  auto const answer =
      asked.body != nullptr ? connection->post(asked.path, *asked.body) : connection->get(asked.path);
  if (!answer.has_value()) return report(command, answer.error());
  if (answer->status == kWaitsForSecond) return report_waiting(command, asked, answer->body);
  if (answer->status != 200) return report(command, answer->status, answer->body);
  if (asked.json) {
    std::cout << codec::write_json(answer->body) << "\n";
  } else {
    show(answer->body);
  }
  return kOk;
}

}  // namespace tacenda::cli
