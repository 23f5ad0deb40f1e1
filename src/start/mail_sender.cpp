#include "start/mail_sender.hpp"

#include <memory>

#include "core/bytes.hpp"
#include "net/mail.hpp"

namespace tacenda::start {
namespace {

constexpr std::size_t kCredentialsBytes = 4'096;

/// The first line of `text`, which then begins behind it.
std::string_view take_line(std::string_view& text) {
  auto line = text.substr(0, text.find('\n'));
  text.remove_prefix(std::min(text.size(), line.size() + 1));
  if (line.ends_with('\r')) line.remove_suffix(1);
  return line;
}

Result<net::MailSender::Credentials> read_credentials(std::filesystem::path const& path,
                                                      storage::Files& files) {
  auto const bytes = files.read(path, kCredentialsBytes);
  if (!bytes.has_value())
    return fail(bytes.error().kind(), "the file of alerts.credentials-file cannot be read");
  auto text = as_text(*bytes);
  net::MailSender::Credentials credentials;
  credentials.user = take_line(text);
  credentials.password = SecretBuffer(as_bytes(take_line(text)));
  if (credentials.user.empty() || credentials.password.empty() || !text.empty())
    return fail(ErrorKind::kInvalid,
                "the file of alerts.credentials-file has a line with the user and one with the password");
  return credentials;
}

}  // namespace

Result<monitor::Mailer::Send> mail_sender(Config const& config, storage::Files& files) {
  net::MailSender::Options options;
  options.url = config.alerts.smtp;
  options.ca_file = config.alerts.ca_file;
  if (!config.alerts.credentials_file.empty())
    options.credentials = TACENDA_TRY(read_credentials(config.alerts.credentials_file, files));
  // Shared: std::function copies.
  auto const sender = std::make_shared<net::MailSender const>(
      TACENDA_TRY(net::MailSender::create(std::move(options))));
  return [sender](monitor::MailAddresses const& addresses, std::string const& text,
                  std::stop_token const& stop) {
    return sender->send({addresses.from, addresses.to, text}, stop);
  };
}

}  // namespace tacenda::start
