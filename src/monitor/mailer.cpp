#include "monitor/mailer.hpp"

#include <algorithm>
#include <array>
#include <thread>

#include <fmt/format.h>

#include "codec/text.hpp"
#include "core/log.hpp"
#include "monitor/internal/rows.hpp"

namespace tacenda::monitor {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr std::chrono::milliseconds kLookAgain{1'000};

/// RFC 5322 section 3.3, in UTC.
std::string date_of(Time time) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  auto const day = std::chrono::floor<std::chrono::days>(time);
  std::chrono::year_month_day const date(day);
  std::chrono::hh_mm_ss const clock(std::chrono::floor<std::chrono::seconds>(time - day));
  return fmt::format("{}, {} {} {} {:02}:{:02}:{:02} +0000", kDays.at(std::chrono::weekday(day).c_encoding()),
                     static_cast<unsigned>(date.day()), kMonths.at(static_cast<unsigned>(date.month()) - 1),
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::string joined(std::vector<std::string> const& texts) {
  std::string all;
  for (auto const& text : texts) all.append(all.empty() ? "" : ", ").append(text);
  return all;
}

}  // namespace

std::string mail_about(std::span<Alert const> alerts, MailAddresses const& addresses, Time now) {
  Severity highest = Severity::kInfo;
  std::string lines;
  for (auto const& alert : alerts) {
    auto const* const facts = facts_of(alert.id.rule);
    if (facts == nullptr) continue;
    highest = std::max(highest, facts->severity);
    lines += fmt::format("{}  {}\r\n  {}\r\n  {}\r\n\r\n", name_of(facts->severity), alert.id.text(),
                         facts->text, codec::format_instant(alert.first));
  }
  auto const domain = addresses.from.substr(addresses.from.find('@') + 1);
  std::string mail;
  mail += fmt::format("From: {}\r\nTo: {}\r\n", addresses.from, joined(addresses.to));
  mail += fmt::format("Subject: Tacenda: {} {}, {}\r\n", alerts.size(),
                      alerts.size() == 1 ? "alert" : "alerts", name_of(highest));
  mail += fmt::format("Date: {}\r\nMessage-ID: <{}.{}@{}>\r\n", date_of(now), alerts.front().id.text(),
                      alerts.size(), domain);
  mail +=
      "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=us-ascii\r\n"
      "Auto-Submitted: auto-generated\r\n\r\n";
  mail += lines;
  return mail + "Who and what it is about: tacenda alerts list --open\r\n";
}

Mailer::Mailer(Parts parts)
    : parts_(std::move(parts)),
      rows_(parts_.vault.sealed_view(vault::Keeper::kMonitor, vault::Purpose::kAudit)) {}

void Mailer::run(std::stop_token stop) {
  auto wait = kFirstWait;
  std::chrono::milliseconds left{0};
  while (!stop.stop_requested()) {
    if (left.count() > 0) {
      std::this_thread::sleep_for(kPause);
      left -= kPause;
      continue;
    }
    auto const more = step(stop);
    if (!more.has_value()) {
      log(LogLevel::kWarning, more.error());
      left = wait;
      wait = std::min(wait * 2, kLastWait);
      continue;
    }
    wait = kFirstWait;
    if (!*more) left = kLookAgain;
  }
}

Result<std::vector<Alert>> Mailer::outgoing() const {
  std::vector<AlertId> ids;
  TACENDA_TRY_VOID(rows_.scan(rows::of(rows::kOutgoing), [&](ByteView key, ByteView) -> Result<bool> {
    ids.push_back(TACENDA_TRY(rows::id_of(key)));
    return ids.size() < kAlertsOfMail;
  }));
  std::vector<Alert> alerts;
  for (auto const& id : ids) {
    auto const row = TACENDA_TRY(rows_.get(rows::of(rows::kAlert, id)));
    if (row) alerts.push_back(TACENDA_TRY(decode_alert(id, *row)));
  }
  return alerts;
}

Result<bool> Mailer::step(std::stop_token const& stop) {
  auto const alerts = TACENDA_TRY(outgoing());
  if (alerts.empty()) return false;
  TACENDA_TRY_VOID(
      parts_.send(parts_.addresses, mail_about(alerts, parts_.addresses, parts_.clock.now()), stop));
  TACENDA_TRY_VOID(take_away(alerts));
  return alerts.size() == kAlertsOfMail;
}

Result<void> Mailer::take_away(std::span<Alert const> alerts) {
  vault::WriteSet set;
  audit::Event event;
  event.kind = audit::EventKind::kAlertSent;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  for (auto const& alert : alerts) {
    rows_.erase(set, rows::of(rows::kOutgoing, alert.id));
    event.target.append(event.target.empty() ? "" : " ").append(alert.id.text());
  }
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(parts_.log.commit(std::move(set), std::move(events)));
  return {};
}

}  // namespace tacenda::monitor
