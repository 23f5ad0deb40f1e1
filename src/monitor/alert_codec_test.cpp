// Rows and ids of alerts.
#include <set>

#include <gtest/gtest.h>

#include "monitor/alert.hpp"

namespace tacenda::monitor {
namespace {

Alert answered() {
  Alert alert;
  alert.id = {17, Rule::kWatchedRecord};
  alert.first = from_unix_ms(1'800'000'000'000);
  alert.last = from_unix_ms(1'800'000'060'000);
  alert.last_sequence = 40;
  alert.count = 3;
  alert.user = "user-1";
  alert.patient.emplace().fill(std::byte{7});
  alert.emergency = "an emergency";
  alert.state = AlertState::kAcknowledged;
  alert.answered_by = "user-2";
  alert.answered = from_unix_ms(1'800'000'090'000);
  alert.note = "asked the ward";
  return alert;
}

TEST(Alert, ComesBackFromItsRow) {
  auto const alert = answered();
  auto const back = decode_alert(alert.id, encode_alert(alert));
  ASSERT_TRUE(back.has_value());
  EXPECT_EQ(back->first, alert.first);
  EXPECT_EQ(back->last, alert.last);
  EXPECT_EQ(back->last_sequence, 40U);
  EXPECT_EQ(back->count, 3U);
  EXPECT_EQ(back->user, "user-1");
  EXPECT_EQ(back->patient, alert.patient);
  EXPECT_EQ(back->emergency, "an emergency");
  EXPECT_EQ(back->state, AlertState::kAcknowledged);
  EXPECT_EQ(back->answered_by, "user-2");
  EXPECT_EQ(back->answered, alert.answered);
  EXPECT_EQ(back->note, "asked the ward");
  EXPECT_EQ(encode_alert(*back), encode_alert(alert));
}

TEST(Alert, RefusesARowThatIsCutOrLonger) {
  auto const alert = answered();
  auto const row = encode_alert(alert);
  for (std::size_t size = 0; size < row.size(); ++size)
    EXPECT_FALSE(decode_alert(alert.id, ByteView(row).first(size)).has_value()) << size;
  auto longer = row;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_alert(alert.id, longer).has_value());
}

TEST(Alert, RefusesANewerRow) {
  auto row = encode_alert(answered());
  row.front() = std::byte{2};
  EXPECT_EQ(decode_alert({17, Rule::kWatchedRecord}, row).error().kind(), ErrorKind::kUnsupported);
}

TEST(AlertId, IsTheEntryAndTheRule) {
  AlertId const id{1'234, Rule::kEmergencyUnreviewed};
  EXPECT_EQ(id.text(), "1234-emergency-unreviewed");
  EXPECT_EQ(AlertId::parse(id.text()), id);
  for (auto const* text : {"", "-", "1234", "1234-", "-emergency", "1234-nothing", "x-emergency",
                           "1234 emergency", "99999999999999999999-emergency", "1234-emergency "})
    EXPECT_FALSE(AlertId::parse(text).has_value()) << text;
}

TEST(Rules, HaveNamesAndNumbersOfTheirOwn) {
  std::set<Rule> numbers;
  std::set<std::string_view> names;
  for (auto const& facts : rules()) {
    numbers.insert(facts.rule);
    names.insert(facts.name);
  }
  EXPECT_EQ(numbers.size(), rules().size());
  EXPECT_EQ(names.size(), rules().size());
}

}  // namespace
}  // namespace tacenda::monitor
