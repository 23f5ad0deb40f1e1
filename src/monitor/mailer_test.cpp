#include "monitor/mailer.hpp"

#include <thread>

#include <gtest/gtest.h>

#include "monitor/detector.hpp"
#include "vault/store_testing.hpp"

namespace tacenda::monitor {
namespace {

MailAddresses addresses() {
  return {"tacenda@hospital.example", {"privacy@hospital.example", "it@hospital.example"}};
}

Alert alert_of(std::uint64_t sequence, Rule rule) {
  Alert alert;
  alert.id = {sequence, rule};
  alert.first = from_unix_ms(1'800'000'000'000);
  alert.user = "user-in-the-alert";
  alert.emergency = "emergency-in-the-alert";
  alert.note = "note-in-the-alert";
  return alert;
}

TEST(Mail, TellsRuleSeverityTimeAndIdAndNobody) {
  std::vector<Alert> const alerts{alert_of(7, Rule::kNewNetwork), alert_of(9, Rule::kEmergency)};
  auto const mail = mail_about(alerts, addresses(), from_unix_ms(1'800'000'000'000));
  EXPECT_NE(mail.find("Subject: Tacenda: 2 alerts, high\r\n"), std::string::npos) << mail;
  EXPECT_NE(mail.find("To: privacy@hospital.example, it@hospital.example\r\n"), std::string::npos);
  EXPECT_NE(mail.find("Date: Fri, 15 Jan 2027 08:00:00 +0000\r\n"), std::string::npos) << mail;
  EXPECT_NE(mail.find("Message-ID: <7-new-network.2@hospital.example>\r\n"), std::string::npos);
  EXPECT_NE(mail.find("9-emergency"), std::string::npos);
  EXPECT_EQ(mail.find("in-the-alert"), std::string::npos);
  for (std::size_t i = 0; i < mail.size(); ++i) {
    if (mail[i] != '\n') continue;
    EXPECT_EQ(mail[i - 1], '\r');
  }
}

TEST(Mailer, KeepsWhatWasNotTakenAndSendsItOnce) {
  vault::testing::TestStore store;
  auto log = audit::Log::open(*store.vault, store.clock, store.random);
  ASSERT_TRUE(log.has_value());
  std::jthread const committer([&](std::stop_token stop) { (*log)->run(stop); });
  auto alerts = Alerts::open(*store.vault, store.clock);
  ASSERT_TRUE(alerts.has_value());
  auto detector = Detector::open({*store.vault, **log, **alerts, store.clock, true});
  ASSERT_TRUE(detector.has_value());
  bool takes = false;
  std::vector<std::string> sent;
  Mailer mailer({*store.vault, **log, store.clock, addresses(),
                 [&](MailAddresses const&, std::string const& text, std::stop_token const&) -> Result<void> {
                   if (!takes) return fail(ErrorKind::kUnavailable, "connection refused");
                   sent.push_back(text);
                   return {};
                 }});
  EXPECT_EQ(mailer.step({}).value(), false);
  for (auto const* id : {"e1", "e2"}) {
    audit::Event event;
    event.kind = audit::EventKind::kEmergencyBegun;
    event.actor_id = "user-1";
    event.target = id;
    ASSERT_TRUE((*log)->commit({}, {std::move(event)}).has_value());
  }
  ASSERT_TRUE((*detector)->step().has_value());
  EXPECT_EQ(mailer.step({}).error().kind(), ErrorKind::kUnavailable);
  takes = true;
  EXPECT_TRUE(mailer.step({}).has_value());
  EXPECT_TRUE(mailer.step({}).has_value());
  ASSERT_EQ(sent.size(), 1U);
  EXPECT_NE(sent[0].find("Subject: Tacenda: 2 alerts, high"), std::string::npos);
  auto const last = (*log)->entry((*log)->size() - 1);
  ASSERT_TRUE(last.has_value());
  EXPECT_EQ(last->event.kind, audit::EventKind::kAlertSent);
  EXPECT_EQ(last->event.target, "0-emergency 1-emergency");
}

}  // namespace
}  // namespace tacenda::monitor
