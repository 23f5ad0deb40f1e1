#include "access/gate.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "identity/directory_testing.hpp"
#include "identity/emergency_access.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::access {
namespace {

/// Principals come from real log-ins: nobody else can make one.
class GateTest : public identity::testing::DirectoryTest {
 protected:
  identity::Principal principal(std::string const& name, std::string const& role,
                                std::optional<std::string> const& patient = std::nullopt) {
    identity::Directory::NewUser user{name, role, false, std::nullopt};
    if (patient) user.patient = PatientId::parse(*patient).value();
    auto added = directory->add_user(user);
    expect_committed(added);
    auto const secret = enrol(added->enrolment_code);
    return directory->authenticate_token(login(name, secret)).value();
  }
  static std::shared_ptr<Policy const> shipped(std::string_view name) {
    return Policy::shipped(name).value();
  }

  Gate gate_{shipped("separated")};
  std::vector<std::string> const p1_{"p1"};
  std::vector<std::string> const p2_{"p2"};
  std::vector<std::string> const both_{"p1", "p2"};
  std::vector<std::string> const none_;
};

TEST_F(GateTest, DeniesAnUnknownRoleAndAnUnknownType) {
  auto const nobody = principal("nemo", "captain");
  EXPECT_EQ(gate_.authorize(nobody, Action::kRead, "Patient").error().kind(), ErrorKind::kForbidden);
  auto const doctor = principal("ada", "doctor");
  EXPECT_TRUE(gate_.authorize(doctor, Action::kRead, "Patient").has_value());
  EXPECT_FALSE(gate_.authorize(doctor, Action::kRead, "Nonsense").has_value());
  EXPECT_FALSE(gate_.authorize(doctor, Action::kRead, "").has_value());
  EXPECT_FALSE(gate_.authorize(doctor, Action::kRead, "AuditEvent").has_value());
  EXPECT_FALSE(gate_.authorize(doctor, Action::kVerify, "Patient").has_value());
  EXPECT_FALSE(gate_.authorize(doctor, static_cast<Action>(31), "Patient").has_value());
}

TEST_F(GateTest, A09SaysWhatDeniesBeforeAnyRecord) {
  auto doctor = principal("ada", "doctor");
  EXPECT_EQ(gate_.why(doctor, Action::kSearch, "Patient"), "permitted");
  EXPECT_EQ(gate_.why(doctor, Action::kDelete, "Patient"), "role");
  EXPECT_EQ(gate_.why(doctor, Action::kExport, ""), "role");
  EXPECT_EQ(gate_.why(principal("nemo", "captain"), Action::kRead, "Patient"), "role");
  doctor.state_purpose("HRESCH");
  EXPECT_EQ(gate_.why(doctor, Action::kSearch, "Patient"), "purpose");
  EXPECT_EQ(gate_.why(doctor, Action::kRead, {"Patient", "p1", p1_, 1, false}), "purpose");
}

TEST_F(GateTest, APermitJudgesTheTypeOfEachRecordItMeets) {
  auto const nurse = principal("florence", "nurse");
  auto const permit = gate_.authorize(nurse, Action::kRead, "Observation").value();
  EXPECT_EQ(permit.principal(), nurse.id());
  EXPECT_TRUE(permit.judge({"Observation", "o1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"MedicationRequest", "m1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"AuditEvent", "a1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"", "", none_, 1, false}));
}

TEST_F(GateTest, APatientSeesTheirOwnCompartmentOnly) {
  auto const patient = principal("pat", "patient", "p1");
  auto const permit = gate_.authorize(patient, Action::kRead, "Observation").value();
  EXPECT_TRUE(permit.judge({"Patient", "p1", p1_, 1, false}));
  EXPECT_TRUE(permit.judge({"Observation", "o1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"Observation", "o2", p2_, 1, false}));
  EXPECT_FALSE(permit.judge({"Appointment", "a1", both_, 1, false})) << "it tells of another patient too";
  EXPECT_FALSE(permit.judge({"Observation", "o3", none_, 1, false}));
  EXPECT_FALSE(gate_.authorize(patient, Action::kUpdate, "Observation").has_value());
  EXPECT_FALSE(gate_.authorize(patient, Action::kSearch, "Practitioner").has_value());
}

TEST_F(GateTest, APatientWithoutARecordSeesNothing) {
  auto const patient = principal("pat", "patient");
  auto const permit = gate_.authorize(patient, Action::kRead, "Observation").value();
  EXPECT_FALSE(permit.judge({"Observation", "o1", p1_, 1, false}));
  EXPECT_FALSE(permit.judge({"Observation", "o1", none_, 1, false}));
}

TEST_F(GateTest, ASystemHistoryShowsTheTypesWhoseHistoryTheRoleMaySee) {
  gate_.replace(Policy::parse("version = 1\n[roles.clerk]\ndirectory = [\"history-type\"]\n"
                              "patient-records = [\"read\"]\nsystem = [\"history-system\"]\n",
                              2)
                    .value());
  auto const permit = gate_.authorize(principal("bob", "clerk"), Action::kHistorySystem, "").value();
  EXPECT_EQ(permit.policy_epoch(), 2U);
  EXPECT_TRUE(permit.judge({"Location", "l1", none_, 1, false}));
  EXPECT_FALSE(permit.judge({"Patient", "p1", p1_, 1, false}));
}

TEST_F(GateTest, ANewPolicyCountsForTheNextDecisionAndAPermitKeepsItsOwn) {
  auto const administrator = principal("root.admin", "administrator");
  EXPECT_FALSE(gate_.authorize(administrator, Action::kRead, "Patient").has_value());
  gate_.replace(shipped("classic"));
  auto const permit = gate_.authorize(administrator, Action::kRead, "Patient");
  ASSERT_TRUE(permit.has_value());
  gate_.replace(shipped("separated"));
  EXPECT_TRUE(permit->judge({"Patient", "p1", p1_, 1, false}));
  EXPECT_FALSE(gate_.authorize(administrator, Action::kRead, "Patient").has_value());
}

TEST_F(GateTest, AdministrationNeedsTheRightAndAFreshSecondFactor) {
  auto const administrator = principal("root.admin", "administrator");
  Time const signed_in = administrator.second_factor_at();
  auto const kind_at = [&](Time now) -> std::optional<ErrorKind> {
    auto const result = gate_.authorize_admin(administrator, AdminAction::kManageUsers, now);
    return result ? std::nullopt : std::optional(result.error().kind());
  };
  EXPECT_EQ(kind_at(signed_in), std::nullopt);
  EXPECT_EQ(kind_at(signed_in + limits::kStepUpAge), std::nullopt);
  EXPECT_EQ(kind_at(signed_in + limits::kStepUpAge + std::chrono::milliseconds(1)),
            ErrorKind::kUnauthenticated);
  EXPECT_EQ(kind_at(signed_in - std::chrono::milliseconds(1)), ErrorKind::kUnauthenticated)
      << "the clock went back";
  auto const doctor = principal("ada", "doctor");
  EXPECT_EQ(
      gate_.authorize_admin(doctor, AdminAction::kManageUsers, doctor.second_factor_at()).error().kind(),
      ErrorKind::kForbidden);
}

// Who chooses somebody's role chooses what it demands: he gets no factors that outlive that.
TEST_F(GateTest, AProviderSessionChangesNoFactors) {
  auto const ada = principal("ada", "doctor");
  EXPECT_TRUE(gate_.may_change_factors(ada).has_value());
  auto linked =
      identity::Provisioning(*directory).link_provider("ada", identity::ProviderLink{"https://i", "s1"});
  expect_committed(linked);
  auto attempt = identity::Provisioning(*directory)
                     .sign_in({"https://i", "s1", "", store.clock.now()}, identity::testing::kHome);
  ASSERT_TRUE(attempt.has_value() && attempt->principal);
  EXPECT_TRUE(commit(attempt->pending).has_value());
  EXPECT_EQ(gate_.may_change_factors(*attempt->principal).error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(gate_.may_change_factors(principal("nemo", "captain")).error().kind(), ErrorKind::kForbidden);
}

TEST_F(GateTest, S03AnEmergencyAccountReadsAndDoesNothingElseWhateverItsRoleMay) {
  gate_.replace(shipped("classic"));
  identity::EmergencyAccess access(*directory);
  auto made = access.add({"er", "administrator", false, std::nullopt});
  expect_committed(made);
  auto turned = access.begin({"the provider is down", std::chrono::hours(1), ""});
  expect_committed(turned);
  auto attempt = directory->login("er", SecretBuffer(as_bytes(made->passphrase)),
                                  {.recovery_code = made->codes[0]}, identity::testing::kHome);
  ASSERT_TRUE(attempt.has_value() && attempt->principal);
  auto er = *attempt->principal;
  for (auto const action : {Action::kRead, Action::kVread, Action::kHistoryInstance, Action::kSearch})
    EXPECT_TRUE(gate_.authorize(er, action, "Patient").has_value());
  for (auto const action : {Action::kCreate, Action::kUpdate, Action::kDelete, Action::kExport,
                            Action::kHistoryType, Action::kHistorySystem}) {
    EXPECT_EQ(gate_.authorize(er, action, "Patient").error().kind(), ErrorKind::kForbidden);
    EXPECT_EQ(gate_.authorize(er, action, "").error().kind(), ErrorKind::kForbidden);
  }
  EXPECT_EQ(gate_.why(er, Action::kCreate, "Patient"), "emergency-limit");
  Time const now = store.clock.now();
  for (auto const action : {AdminAction::kManageUsers, AdminAction::kReadAudit, AdminAction::kReadStatus})
    EXPECT_EQ(gate_.authorize_admin(er, action, now).error().kind(), ErrorKind::kForbidden);
  EXPECT_FALSE(gate_.authorize_log(er, now).has_value());
  EXPECT_FALSE(gate_.authorize_emergency(er).has_value());
  EXPECT_FALSE(gate_.may_change_factors(er).has_value());
  EXPECT_EQ(gate_.purpose_of(er).value(), "ETREAT");
  er.state_purpose("TREAT");
  EXPECT_FALSE(gate_.purpose_of(er).has_value());
  EXPECT_FALSE(gate_.authorize(er, Action::kRead, "Patient").has_value());
}

TEST_F(GateTest, ChecksTheAddressListOfTheListener) {
  std::map<std::string, AddressList, std::less<>> listeners;
  listeners.emplace("fhir", AddressList::parse(std::vector<std::string>{"10.0.0.0/8"}).value());
  Gate const gate(shipped("separated"), std::move(listeners));
  EXPECT_TRUE(gate.admits("fhir", "10.1.2.3"));
  EXPECT_FALSE(gate.admits("fhir", "192.0.2.1"));
  EXPECT_FALSE(gate.admits("fhir", "garbage"));
}

}  // namespace
}  // namespace tacenda::access
