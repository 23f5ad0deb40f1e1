#pragma once

#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "cli/options.hpp"
#include "codec/json.hpp"
#include "core/error.hpp"
#include "core/secret.hpp"
#include "net/client.hpp"

namespace tacenda::cli {

/// The administration socket of a running server, with the administrator's session when there is one.
class AdminConnection {
 public:
  /// Errors: kUnavailable (no server has the store open).
  static Result<AdminConnection> open(std::filesystem::path const& data);

  struct Answer {
    std::uint16_t status = 0;
    codec::Json body;
  };
  /// Errors: kUnavailable (no server answers).
  Result<Answer> get(std::string const& path_and_query);
  Result<Answer> post(std::string const& path, codec::Json const& body);
  /// The body is the secret as it is; what is made of it on the way is wiped.
  Result<Answer> post_secret(std::string const& path, SecretBuffer const& secret);

 private:
  AdminConnection(std::unique_ptr<net::Client> client, std::string token)
      : client_(std::move(client)), token_(std::move(token)) {}
  Result<Answer> send(std::string const& method, std::string const& path, std::string const& body);
  std::unique_ptr<net::Client> client_;
  std::string token_;
};

/// Where the administrator's session of a data folder is kept: in the user's runtime folder, which only he
/// can enter. Errors: kUnavailable.
Result<std::string> session_file(std::filesystem::path const& data);

/// Says on standard error what an answer of `status` means, and gives the exit code.
int report(std::string_view command, std::uint16_t status, codec::Json const& body);
int report(std::string_view command, Error const& error);

/// One question to the administration socket.
struct Asked {
  std::filesystem::path const& data;
  std::string const& path;
  codec::Json const* body = nullptr;  // nullptr: a GET
  bool json = false;                  // the answer is printed as it is
};
using Show = std::function<void(codec::Json const&)>;
/// Asks, and prints the answer of a success or hands it to `show`. Gives the exit code.
int ask(std::string_view command, Asked const& asked, Show const& show);

/// A member that is true.
inline bool is_true(codec::Json const& json, std::string_view name) {
  auto const* value = json.find(name);
  return value != nullptr && value->is_boolean() && value->as_boolean();
}
/// A member that is a whole number; 0 where there is none.
inline std::uint64_t number_of(codec::Json const& json, std::string_view name) {
  auto const* value = json.find(name);
  if (value == nullptr || !value->is_number()) return 0;
  return std::strtoull(std::string(value->number_text()).c_str(), nullptr, 10);
}

}  // namespace tacenda::cli
