#pragma once

#include <chrono>
#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "monitor/alert.hpp"
#include "vault/vault.hpp"

namespace tacenda::monitor {

/// Who writes the mails and who gets them: addresses alone.
struct MailAddresses {
  std::string from;
  std::vector<std::string> to;
};

/// The mail that tells of alerts: rule, severity, time and id of each, and nothing of patients and users; RFC
/// 5322. Its Message-ID is that of the alerts, so that a mail that is sent twice can be told.
std::string mail_about(std::span<Alert const> alerts, MailAddresses const& addresses, Time now);

/// Sends mails about alerts. What is to be sent lies in the store, put there with the alert and taken away
/// when the mail server has taken it: an end at any moment loses nothing, and may send a mail a second time.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
class Mailer {
 public:
  /// Gives a mail to the mail server; ends soon after `stop`, which sealing waits for. Errors: kUnavailable,
  /// kInvalid.
  using Send = std::function<Result<void>(MailAddresses const& addresses, std::string const& text,
                                          std::stop_token const& stop)>;
  struct Parts {
    vault::Vault& vault;
    audit::Log& log;
    Clock const& clock;
    MailAddresses addresses;
    Send send;
  };

  static constexpr std::size_t kAlertsOfMail = 50;
  /// How long to wait after a failure: doubled with each.
  static constexpr std::chrono::seconds kFirstWait{10};
  static constexpr std::chrono::seconds kLastWait{900};

  explicit Mailer(Parts parts);

  /// Sends until asked to stop. One thread.
  void run(std::stop_token stop);
  /// Sends one mail if one is due. `run` calls it; tests may, in its place. True: there may be another.
  /// Errors: those of `send` and of the log; what was to be sent still is.
  Result<bool> step(std::stop_token const& stop);

 private:
  Result<std::vector<Alert>> outgoing() const;
  Result<void> take_away(std::span<Alert const> alerts);

  Parts parts_;
  vault::SealedView rows_;
};

}  // namespace tacenda::monitor
