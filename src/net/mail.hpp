#pragma once

#include <chrono>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "core/secret.hpp"

namespace tacenda::net {

/// Hands mails to a mail server (SMTP over libcurl), over TLS with a verified certificate and in no other
/// way.
///
/// Owner: one thread.
class MailSender {
 public:
  struct Credentials {
    std::string user;
    SecretBuffer password;
  };
  struct Options {
    std::string url;      // "smtps://host:465", or "smtp://host:587", where STARTTLS is demanded
    std::string ca_file;  // trust anchors, PEM; empty: the system's
    std::optional<Credentials> credentials;
    std::chrono::milliseconds timeout{30'000};
  };
  struct Mail {
    std::string from;             // address alone
    std::vector<std::string> to;  // addresses alone
    std::string text;             // head and body, lines end in CR LF
  };

  /// Errors: kInvalid (neither smtps: nor smtp:).
  static Result<MailSender> create(Options options);

  /// Gives the mail away; when it returns, the mail server has taken it.
  /// Errors: kUnavailable (refused, timed out, no TLS, peer not verified, credentials not taken; the message
  /// tells which), kInvalid (an address with a line break or an angle bracket).
  /// Ends within about a second after `stop`.
  Result<void> send(Mail const& mail, std::stop_token const& stop) const;

 private:
  explicit MailSender(Options options) : options_(std::move(options)) {}
  Options options_;
};

}  // namespace tacenda::net
