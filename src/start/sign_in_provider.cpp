#include "start/sign_in_provider.hpp"

#include "net/client.hpp"

namespace tacenda::start {
namespace {

constexpr std::chrono::seconds kProviderTime{10};
constexpr std::size_t kAnswerBytes = 256 * 1024;
constexpr std::size_t kSecretBytes = 4'096;

Result<identity::ProviderAnswer> call(std::string const& ca_file, identity::ProviderCall const& asked) {
  auto const client = TACENDA_TRY(net::Client::create({.ca_file = ca_file,
                                                       .unix_socket = {},
                                                       .timeout = kProviderTime,
                                                       .http2 = true,
                                                       .may_connect = {},  // the operator named the hosts
                                                       .response_bytes = kAnswerBytes}));
  std::vector<net::Header> headers{{"accept", "application/json"}};
  if (!asked.authorization.empty()) headers.push_back({"authorization", asked.authorization});
  if (!asked.form.empty()) headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  auto answer = client->send(asked.form.empty() ? "GET" : "POST", asked.url, headers, asked.form);
  if (!answer.has_value()) return fail(ErrorKind::kUnavailable, answer.error().literal());
  return identity::ProviderAnswer{answer->status, std::move(answer->body)};
}

}  // namespace

Result<std::unique_ptr<identity::SignInProvider>> sign_in_provider(Config const& config,
                                                                   storage::Files& files, Clock const& clock,
                                                                   crypto::Random& random) {
  if (config.openid.issuer.empty()) return nullptr;
  auto const secret = files.read(config.openid.client_secret_file, kSecretBytes);
  if (!secret.has_value())
    return fail(secret.error().kind(), "the file of openid.client-secret-file cannot be read");
  auto text = as_text(*secret);
  while (text.ends_with('\n') || text.ends_with('\r')) text.remove_suffix(1);
  if (text.empty()) return fail(ErrorKind::kInvalid, "the file of openid.client-secret-file is empty");
  identity::ProviderSettings settings{.issuer = config.openid.issuer,
                                      .client_id = config.openid.client_id,
                                      .client_secret = SecretBuffer(as_bytes(text)),
                                      .hosts = config.openid.hosts,
                                      .account_claim = config.openid.account_claim,
                                      .factor_acr = config.openid.factor_acr,
                                      .factor_amr = config.openid.factor_amr};
  return identity::SignInProvider::create(
      std::move(settings),
      [ca_file = config.openid.ca_file.string()](identity::ProviderCall const& asked) {
        return call(ca_file, asked);
      },
      clock, random);
}

}  // namespace tacenda::start
