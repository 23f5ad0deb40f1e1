// Roles and rights: PRODUCT row M3, cell by cell; REQUIREMENTS S-01.
#include "access/policy.hpp"

#include <gtest/gtest.h>

namespace tacenda::access {
namespace {

// The columns: read, vread, history of an instance, history of a type, search, create, update, delete.
constexpr std::array<Action, 8> kColumns{Action::kRead,        Action::kVread,  Action::kHistoryInstance,
                                         Action::kHistoryType, Action::kSearch, Action::kCreate,
                                         Action::kUpdate,      Action::kDelete};
// One resource type for each group, and a second that is easily put into the wrong one.
constexpr std::array<std::array<std::string_view, 2>, 4> kTypes{{{"Patient", "Observation"},
                                                                 {"MedicationRequest", "MedicationStatement"},
                                                                 {"Practitioner", "Location"},
                                                                 {"Medication", "ValueSet"}}};
struct Row {
  std::string_view role;
  std::array<std::string_view, 4> rights;  // patient records, prescriptions, directory, other: x or .
};

//                      rv-i-t-s-c-u-d
constexpr std::string_view kAll = "xxxxxxxx";
constexpr std::string_view kNone = "........";
constexpr std::string_view kWork = "xxxxxxx.";    // all but delete
constexpr std::string_view kLook = "xx..x...";    // read, vread, search
constexpr std::string_view kCreate = ".....x..";  // what a loader may
constexpr std::string_view kOwn = "xxx.x...";     // what a patient may of his own record

constexpr std::array<Row, 8> kClassic{{
    {"administrator", {kAll, kAll, kAll, kAll}},
    {"doctor", {kWork, kWork, kLook, kNone}},
    {"nurse", {kWork, kNone, kLook, kNone}},
    {"auditor", {kNone, kNone, kNone, kNone}},
    {"loader", {kCreate, kCreate, kCreate, kCreate}},
    {"exporter", {kNone, kNone, kNone, kNone}},
    {"provisioner", {kNone, kNone, kNone, kNone}},
    {"patient", {kOwn, kOwn, kNone, kNone}},
}};
constexpr std::array<Row, 10> kSeparated{{
    {"administrator", {kNone, kNone, kNone, kNone}},
    {"doctor", {kWork, kWork, kLook, kNone}},
    {"nurse", {kWork, kNone, kLook, kNone}},
    {"records-officer", {"xxxx...x", "xxxx...x", kAll, "xxxx.xxx"}},
    {"privacy-officer", {kNone, kNone, kNone, kNone}},
    {"auditor", {kNone, kNone, kNone, kNone}},
    {"loader", {kCreate, kCreate, kCreate, kCreate}},
    {"exporter", {kNone, kNone, kNone, kNone}},
    {"provisioner", {kNone, kNone, kNone, kNone}},
    {"patient", {kOwn, kOwn, kNone, kNone}},
}};

void expect_table(std::string_view name, std::span<Row const> rows) {
  auto const policy = Policy::shipped(name);
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  EXPECT_EQ((*policy)->name(), name);
  EXPECT_EQ((*policy)->roles().size(), rows.size());
  for (auto const& row : rows) {
    Role const* role = (*policy)->role(row.role);
    ASSERT_NE(role, nullptr) << row.role;
    EXPECT_EQ(role->own_record_only, row.role == "patient") << row.role;
    for (std::size_t group = 0; group < kTypes.size(); ++group) {
      for (auto const type : kTypes[group]) {
        for (std::size_t column = 0; column < kColumns.size(); ++column) {
          EXPECT_EQ(role->may(kColumns[column], type), row.rights[group][column] == 'x')
              << name << ": " << row.role << ", " << type << ", column " << column;
        }
        EXPECT_FALSE(role->may(Action::kVerify, type)) << row.role;
        EXPECT_FALSE(role->may(Action::kHistorySystem, type)) << row.role;
      }
    }
  }
}

TEST(Policy, ClassicIsTheTableOfTheMission) {
  expect_table("classic", kClassic);
}

TEST(Policy, SeparatedKeepsAdministratorsOutOfTheRecords) {
  expect_table("separated", kSeparated);
}

// G-02: nobody exports but by a role made for it; in the classic table the administrator may do everything.
TEST(Policy, ExportIsARightOfItsOwn) {
  for (auto const* name : {"classic", "separated"}) {
    auto const policy = Policy::shipped(name).value();
    for (auto const& role : policy->roles()) {
      bool const exports =
          role == "exporter" || (role == "administrator" && name == std::string_view("classic"));
      EXPECT_EQ(policy->role(role)->may(Action::kExport, ""), exports) << name << " " << role;
      for (auto const& types : kTypes) {
        for (auto const type : types)
          EXPECT_EQ(policy->role(role)->may(Action::kExport, type), exports) << type;
      }
      EXPECT_FALSE(policy->role(role)->may(Action::kExport, "AuditEvent"));
    }
  }
}

TEST(Policy, ARoleThatMayExportOneGroupMayAskAndGetsThatGroupAlone) {
  auto const policy =
      Policy::parse("version = 1\n[roles.x]\ndirectory = [\"export\"]\nother = [\"read\"]", 1);
  Role const* role = policy.value()->role("x");
  EXPECT_TRUE(role->may(Action::kExport, ""));
  EXPECT_TRUE(role->may(Action::kExport, "Location"));
  EXPECT_FALSE(role->may(Action::kExport, "Patient"));
  EXPECT_FALSE(role->may(Action::kExport, "ValueSet"));
  EXPECT_FALSE(Policy::parse("version = 1\n[roles.x]\nsystem = [\"export\"]", 1).has_value());
}

// A Consent decides what others see: who keeps records does not write it thereby.
TEST(Policy, WritingConsentsIsARightOfItsOwn) {
  std::string const head = "version = 1\n[roles.x]\n";
  auto const keeper = Policy::parse(
      head + "patient-records = [\"read\", \"create\", \"update\", \"delete\"]\nconsents = [\"create\"]", 1);
  ASSERT_TRUE(keeper.has_value());
  Role const* role = (*keeper)->role("x");
  EXPECT_TRUE(role->may(Action::kRead, "Consent"));
  EXPECT_TRUE(role->may(Action::kCreate, "Consent"));
  EXPECT_FALSE(role->may(Action::kUpdate, "Consent"));
  EXPECT_FALSE(role->may(Action::kDelete, "Consent"));
  EXPECT_TRUE(role->may(Action::kUpdate, "Observation"));
  EXPECT_FALSE(Policy::parse(head + "consents = [\"read\"]", 1).has_value());
  auto const hospital = Policy::shipped("hospital").value();
  for (auto const& name : hospital->roles()) {
    bool const keeps = name == "privacy-officer" || name == "patient" || name == "proxy";
    EXPECT_EQ(hospital->role(name)->may(Action::kUpdate, "Consent"), keeps) << name;
    EXPECT_EQ(hospital->role(name)->may(Action::kDelete, "Consent"), name == "privacy-officer") << name;
  }
}

TEST(Policy, W01MovingRecordsIsARightOfItsOwn) {
  for (std::string const policy : {"separated", "classic", "hospital"}) {
    auto const shipped = Policy::shipped(policy).value();
    for (auto const& name : shipped->roles()) {
      bool const expected = (policy == "classic" && name == "administrator") ||
                            (policy == "hospital" && name == "privacy-officer");
      EXPECT_EQ(shipped->role(name)->moves_records, expected) << policy << name;
      if (expected) {
        EXPECT_TRUE(shipped->role(name)->may(Action::kUpdate, "Observation"));
      }
    }
  }
}

TEST(Policy, SystemHistoryAndAdministrationAreRightsOfTheirOwn) {
  for (auto const* name : {"classic", "separated"}) {
    auto const policy = Policy::shipped(name).value();
    std::string_view const historian =
        name == std::string_view("classic") ? "administrator" : "records-officer";
    for (auto const& role : policy->roles()) {
      bool const is_administrator = role == "administrator";
      bool const is_auditor = role == "auditor" || role == "privacy-officer";
      auto const* rights = policy->role(role);
      EXPECT_EQ(rights->may(Action::kHistorySystem, ""), role == historian) << name << " " << role;
      for (auto const action : kColumns) EXPECT_FALSE(rights->may(action, "")) << name << " " << role;
      for (auto const action : {AdminAction::kManageUsers, AdminAction::kIssueTokens, AdminAction::kSeal,
                                AdminAction::kManagePolicy, AdminAction::kManageKeys})
        EXPECT_EQ(rights->may(action), is_administrator) << name << " " << role;
      for (auto const action : {AdminAction::kReadAudit, AdminAction::kVerify, AdminAction::kReadStatus})
        EXPECT_EQ(rights->may(action), is_administrator || is_auditor) << name << " " << role;
    }
  }
}

TEST(Policy, ProvisioningIsARightOfOneRoleThatHasNoOther) {
  for (auto const* name : {"classic", "separated", "hospital"}) {
    auto const policy = Policy::shipped(name).value();
    EXPECT_TRUE(policy->bounds().group_roles.rules.empty()) << name;
    for (auto const& role : policy->roles())
      EXPECT_EQ(policy->role(role)->provisions_users, role == "provisioner") << name << " " << role;
  }
  constexpr auto kMore = std::to_array<std::string_view>(
      {"directory = [\"read\"]", "admin = [\"read-status\"]", "system = [\"history-system\"]",
       "own-record-only = true", "break-glass = true", "over-consents = true", "consents = [\"create\"]"});
  for (auto const more : kMore) {
    std::string const text = "version = 1\n[roles.x]\nprovisions-users = true\n" + std::string(more);
    EXPECT_FALSE(Policy::parse(text, 1).has_value()) << text;
  }
}

TEST(Policy, GroupsGiveListedRolesAloneInTheirOrder) {
  std::string const roles =
      "version = 1\n[roles.doctor]\n[roles.admin]\nadmin = [\"manage-users\"]\n"
      "[roles.patient]\nown-record-only = true\n[roles.scim]\nprovisions-users = true\n";
  auto const rule = [](std::string const& group, std::string const& role) {
    return "[[provisioning.groups]]\ngroup = \"" + group + "\"\nrole = \"" + role + "\"\n";
  };
  auto const policy = Policy::parse(roles + "[provisioning]\nroles = [\"doctor\", \"admin\"]\n" +
                                        rule("IT", "admin") + rule("All", "doctor"),
                                    1);
  ASSERT_TRUE(policy.has_value()) << policy.error().message();
  auto const& given = (*policy)->bounds().group_roles;
  EXPECT_EQ(given.rules.size(), 2U);
  auto const role_of = [&](std::vector<std::string_view> const& names) { return given.role_of(names); };
  EXPECT_EQ(role_of({"All", "IT"}), "admin");
  EXPECT_EQ(role_of({"All"}), "doctor");
  EXPECT_EQ(role_of({"all", ""}), "");
  for (auto const& wrong :
       {"[provisioning]\nroles = [\"doctor\"]\n" + rule("IT", "admin"), rule("IT", "doctor"),
        std::string("[provisioning]\nroles = [\"nobody\"]\n"),
        std::string("[provisioning]\nroles = [\"patient\"]\n"),
        std::string("[provisioning]\nroles = [\"scim\"]\n"),
        std::string("[provisioning]\nroles = \"doctor\"\n"), std::string("[provisioning]\nother = 1\n"),
        "[provisioning]\nroles = [\"doctor\"]\n" + rule("", "doctor"),
        "[provisioning]\nroles = [\"doctor\"]\n" + rule("IT", "doctor") + "x = 1\n"})
    EXPECT_FALSE(Policy::parse(roles + wrong, 1).has_value()) << wrong;
}

TEST(Policy, NobodyTouchesAuditEventsOrTypesThatDoNotExist) {
  for (auto const* name : {"classic", "separated"}) {
    auto const policy = Policy::shipped(name).value();
    for (auto const& role : policy->roles()) {
      for (auto const type :
           {"AuditEvent", "Nonsense", "patient", "Patient ", "Resource", "DomainResource", "*"}) {
        for (auto const action : kColumns)
          EXPECT_FALSE(policy->role(role)->may(action, type)) << name << " " << role << " " << type;
      }
    }
  }
}

TEST(Policy, KnowsNoRoleThatItDoesNotName) {
  auto const policy = Policy::shipped("classic").value();
  for (auto const role : {"", "root", "Doctor", "doctor ", "roles"})
    EXPECT_EQ(policy->role(role), nullptr) << role;
  EXPECT_EQ(Policy::shipped("open").error().kind(), ErrorKind::kNotFound);
}

TEST(Policy, TakesNoNumberThatIsNone) {
  for (std::string const number : {"1.0", "2e62", "nan", "-inf", "1979-05-27"}) {
    EXPECT_FALSE(Policy::parse("version = " + number + "\n[roles.a]", 1).has_value()) << number;
    EXPECT_FALSE(Policy::parse("version = 1\n[emergency]\nminutes = " + number, 1).has_value()) << number;
    EXPECT_FALSE(Policy::parse("version = 1\n[roles.a]\nawareness-grace-days = " + number, 1).has_value())
        << number;
  }
}

TEST(Policy, RefusesEveryWordItDoesNotKnow) {
  std::string const head = "version = 1\nname = \"x\"\n";
  EXPECT_TRUE(Policy::parse(head + "[roles.r]\npatient-records = [\"read\"]\n", 1).has_value());
  for (std::string const& text : {
           std::string(),
           std::string("not TOML at all ["),
           std::string("[roles.r]\n"),
           std::string("version = 2\n[roles.r]\n"),
           std::string("version = \"1\"\n[roles.r]\n"),
           head,
           head + "roles = 3\n",
           head + "encryption = false\n[roles.r]\n",
           head + "[roles]\nr = 3\n",
           head + "[roles.r]\npatient-record = [\"read\"]\n",
           head + "[roles.r]\npatient-records = [\"raed\"]\n",
           head + "[roles.r]\npatient-records = [\"history-system\"]\n",
           head + "[roles.r]\npatient-records = [3]\n",
           head + "[roles.r]\npatient-records = \"read\"\n",
           head + "[roles.r]\npatient-records = [\"*\"]\n",
           head + "[roles.r]\nsystem = [\"read\"]\n",
           head + "[roles.r]\nadmin = [\"everything\"]\n",
           head + "[roles.r]\nown-record-only = \"no\"\n",
           head + "[roles.r]\n[roles.r]\n",
       }) {
    auto const policy = Policy::parse(text, 1);
    ASSERT_FALSE(policy.has_value()) << text;
    EXPECT_EQ(policy.error().kind(), ErrorKind::kInvalid);
  }
}

TEST(Policy, C14EveryPolicyWantsTheRecordOfADisclosureForPart2RecordsUnlessItSaysOtherwise) {
  std::vector<std::shared_ptr<Policy const>> policies{
      Policy::parse("version = 1\n[roles.r]\n", 1).value(),
      Policy::parse("version = 1\n[emergency]\nnever = [\"PSYTHPN\"]\n[roles.r]\n", 1).value()};
  for (auto const* name : {"separated", "classic", "hospital"})
    policies.push_back(Policy::shipped(name).value());
  for (auto const& policy : policies) {
    EXPECT_TRUE(policy->bounds().recorded_in_emergency.contains("42CFRPart2")) << policy->name();
    EXPECT_TRUE(policy->bounds().never_in_emergency.contains("PSYTHPN")) << policy->name();
  }
}

TEST(Policy, C15C16RestrictedAndListedRecordsAreOpenToRolesThatSayIt) {
  auto const policy =
      Policy::parse(
          "version = 1\n[roles.r]\nclearance = \"V\"\n[roles.s]\nrestricted-without-relation = true\n"
          "over-lists = true\n",
          1)
          .value();
  EXPECT_FALSE(policy->role("r")->restricted_without_relation || policy->role("r")->over_lists);
  EXPECT_TRUE(policy->role("s")->restricted_without_relation && policy->role("s")->over_lists);
  auto const hospital = Policy::shipped("hospital").value();
  for (auto const& name : hospital->roles())
    EXPECT_EQ(hospital->role(name)->over_lists, name == "privacy-officer") << name;
}

TEST(Policy, S12WhatReachesPatientsOrTheAdministrationIsPrivileged) {
  for (auto const* name : {"separated", "classic", "hospital"}) {
    auto const policy = Policy::shipped(name).value();
    for (auto const& role : policy->roles()) EXPECT_TRUE(policy->role(role)->is_privileged()) << role;
  }
  auto const rights = [](std::string_view text) {
    auto const policy = Policy::parse("version = 1\n[roles.x]\n" + std::string(text), 1).value();
    return policy->role("x")->is_privileged();
  };
  EXPECT_FALSE(rights(""));
  EXPECT_FALSE(rights("directory = [\"read\", \"update\"]"));
  for (auto const* text :
       {"patient-records = [\"create\"]", "prescriptions = [\"read\"]", "other = [\"read\"]",
        "consents = [\"create\"]", "system = [\"history-system\"]", "admin = [\"read-status\"]",
        "directory = [\"export\"]", "break-glass = true", "provisions-users = true"})
    EXPECT_TRUE(rights(text)) << text;
}

TEST(Policy, S12WhoGrantsOrReviewsMayApprove) {
  auto const hospital = Policy::shipped("hospital").value();
  for (auto const& name : hospital->roles()) {
    bool const expected = name == "administrator" || name == "privacy-officer";
    EXPECT_EQ(hospital->role(name)->may(AdminAction::kApprove), expected) << name;
  }
  auto const named = Policy::parse("version = 1\n[roles.x]\nadmin = [\"approve\"]", 1).value();
  EXPECT_TRUE(named->role("x")->may(AdminAction::kApprove));
  EXPECT_FALSE(named->role("x")->may(AdminAction::kManageUsers));
}

TEST(Policy, G07ErasingAndHoldingAreRightsOfThePrivacyOfficer) {
  for (std::string const name : {"separated", "classic", "hospital"}) {
    auto const policy = Policy::shipped(name).value();
    for (auto const& role : policy->roles()) {
      bool const expected = role == (name == "classic" ? "administrator" : "privacy-officer");
      EXPECT_EQ(policy->role(role)->may(AdminAction::kErase), expected) << name << " " << role;
      EXPECT_EQ(policy->role(role)->may(AdminAction::kHold), expected) << name << " " << role;
    }
  }
  // Who may only set holds agrees to nothing.
  auto const named = Policy::parse("version = 1\n[roles.x]\nadmin = [\"legal-hold\"]", 1).value();
  EXPECT_FALSE(named->role("x")->may(AdminAction::kApprove));
}

TEST(Policy, C20SaysHowLongARelationLasts) {
  auto const with = [](std::string const& relation) {
    return Policy::parse("version = 1\n" + relation + "[roles.a]\npatient-records = [\"read\"]\n", 1);
  };
  auto const plain = with("");
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ((*plain)->bounds().relation, RelationTimes());
  auto const shorter = with("[relation]\norder-days = 30\nencounter-days = 3650\n");
  ASSERT_TRUE(shorter.has_value());
  EXPECT_EQ((*shorter)->bounds().relation.order, std::chrono::days(30));
  EXPECT_EQ((*shorter)->bounds().relation.encounter, std::chrono::days(3650));
  EXPECT_EQ((*shorter)->bounds().relation.care_team, RelationTimes().care_team);
  for (auto const* wrong : {"order-days = 0", "order-days = 3651", "order-days = -1", "order-days = \"30\"",
                            "order-days = 9223372036854775807", "years = 1"})
    EXPECT_FALSE(with("[relation]\n" + std::string(wrong) + "\n").has_value()) << wrong;
}

TEST(Policy, C20ARoleWritesTheTypesThatItNamesAndReadsTheRest) {
  auto const policy = Policy::shipped("hospital");
  ASSERT_TRUE(policy.has_value());
  Role const* lab = (*policy)->role("lab");
  ASSERT_NE(lab, nullptr);
  EXPECT_TRUE(lab->may(Action::kRead, "ServiceRequest"));
  EXPECT_TRUE(lab->may(Action::kCreate, "Observation"));
  for (auto const* type : {"ServiceRequest", "Patient", "Encounter", "CareTeam", "Appointment"})
    EXPECT_FALSE(lab->may(Action::kCreate, type)) << type;
  EXPECT_FALSE(Policy::parse("version = 1\n[roles.a]\nwrites = [\"Nothing\"]\n", 1).has_value());
}

}  // namespace
}  // namespace tacenda::access
