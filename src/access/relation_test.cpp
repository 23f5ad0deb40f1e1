// How long a record explains that somebody sees a patient: REQUIREMENTS C-20.
#include "access/relation.hpp"

#include <gtest/gtest.h>

namespace tacenda::access {
namespace {

using std::chrono::days;
using std::chrono::hours;

Time day(int year, unsigned month, unsigned of_month) {
  using namespace std::chrono;
  return sys_days(std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(of_month));
}

std::vector<ActorName> names() {
  return {{"Practitioner/1", {}}, {"PractitionerRole/2", {day(2026, 1, 1), day(2026, 12, 31)}}};
}

std::vector<Bond> bonds(std::string const& text, Time written = day(2026, 3, 1)) {
  auto const json = codec::parse_json(text);
  EXPECT_TRUE(json.has_value()) << text;
  return bonds_of(*json, written, names(), RelationTimes());
}

bool explains(std::string const& text, Time at, Time written = day(2026, 3, 1)) {
  for (auto const& bond : bonds(text, written)) {
    if (bond.during.has(at)) return true;
  }
  return false;
}

std::string encounter(std::string const& status, std::string const& more,
                      std::string const& part = R"("individual":{"reference":"Practitioner/1"})") {
  return R"({"resourceType":"Encounter","status":")" + status + R"(","participant":[{)" + part + "}]" +
         (more.empty() ? "" : "," + more) + "}";
}

TEST(Relation, C20AnOpenEncounterEndsAYearAfterItsStartAndIsPreparedTwoWeeksBefore) {
  auto const text = encounter("in-progress", R"("period":{"start":"2026-02-01"})");
  EXPECT_FALSE(explains(text, day(2026, 1, 17)));
  EXPECT_TRUE(explains(text, day(2026, 1, 19)));
  EXPECT_TRUE(explains(text, day(2027, 1, 31)));
  EXPECT_FALSE(explains(text, day(2027, 2, 3)));
  EXPECT_FALSE(explains(encounter("in-progress", R"("period":{"start":"2012-02-01"})"), day(2026, 3, 2)));
  EXPECT_FALSE(explains(encounter("in-progress", R"("period":{"start":"2012-02-01","end":"2999-01-01"})"),
                        day(2026, 3, 2)));
  EXPECT_FALSE(explains(encounter("planned", R"("period":{"start":"2099-02-01"})"), day(2026, 3, 2)));
}

TEST(Relation, C20WhatNamesNoStartBeginsWhenItWasWritten) {
  EXPECT_TRUE(explains(encounter("in-progress", ""), day(2026, 3, 2)));
  EXPECT_TRUE(explains(encounter("in-progress", ""), day(2027, 2, 28)));
  EXPECT_FALSE(explains(encounter("in-progress", ""), day(2027, 3, 2)));
}

TEST(Relation, C20ANewParticipationGoesOnWithALongEncounter) {
  std::string const part = R"("individual":{"reference":"Practitioner/1"},"period":{"start":"2026-02-01"})";
  auto const text = encounter("in-progress", R"("period":{"start":"2020-01-01"})", part);
  EXPECT_FALSE(explains(text, day(2026, 1, 31)));
  EXPECT_TRUE(explains(text, day(2026, 12, 1)));
}

TEST(Relation, C20AnEncounterThatEndedExplainsThreeDaysMore) {
  auto const text = encounter("finished", R"("period":{"start":"2026-02-01","end":"2026-02-02"})");
  EXPECT_TRUE(explains(text, day(2026, 2, 2) + hours(90)));
  EXPECT_FALSE(explains(text, day(2026, 2, 2) + hours(97)));
  EXPECT_TRUE(bonds(encounter("finished", R"("period":{"start":"2026-02-01"})")).empty());
  EXPECT_TRUE(bonds(encounter("cancelled", "")).empty());
}

TEST(Relation, C20ARoleIsFollowedToItsPractitionerForItsOwnPeriod) {
  std::string const part = R"("individual":{"reference":"PractitionerRole/2"})";
  auto const text = encounter("in-progress", R"("period":{"start":"2026-06-01"})", part);
  EXPECT_TRUE(explains(text, day(2026, 7, 1)));
  EXPECT_FALSE(explains(text, day(2027, 1, 2)));
}

TEST(Relation, C20NamesAreComparedWhole) {
  for (auto const* other : {"Practitioner/11", "XPractitioner/1", "PractitionerRole/1", "Practitioner/1x",
                            "https://elsewhere.org/fhir/Practitioner/1", "#Practitioner/1"}) {
    std::string const part = std::string(R"("individual":{"reference":")") + other + R"("})";
    EXPECT_TRUE(bonds(encounter("in-progress", "", part)).empty()) << other;
  }
  EXPECT_FALSE(
      bonds(encounter("in-progress", "", R"("individual":{"reference":"Practitioner/1/_history/3"})"))
          .empty());
}

TEST(Relation, C20ACareTeamEndsAYearAfterItsMemberJoined) {
  auto const team = [](std::string const& period, std::string const& status = R"("status":"active",)") {
    return R"({"resourceType":"CareTeam",)" + status + R"("period":{"start":"2020-01-01"},)" +
           R"("participant":[{"member":{"reference":"Practitioner/1"})" + period + "}]}";
  };
  EXPECT_FALSE(explains(team(""), day(2026, 3, 2)));
  EXPECT_TRUE(explains(team(R"(,"period":{"start":"2026-01-01"})"), day(2026, 3, 2)));
  EXPECT_TRUE(explains(team(R"(,"period":{"start":"2026-01-01"})", ""), day(2026, 3, 2)));
  EXPECT_FALSE(explains(team(R"(,"period":{"start":"2026-01-01","end":"2026-02-01"})"), day(2026, 3, 2)));
  EXPECT_TRUE(bonds(team("", R"("status":"inactive",)")).empty());
}

TEST(Relation, C20AnOrderEndsHalfAYearAfterItWasAuthored) {
  auto const order = [](std::string const& more) {
    return R"({"resourceType":"ServiceRequest","status":"active",)" + more + "}";
  };
  std::string const his = R"("requester":{"reference":"Practitioner/1"})";
  EXPECT_FALSE(explains(order(his + R"(,"authoredOn":"2009-01-01")"), day(2026, 3, 2)));
  EXPECT_FALSE(explains(order(his + R"(,"authoredOn":"2099-01-01")"), day(2026, 3, 2)));
  EXPECT_TRUE(explains(order(his + R"(,"authoredOn":"2026-03-02")"), day(2026, 3, 1) + hours(12)));
  EXPECT_TRUE(explains(order(his), day(2026, 3, 2)));
  EXPECT_FALSE(explains(order(his), day(2026, 3, 2) + days(180)));
  EXPECT_TRUE(explains(order(R"("performer":[{"reference":"Device/1"},{"reference":"Practitioner/1"}])"),
                       day(2026, 3, 2)));
  EXPECT_TRUE(bonds(R"({"resourceType":"ServiceRequest","status":"completed",)" + his + "}").empty());
}

TEST(Relation, C20AnAppointmentIsForThoseWhoHaveNotDeclined) {
  auto const visit = [](std::string const& answer) {
    return R"({"resourceType":"Appointment","status":"booked","start":"2026-03-20T08:00:00Z","participant":[)"
           R"({"actor":{"reference":"Practitioner/1"},"status":")" +
           answer + R"("}]})";
  };
  EXPECT_FALSE(explains(visit("accepted"), day(2026, 3, 5)));
  EXPECT_TRUE(explains(visit("accepted"), day(2026, 3, 7)));
  EXPECT_TRUE(explains(visit("accepted"), day(2026, 3, 27)));
  EXPECT_FALSE(explains(visit("accepted"), day(2026, 3, 28)));
  EXPECT_FALSE(explains(visit("declined"), day(2026, 3, 7)));
}

TEST(Relation, C20WhoIsNamedAsGeneralPractitionerIsSoForAYearFromTheLastVersion) {
  std::string const text =
      R"({"resourceType":"Patient","generalPractitioner":[{"reference":"Practitioner/1"}]})";
  EXPECT_TRUE(explains(text, day(2026, 3, 2)));
  EXPECT_FALSE(explains(text, day(2027, 3, 3)));
  EXPECT_TRUE(
      bonds(R"({"resourceType":"Patient","generalPractitioner":[{"reference":"Organization/1"}]})").empty());
}

}  // namespace
}  // namespace tacenda::access
