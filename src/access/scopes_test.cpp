#include "access/scopes.hpp"

#include <array>

#include <gtest/gtest.h>

#include "access/gate.hpp"
#include "identity/directory_testing.hpp"

namespace tacenda::access {
namespace {

using Verdict = ScopeSet::Verdict;

constexpr char kLaboratory[] =
    R"({"resourceType":"Observation","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"laboratory"}]}]})";
constexpr char kVitalSigns[] =
    R"({"resourceType":"Observation","category":[{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}]}]})";

std::vector<codec::Scope> scopes(std::string_view text) {
  return codec::parse_scopes(text).value();
}

std::shared_ptr<ScopeSet const> set_of(std::string_view text, Bearer bearer = Bearer::kPerson,
                                       std::optional<std::string> patient = std::nullopt) {
  auto made = ScopeSet::make(scopes(text), bearer, std::move(patient));
  EXPECT_TRUE(made.has_value()) << text;
  return made.value_or(nullptr);
}

Verdict judge(ScopeSet const& set, Action action, RecordFacts const& facts, char const* json = nullptr) {
  std::optional<codec::Json> content;
  if (json != nullptr) content = codec::parse_json(json).value();
  return set.judge(action, facts, [&] { return content ? &*content : nullptr; });
}

// F-06: which verb is for which interaction, as SMART App Launch 2.2 says it.
TEST(Scopes, F06EachVerbIsForItsInteractionsAlone) {
  struct Row {
    std::string_view verb;
    std::vector<Action> actions;
  };
  std::vector<Row> const rows{
      {"c", {Action::kCreate}},
      {"r", {Action::kRead, Action::kVread, Action::kHistoryInstance}},
      {"u", {Action::kUpdate}},
      {"d", {Action::kDelete}},
      {"s", {Action::kSearch, Action::kHistoryType, Action::kHistorySystem}},
  };
  constexpr auto kAll = std::to_array<Action>(
      {Action::kRead, Action::kVread, Action::kHistoryInstance, Action::kHistoryType, Action::kHistorySystem,
       Action::kCreate, Action::kUpdate, Action::kDelete, Action::kSearch, Action::kVerify, Action::kExport});
  for (auto const& row : rows) {
    auto const set = set_of("user/Observation." + std::string(row.verb));
    for (auto const action : kAll) {
      bool const wanted = std::ranges::find(row.actions, action) != row.actions.end();
      EXPECT_EQ(set->may(action, "Observation"), wanted) << row.verb << " " << static_cast<int>(action);
      EXPECT_FALSE(set->may(action, "Condition")) << row.verb << " " << static_cast<int>(action);
      RecordFacts const facts{"Observation", "o", {}, 1};
      EXPECT_EQ(judge(*set, action, facts) == Verdict::kYes, wanted);
    }
  }
}

TEST(Scopes, F09AnExportNeedsReadingAndSearchingOfTheSystem) {
  EXPECT_TRUE(set_of("system/Patient.rs", Bearer::kService)->may(Action::kExport, "Patient"));
  EXPECT_TRUE(set_of("system/Patient.rs", Bearer::kService)->may(Action::kExport, ""));
  EXPECT_FALSE(set_of("system/Patient.r", Bearer::kService)->may(Action::kExport, "Patient"));
  EXPECT_FALSE(set_of("system/Patient.s system/*.r", Bearer::kService)->may(Action::kExport, "Patient"));
  EXPECT_FALSE(set_of("user/*.cruds")->may(Action::kExport, "Patient"));
}

TEST(Scopes, LevelsAreForTheirBearers) {
  EXPECT_FALSE(ScopeSet::make(scopes("system/*.rs"), Bearer::kPerson, std::nullopt).has_value());
  EXPECT_FALSE(ScopeSet::make(scopes("user/*.rs"), Bearer::kService, std::nullopt).has_value());
  EXPECT_FALSE(ScopeSet::make(scopes("patient/*.rs"), Bearer::kService, "p1").has_value());
  EXPECT_FALSE(ScopeSet::make(scopes("patient/*.rs"), Bearer::kPerson, std::nullopt).has_value());
  EXPECT_FALSE(ScopeSet::make(scopes("user/Nonsense.rs"), Bearer::kPerson, std::nullopt).has_value());
}

TEST(Scopes, WordsReachNothing) {
  auto const set = set_of("openid fhirUser launch/patient offline_access");
  EXPECT_FALSE(set->may(Action::kRead, "Patient"));
  EXPECT_FALSE(set->may(Action::kRead, ""));
}

TEST(Scopes, F08OfAPatientReachHisCompartmentAlone) {
  auto const set = set_of("patient/*.cruds", Bearer::kPerson, "p1");
  std::vector<std::string> const own{"p1"};
  std::vector<std::string> const other{"p2"};
  std::vector<std::string> const both{"p1", "p2"};
  EXPECT_EQ(judge(*set, Action::kRead, {"Observation", "o", own, 1}), Verdict::kYes);
  EXPECT_EQ(judge(*set, Action::kRead, {"Observation", "o", other, 1}), Verdict::kNo);
  EXPECT_EQ(judge(*set, Action::kRead, {"Observation", "o", both, 1}), Verdict::kNo);
  EXPECT_EQ(judge(*set, Action::kRead, {"Observation", "o", {}, 1}), Verdict::kNo);
  EXPECT_EQ(judge(*set, Action::kRead, {"Binary", "b", {}, 1}), Verdict::kNo);
  EXPECT_EQ(judge(*set, Action::kCreate, {"Observation", "o", other, 0}), Verdict::kNo);
  // What records refer to and nobody is: seen, and never changed.
  EXPECT_EQ(judge(*set, Action::kRead, {"Practitioner", "x", {}, 1}), Verdict::kYes);
  EXPECT_EQ(judge(*set, Action::kUpdate, {"Practitioner", "x", {}, 1}), Verdict::kNo);
  EXPECT_FALSE(set->covers_all(Action::kRead, "Observation"));
  EXPECT_FALSE(set->is_unlimited());
}

// F-07: the content of each record decides, in reads and in searches.
TEST(Scopes, F07ConstraintsAreJudgedOnEachRecord) {
  auto const set = set_of(
      "user/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory "
      "user/Patient.rs");
  RecordFacts const facts{"Observation", "o", {}, 1};
  for (auto const action : {Action::kRead, Action::kSearch, Action::kVread}) {
    EXPECT_EQ(judge(*set, action, facts, kLaboratory), Verdict::kYes);
    EXPECT_EQ(judge(*set, action, facts, kVitalSigns), Verdict::kNo);
    EXPECT_EQ(judge(*set, action, facts, nullptr), Verdict::kUnreadable);
    EXPECT_FALSE(set->covers_all(action, "Observation"));
    EXPECT_TRUE(set->covers_all(action, "Patient"));
  }
  EXPECT_FALSE(set->is_unlimited());
  auto const either =
      set_of("user/Observation.r?category=laboratory user/Observation.r?category=vital-signs");
  EXPECT_EQ(judge(*either, Action::kRead, facts, kLaboratory), Verdict::kYes);
  EXPECT_EQ(judge(*either, Action::kRead, facts, kVitalSigns), Verdict::kYes);
  auto const nothing = set_of("user/Observation.r?category=laboratory&category=vital-signs");
  EXPECT_EQ(judge(*nothing, Action::kRead, facts, kLaboratory), Verdict::kNo);
  auto const of_another_system = set_of("user/Observation.r?category=http://example.org|laboratory");
  EXPECT_EQ(judge(*of_another_system, Action::kRead, facts, kLaboratory), Verdict::kNo);
}

TEST(Scopes, F07ConstraintsOfEveryKindAreJudged) {
  constexpr char const* kRecord = R"({"resourceType":"Observation","id":"o","status":"final",
      "code":{"text":"x"},"subject":{"reference":"Patient/1"},"encounter":{"reference":"Encounter/7"},
      "effectiveDateTime":"2024-05-06","valueQuantity":{"value":5.4,"unit":"mg",
      "system":"http://unitsofmeasure.org","code":"mg"},
      "instantiatesUri":"urn:x"})";
  std::pair<std::string, Verdict> const cases[] = {
      {"date=gt2024-01", Verdict::kYes},
      {"date=lt2024-05-06", Verdict::kNo},
      {"date=2023,2024", Verdict::kYes},
      {"encounter=Encounter/7", Verdict::kYes},
      {"encounter=8", Verdict::kNo},
      {"subject=Patient/1", Verdict::kYes},
      {"subject=Patient/2", Verdict::kNo},
      {"subject:Patient=1", Verdict::kYes},
      {"value-quantity=lt6", Verdict::kYes},
      {"value-quantity=gt6", Verdict::kNo},
      {"value-quantity=gt0.001||g", Verdict::kNo},
      {"date=gt2024&encounter=8", Verdict::kNo},
  };
  RecordFacts const facts{"Observation", "o", {}, 1};
  for (auto const& [constraints, wanted] : cases) {
    auto const set = set_of("user/Observation.rs?" + constraints);
    EXPECT_EQ(judge(*set, Action::kRead, facts, kRecord), wanted) << constraints;
  }
  RecordFacts const patient{"Patient", "p", {}, 1};
  constexpr char const* kPatient = R"({"resourceType":"Patient","id":"p","name":[{"family":"Ott"}]})";
  EXPECT_EQ(judge(*set_of("user/Patient.rs?family=ot"), Action::kRead, patient, kPatient), Verdict::kYes);
  EXPECT_EQ(judge(*set_of("user/Patient.rs?family=x"), Action::kRead, patient, kPatient), Verdict::kNo);
  RecordFacts const questions{"Questionnaire", "q", {}, 1};
  constexpr char const* kQuestions =
      R"({"resourceType":"Questionnaire","id":"q","status":"draft","url":"http://h.example/q"})";
  EXPECT_EQ(
      judge(*set_of("user/Questionnaire.rs?url=http://h.example/q"), Action::kRead, questions, kQuestions),
      Verdict::kYes);
  EXPECT_EQ(
      judge(*set_of("user/Questionnaire.rs?url=http://h.example/z"), Action::kRead, questions, kQuestions),
      Verdict::kNo);
}

TEST(Scopes, ConstraintsThatCannotBeHeldToAreRefused) {
  for (auto const* text : {
           "user/*.rs?category=laboratory",               // of no type
           "user/Observation.cruds?category=laboratory",  // content that is not there yet
           "user/Observation.c?category=laboratory",
           "user/Observation.rs?category:not=laboratory",
           "user/Observation.rs?category:in=http://example.org/vs",
           "user/Observation.rs?category:missing=false",
           "user/Observation.rs?nonsense=x",
           "user/Observation.rs?date=ap2020",
           "user/Observation.rs?code-value-quantity=http://loinc.org|1$5",
           "user/Location.rs?near=1|2",
           "user/Observation.rs?subject.name=x",
           "user/Observation.rs?_has:Provenance:target:agent=x",
           "user/Observation.rs?_id=1",
           "user/Observation.rs?_tag=x",
           "user/Observation.rs?_count=1",
           "user/Observation.rs?category=laboratory&_sort=date",
           "user/Observation.rs?category=laboratory&_include=Observation:subject",
           "user/Observation.rs?category=%zz",
       }) {
    auto const parsed = codec::parse_scopes(text);
    ASSERT_TRUE(parsed.has_value()) << text;
    EXPECT_FALSE(check_scope(parsed->front(), Bearer::kPerson).has_value()) << text;
  }
  EXPECT_TRUE(check_scope(scopes("user/Condition.rs?category=a|b,c&code=d").front(), Bearer::kPerson));
}

/// A gate that meets tokens of applications, made by the directory itself.
class ScopedGate : public identity::testing::DirectoryTest {
 protected:
  identity::Principal application(std::string_view text, std::string const& role, bool is_service) {
    auto added = directory->add_user({"app-" + std::to_string(++count_), role, is_service, std::nullopt});
    expect_committed(added);
    auto const granted = std::make_shared<identity::Application const>(
        identity::Application{"app", "grant", scopes(text), std::nullopt});
    auto issued =
        directory->issue_application_token({added->id, std::nullopt}, granted, std::chrono::minutes(5), "");
    expect_committed(issued);
    return directory->authenticate_token(issued->access_token).value();
  }

  int count_ = 0;
  Gate gate_{Policy::shipped("separated").value()};
  std::vector<std::string> const p1_{"p1"};
};

TEST_F(ScopedGate, F09ScopesAndRoleMustBothAllow) {
  auto const nurse = application("user/*.cruds", "nurse", false);
  EXPECT_TRUE(gate_.authorize(nurse, Action::kRead, "Observation").has_value());
  EXPECT_FALSE(gate_.authorize(nurse, Action::kRead, "MedicationRequest").has_value());
  auto const narrow = application("user/Observation.r", "doctor", false);
  auto const permit = gate_.authorize(narrow, Action::kRead, "Observation").value();
  EXPECT_TRUE(permit.judge({"Observation", "o1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"Condition", "c1", p1_, 1, false}));
  EXPECT_FALSE(gate_.authorize(narrow, Action::kUpdate, "Observation").has_value());
  EXPECT_FALSE(gate_.authorize(narrow, Action::kSearch, "Observation").has_value());
  EXPECT_EQ(gate_.why(narrow, Action::kRead, {"Condition", "c1", p1_, 1, false}), "scope");
}

TEST_F(ScopedGate, TheLogOfHisOwnRecordIsForAPatientsApplicationThatMayReadIt) {
  auto const log_of = [&](std::string_view text) {
    auto added = directory->add_user(
        {"pat-" + std::to_string(++count_), "patient", false, PatientId::parse("p1").value()});
    expect_committed(added);
    auto const granted = std::make_shared<identity::Application const>(
        identity::Application{"app", "grant", scopes(text), "p1"});
    auto issued =
        directory->issue_application_token({added->id, std::nullopt}, granted, std::chrono::minutes(5), "");
    expect_committed(issued);
    auto const principal = directory->authenticate_token(issued->access_token).value();
    return gate_.authorize_log(principal, store.clock.now());
  };
  EXPECT_EQ(log_of("patient/AuditEvent.rs").value(), "p1");
  EXPECT_EQ(log_of("patient/*.rs").value(), "p1");
  EXPECT_FALSE(log_of("patient/Observation.rs").has_value());
  EXPECT_FALSE(log_of("patient/AuditEvent.r").has_value());
  EXPECT_FALSE(log_of("patient/AuditEvent.rs?action=R").has_value());
  // An auditor's application reads nothing of it.
  EXPECT_FALSE(
      gate_.authorize_log(application("user/*.rs", "auditor", false), store.clock.now()).has_value());
}

TEST_F(ScopedGate, AnApplicationWithoutScopesGetsNothing) {
  auto const nothing = application("", "doctor", false);
  EXPECT_FALSE(gate_.authorize(nothing, Action::kRead, "Patient").has_value());
  // Scopes that its bearer cannot have: stored by whatever mistake, they open nothing.
  auto const foreign = application("system/*.cruds", "doctor", false);
  EXPECT_FALSE(gate_.authorize(foreign, Action::kRead, "Patient").has_value());
}

TEST_F(ScopedGate, AnApplicationNeitherAdministersNorBreaksTheGlass) {
  auto const administrator = application("user/*.cruds", "administrator", false);
  EXPECT_FALSE(
      gate_.authorize_admin(administrator, AdminAction::kManageUsers, store.clock.now()).has_value());
  auto const doctor = application("user/*.cruds", "doctor", false);
  EXPECT_FALSE(gate_.authorize_emergency(doctor).has_value());
  // He himself may.
  EXPECT_TRUE(gate_.authorize_emergency(directory->principal_for_work(doctor.id()).value()).has_value());
}

}  // namespace
}  // namespace tacenda::access
