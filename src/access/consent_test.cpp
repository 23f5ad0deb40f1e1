// Privacy consents, criterion by criterion: REQUIREMENTS C-01 to C-08 and annex D.
#include "access/consent.hpp"

#include <array>

#include <gtest/gtest.h>

#include "access/internal/consent_testing.hpp"

namespace tacenda::access {
namespace {

using testing::ask;
using testing::Asker;
using testing::consent;
using testing::consent_text;
using testing::json;
using testing::Record;
using enum Ruling;

constexpr std::string_view kActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

Record observation(std::string_view more = "") {
  return Record(R"({"resourceType":"Observation","id":"o")" + std::string(more) + "}");
}

Record labelled(std::string_view code, std::string_view system) {
  return observation("," + testing::security(code, system));
}

/// A consent with one nested provision of this type and these criteria, under the opposite policy.
Consent deny(std::string_view criteria) {
  return consent("OPTIN", R"({"provision":[{"type":"deny",)" + std::string(criteria) + "}]}");
}
Consent permit(std::string_view criteria) {
  return consent("OPTOUT", R"({"provision":[{"type":"permit",)" + std::string(criteria) + "}]}");
}

/// Denied where the criteria are met, and permitted by the mirror image of the consent.
void expect_met(std::string_view criteria, Record const& record, Asker const& asker = {}) {
  EXPECT_EQ(ask(deny(criteria), record, asker), kDeny) << criteria;
  EXPECT_EQ(ask(permit(criteria), record, asker), kPermit) << criteria;
}
void expect_not_met(std::string_view criteria, Record const& record, Asker const& asker = {}) {
  EXPECT_EQ(ask(deny(criteria), record, asker), kPermit) << criteria;
  EXPECT_EQ(ask(permit(criteria), record, asker), kDeny) << criteria;
}
/// Denied by both: fail closed.
void expect_undecided(std::string_view criteria, Record const& record, Asker const& asker = {}) {
  EXPECT_EQ(ask(deny(criteria), record, asker), kDeny) << criteria;
  EXPECT_EQ(ask(permit(criteria), record, asker), kDeny) << criteria;
}

TEST(Consent, C01TheFivePatternsOfHl7) {
  auto const immunization = Record(R"({"resourceType":"Immunization","id":"i"})");
  auto const hiv = labelled("HIV", kActCode);
  auto const other = observation();
  std::string_view const except_immunizations =
      R"({"provision":[{"type":"permit","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Immunization"}]}]})";
  std::string_view const but_not_hiv = R"({"provision":[{"type":"deny","securityLabel":[{"code":"HIV"}]}]})";
  struct Row {
    std::string_view pattern;
    std::vector<Consent> consents;
    std::array<Ruling, 3> rulings;  // immunization, HIV, other
  };
  for (auto const& [pattern, consents, rulings] : std::vector<Row>{
           {"none", {}, {kNone, kNone, kNone}},
           {"opt-out", {consent("OPTOUT", "")}, {kDeny, kDeny, kDeny}},
           {"opt-out with exceptions", {consent("OPTOUT", except_immunizations)}, {kPermit, kDeny, kDeny}},
           {"opt-in", {consent("OPTIN", "")}, {kPermit, kPermit, kPermit}},
           {"opt-in with restrictions", {consent("OPTIN", but_not_hiv)}, {kPermit, kDeny, kPermit}},
           {"opt-out, by its own code", {consent("OPTOUTE", except_immunizations)}, {kPermit, kDeny, kDeny}},
           {"opt-in, by its own code", {consent("OPTINR", but_not_hiv)}, {kPermit, kDeny, kPermit}},
       }) {
    auto const question = Asker().question();
    EXPECT_EQ(rule(consents, question, immunization.item()), rulings[0]) << pattern;
    EXPECT_EQ(rule(consents, question, hiv.item()), rulings[1]) << pattern;
    EXPECT_EQ(rule(consents, question, other.item()), rulings[2]) << pattern;
  }
}

// Annex D: base = policyRule or root type. The record is met by the root's criteria, or is not.
TEST(Consent, C01TheRootIsReadByPolicyRuleAndTypeTogether) {
  std::string const criteria =
      R"("class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}])";
  auto const met = observation();
  auto const other = Record(R"({"resourceType":"Condition","id":"c"})");
  struct Row {
    std::string_view policy;
    std::string_view type;
    Ruling met;
    Ruling other;
  };
  for (auto const& [policy, type, on_met, on_other] : std::vector<Row>{
           {"OPTIN", "", kPermit, kNone},
           {"OPTIN", "permit", kPermit, kNone},
           {"OPTIN", "deny", kDeny, kNone},
           {"OPTOUT", "", kDeny, kDeny},
           {"OPTOUT", "permit", kPermit, kDeny},
           {"OPTOUT", "deny", kDeny, kDeny},
           {"", "permit", kPermit, kNone},
           {"", "deny", kDeny, kNone},
           {"", "", kDeny, kDeny},
           {"EMRGONLY", "", kDeny, kDeny},
           {"EMRGONLY", "permit", kPermit, kNone},
       }) {
    std::string const typed = type.empty() ? "" : R"("type":")" + std::string(type) + R"(",)";
    auto const given = consent(policy, "{" + typed + criteria + "}");
    EXPECT_EQ(ask(given, met), on_met) << policy << " " << type;
    EXPECT_EQ(ask(given, other), on_other) << policy << " " << type;
  }
}

TEST(Consent, C01SpeaksOnlyWhenActiveAndOfPrivacy) {
  auto const base = json(consent_text("OPTOUT", ""));
  ASSERT_TRUE(Consent::parse(base).has_value());
  for (auto const* status : {"draft", "proposed", "rejected", "inactive", "entered-in-error", "Active", ""}) {
    auto changed = base;
    changed.set("status", codec::Json::string(status));
    EXPECT_FALSE(Consent::parse(changed).has_value()) << status;
  }
  for (auto const* scope :
       {R"({"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"research"}]})",
        R"({"coding":[{"system":"http://example.org","code":"patient-privacy"}]})",
        R"({"text":"patient-privacy"})", "null"}) {
    auto changed = base;
    changed.set("scope", json(scope));
    EXPECT_FALSE(Consent::parse(changed).has_value()) << scope;
  }
  for (auto const* text : {"null", "[]", "{}", "3"}) EXPECT_FALSE(Consent::parse(json(text)).has_value());
}

TEST(Consent, C01WhatIsNotUnderstoodDeniesEverything) {
  std::string const nested = R"({"provision":[{"type":"permit"}]})";
  std::string deep = R"({"type":"permit"})";
  for (std::size_t i = 0; i < Consent::kDepthMax + 1; ++i) {
    deep = R"({"type":"permit","provision":[)" + deep + "]}";
  }
  std::string many = R"({"type":"permit","provision":[{"type":"permit"})";
  for (std::size_t i = 0; i < Consent::kProvisionsMax; ++i) many += R"(,{"type":"permit"})";
  std::string long_list = R"({"type":"permit","purpose":[{"code":"TREAT"})";
  for (std::size_t i = 0; i < Consent::kValuesMax; ++i) long_list += R"(,{"code":"TREAT"})";
  for (
      auto const& provision : {
          std::string(R"({"type":"allow"})"),
          std::string(R"({"type":3})"),
          std::string("3"),
          std::string("[]"),
          std::string(R"({"provision":[{}]})"),
          std::string(R"({"provision":[{"type":"permit"},{"actor":[]}]})"),
          std::string(R"({"provision":[]})"),
          std::string(R"({"provision":{"type":"permit"}})"),
          std::string(R"({"modifierExtension":[{"url":"u"}]})"),
          std::string(R"({"provision":[{"type":"permit","modifierExtension":[{"url":"u"}]}]})"),
          std::string(
              R"({"actor":[{"modifierExtension":[{"url":"u"}],"reference":{"reference":"Practitioner/dr"}}]})"),
          std::string(R"({"actor":["Practitioner/dr"]})"),
          std::string(R"({"purpose":"TREAT"})"),
          std::string(R"({"period":{}})"),
          std::string(R"({"period":"2026"})"),
          std::string(R"({"period":{"start":"yesterday"}})"),
          std::string(R"({"period":{"start":"2027","end":"2026"}})"),
          std::string(R"({"dataPeriod":{"end":3}})"),
          deep,
          many + "]}",
          long_list + "]}",
      }) {
    auto const odd = consent("OPTIN", provision);
    EXPECT_EQ(ask(odd, observation()), kDeny) << provision.substr(0, 200);
    EXPECT_FALSE(odd.needs_content());
    EXPECT_FALSE(odd.denies_by_purpose(Asker().question(), observation().item()));
  }
  EXPECT_EQ(ask(consent("OPTIN", nested, R"(,"modifierExtension":[{"url":"u"}])"), observation()), kDeny);
  EXPECT_EQ(ask(consent("OPTIN", nested, R"(,"implicitRules":"http://u")"), observation()), kDeny);
  auto both = json(consent_text("OPTIN", ""));
  both.find("policyRule")
      ->find("coding")
      ->push(json(R"({"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"OPTOUT"})"));
  EXPECT_EQ(ask(*Consent::parse(both), observation()), kDeny);
}

TEST(Consent, C01TheLargestConsentIsStillUnderstood) {
  std::string deep = R"({"type":"permit"})";
  for (std::size_t i = 0; i < Consent::kDepthMax; ++i)
    deep = R"({"type":"permit","provision":[)" + deep + "]}";
  EXPECT_EQ(ask(consent("", deep), observation()), kPermit);
  std::string many = R"({"type":"permit","provision":[{"type":"permit"})";
  for (std::size_t i = 2; i < Consent::kProvisionsMax; ++i) many += R"(,{"type":"permit"})";
  EXPECT_EQ(ask(consent("", many + "]}"), observation()), kPermit);
}

TEST(Consent, C01ANestedProvisionOverridesItsParentAndSiblingsThatContradictDeny) {
  std::string const permit_own = R"({"type":"permit","purpose":[{"code":"TREAT"}]})";
  std::string const deny_own = R"({"type":"deny","purpose":[{"code":"TREAT"}]})";
  std::string const unmet = R"({"type":"deny","purpose":[{"code":"HRESCH"}]})";
  auto const of = [](std::string const& type, std::string const& nested) {
    return consent("", R"({"type":")" + type + R"(","provision":[)" + nested + "]}");
  };
  EXPECT_EQ(ask(of("permit", deny_own), observation()), kDeny);
  EXPECT_EQ(ask(of("deny", permit_own), observation()), kPermit);
  EXPECT_EQ(ask(of("permit", unmet), observation()), kPermit);
  EXPECT_EQ(ask(of("deny", unmet), observation()), kDeny);
  EXPECT_EQ(ask(of("permit", permit_own + "," + deny_own), observation()), kDeny);
  EXPECT_EQ(ask(of("deny", deny_own + "," + permit_own), observation()), kDeny);
  // an exception to an exception
  std::string const deny_but = R"({"type":"deny","provision":[)" + permit_own + "]}";
  EXPECT_EQ(ask(of("permit", deny_but), observation()), kPermit);
  EXPECT_EQ(ask(of("permit", deny_but + "," + deny_own), observation()), kDeny);
  // what lies within a provision that is not met does not speak
  auto const under_unmet =
      consent("", R"({"type":"permit","purpose":[{"code":"HRESCH"}],"provision":[)" + deny_own + "]}");
  EXPECT_EQ(ask(under_unmet, observation()), kNone);
}

TEST(Consent, C01AllCriteriaTogetherAndEntriesOfOneAsAlternatives) {
  auto const hiv = labelled("HIV", kActCode);
  std::string const labels = R"("securityLabel":[{"code":"PSY"},{"code":"HIV"}])";
  std::string const treat = R"("purpose":[{"code":"HRESCH"},{"code":"TREAT"}])";
  expect_met(labels + "," + treat, hiv);
  expect_not_met(labels + R"(,"purpose":[{"code":"HRESCH"}])", hiv);
  expect_not_met(treat + R"(,"securityLabel":[{"code":"PSY"}])", hiv);
}

TEST(Consent, C02AnActorIsAnyOfWhatTheAskerIs) {
  auto const actor = [](std::string const& reference) {
    return R"("actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",)"
           R"("code":"PRCP"}]},"reference":{"reference":")" +
           reference + R"("}}])";
  };
  for (auto const* reference :
       {"Practitioner/dr", "PractitionerRole/dr-at-a", "Organization/a", "Practitioner/dr/_history/3"}) {
    expect_met(actor(reference), observation());
  }
  for (auto const* reference : {"Practitioner/dr2", "Practitioner/d", "Organization/b", "Group/dr",
                                "https://other.example/fhir/Practitioner/dr"}) {
    expect_not_met(actor(reference), observation());
  }
  Asker const other{.actors = {"Practitioner/dr2", "Organization/a"}};
  EXPECT_EQ(ask(deny(actor("Practitioner/dr")), observation(), other), kPermit);
  EXPECT_EQ(ask(deny(actor("Organization/a")), observation(), other), kDeny);
  // Who is nobody in particular may be the one who is named.
  expect_undecided(actor("Practitioner/dr"), observation(), {.actors = {}});
}

TEST(Consent, C02AnActorThatCannotBeHeldAgainstAnyoneIsUndecided) {
  for (
      auto const* actor : {
          R"("actor":[{"reference":{"display":"my neighbour"}}])",
          R"("actor":[{"reference":{"identifier":{"value":"7"}}}])",
          R"("actor":[{"reference":{"reference":"#p"}}])",
          R"("actor":[{}])",
          R"("actor":[{"reference":{"reference":"Practitioner/other"}},{"reference":{"reference":"#p"}}])",
          // who keeps the record: nothing says who that is
          R"("actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"CST"}]},
                        "reference":{"reference":"Organization/a"}}])",
      }) {
    expect_undecided(actor, observation());
  }
}

TEST(Consent, C02AnActorWithoutAReferenceCanBeARoleOfThePolicy) {
  std::string const nurses =
      R"("actor":[{"role":{"coding":[{"system":"https://hospital.example/roles","code":"nurse"}]},"reference":{"display":"all nurses"}}])";
  expect_met(nurses, observation(), {.role = "nurse"});
  expect_not_met(nurses, observation(), {.role = "doctor"});
  expect_undecided(nurses, observation(), {.role = ""});
  // A code of HL7 is no role of the policy, whatever the policy calls its roles.
  expect_undecided(
      R"("actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PRCP"}]}}])",
      observation(), {.role = "PRCP"});
  // Beside a reference it opens nothing and narrows no denial.
  std::string const both =
      R"("actor":[{"role":{"coding":[{"system":"https://hospital.example/roles","code":"nurse"}]},"reference":{"reference":"Organization/a"}}])";
  expect_met(both, observation(), {.role = "nurse"});
  expect_undecided(both, observation(), {.role = "doctor"});
}

TEST(Consent, C02AnAuthorIsWhoWroteTheRecord) {
  std::string const author =
      R"("actor":[{"role":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"AUT"}]},)"
      R"("reference":{"reference":"Practitioner/dr"}}])";
  expect_met(author, observation(R"(,"performer":[{"reference":"Practitioner/dr"}])"));
  expect_not_met(author, observation(R"(,"performer":[{"reference":"Practitioner/dr2"}])"));
  EXPECT_TRUE(deny(author).needs_content());
}

TEST(Consent, C03APurposeCoversThoseBelowIt) {
  auto const treat =
      R"("purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}])";
  auto const etreat = R"("purpose":[{"code":"ETREAT"}])";
  auto const research = R"("purpose":[{"code":"HRESCH"}])";
  for (auto const* purpose : {"TREAT", "ETREAT", "BTG"})
    expect_met(treat, observation(), {.purpose = purpose});
  for (auto const* purpose : {"ETREAT", "BTG"}) expect_met(etreat, observation(), {.purpose = purpose});
  for (auto const* purpose : {"HRESCH", "CLINTRCH", "PRECLINTRCH"}) {
    expect_met(research, observation(), {.purpose = purpose});
  }
  expect_not_met(etreat, observation(), {.purpose = "TREAT"});
  expect_not_met(research, observation(), {.purpose = "TREAT"});
  expect_not_met(treat, observation(), {.purpose = "HPAYMT"});
  expect_not_met(treat, observation(), {.purpose = "treat"});
  expect_undecided(treat, observation(), {.purpose = ""});
  expect_undecided(R"("purpose":[{"display":"to heal"}])", observation());
}

TEST(Consent, C04APeriodCoversItsLastDay) {
  auto const during = R"("period":{"start":"2026-06-01","end":"2026-06-15"})";
  auto const at = [](std::string now) { return Asker{.now = std::move(now)}; };
  expect_met(during, observation(), at("2026-06-01T00:00:00Z"));
  expect_met(during, observation(), at("2026-06-15T23:59:59.999Z"));
  expect_not_met(during, observation(), at("2026-05-31T23:59:59.999Z"));
  expect_not_met(during, observation(), at("2026-06-16T00:00:00Z"));
  expect_met(R"("period":{"start":"2026"})", observation());
  expect_not_met(R"("period":{"end":"2025"})", observation());
}

TEST(Consent, C04AConsentOutsideItsOwnPeriodSaysNothing) {
  for (auto const* policy : {"OPTIN", "OPTOUT"}) {
    auto const past = consent(policy, R"({"period":{"end":"2025"},"provision":[{"type":"deny"}]})");
    EXPECT_EQ(ask(past, observation()), kNone) << policy;
    EXPECT_EQ(ask(past, observation(), {.now = "2025-12-31T23:00:00Z"}), kDeny) << policy;
  }
}

TEST(Consent, C04ADataPeriodIsHeldAgainstTheClinicalTime) {
  auto const in_2015 = R"("dataPeriod":{"start":"2015","end":"2015"})";
  for (auto const* time : {
           R"(,"effectiveDateTime":"2015-03-01")",
           R"(,"effectiveInstant":"2015-03-01T10:00:00Z")",
           R"(,"effectivePeriod":{"start":"2015-03","end":"2015-04"})",
           R"(,"onsetDateTime":"2015")",
           R"(,"performedPeriod":{"start":"2015-01-01","end":"2015-12-31"})",
           R"(,"authoredOn":"2015-06-01")",
           R"(,"issued":"2015-06-01T00:00:00Z")",
           R"(,"date":"2015")",
           R"(,"recordedDate":"2015-06-01")",
           R"(,"occurrenceTiming":{"event":["2015-02-01","2015-03-01"]})",
           R"(,"period":{"start":"2015-03-01","end":"2015-03-01"})",
           R"(,"effectiveDateTime":"2015-03-01","issued":"2016-01-01T00:00:00Z")",
           R"(,"onsetAge":{"value":40},"recordedDate":"2015-06-01")",
       }) {
    expect_met(in_2015, observation(time));
  }
  for (auto const* time : {
           R"(,"effectiveDateTime":"2016-01-01")",
           R"(,"effectiveDateTime":"2014-12-31T23:59:59Z")",
           R"(,"period":{"start":"2016"})",
           R"(,"effectiveDateTime":"2014","issued":"2015-06-01T00:00:00Z")",
           R"(,"occurrenceTiming":{"event":["2016-02-01"]})",
       }) {
    expect_not_met(in_2015, observation(time));
  }
  for (auto const* time : {
           "",
           R"(,"period":{"start":"2014"})",
           R"(,"effectivePeriod":{"start":"2014-12-01","end":"2015-01-10"})",
           R"(,"effectiveDateTime":"once")",
           R"(,"effectiveTiming":{"code":{"text":"daily"}})",
           R"(,"occurrenceTiming":{"event":["2015-02-01","2016-02-01"]})",
       }) {
    expect_undecided(in_2015, observation(time));
  }
}

}  // namespace
}  // namespace tacenda::access
