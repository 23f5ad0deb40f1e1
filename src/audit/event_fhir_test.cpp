// REQUIREMENTS A-01 to A-07 and annex C.
#include <set>

#include <gtest/gtest.h>

#include "audit/event.hpp"
#include "audit/internal/kinds.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"

namespace tacenda::audit {
namespace {

using codec::Json;

constexpr std::string_view kStore = "1f0b57a1-6c3d-4f43-9d2a-0d3a8a6f3f10";

Entry entry_of(EventKind kind) {
  Entry entry;
  entry.sequence = 42;
  entry.recorded = from_unix_ms(1'800'000'000'123);
  entry.event.kind = kind;
  entry.event.actor_id = "u-1";
  entry.event.actor_name = "dr";
  entry.event.role = "doctor";
  entry.event.token_id = "jti-1";
  entry.event.client = "tacenda-cli";
  entry.event.network = "192.0.2.7";
  entry.event.request_id = "r-1";
  entry.event.resource_type = "Observation";
  entry.event.resource_id = "o1";
  entry.event.patients = {"p1"};
  entry.event.purpose_of_use = "TREAT";
  return entry;
}

Json fhir(Entry const& entry) {
  return codec::parse_json(to_fhir(entry, kStore)).value();
}

std::string profile(Json const& event) {
  Json const* const meta = event.find("meta");
  return meta == nullptr ? "" : std::string(meta->find("profile")->items().at(0).as_string());
}

/// The agent whose type has this code.
Json agent(Json const& event, std::string_view code) {
  for (auto const& one : event.find("agent")->items()) {
    Json const* const type = one.find("type");
    if (type != nullptr && type->find("coding")->items().at(0).text_of("code") == code) return one;
  }
  return {};
}

/// The entity with this type code and role code.
Json entity(Json const& event, std::string_view type, std::string_view role) {
  Json const* const entities = event.find("entity");
  if (entities == nullptr) return {};
  for (auto const& one : entities->items()) {
    Json const* const with_role = one.find("role");
    std::string_view const found = with_role == nullptr ? "" : with_role->text_of("code");
    if (one.find("type")->text_of("code") == type && found == role) return one;
  }
  return {};
}

TEST(AuditEventFhir, A01HasWhatR4Demands) {
  for (int number = 0; number < 256; ++number) {
    auto const kind = static_cast<EventKind>(number);
    if (facts_of(kind) == nullptr) continue;
    Json const event = fhir(entry_of(kind));
    EXPECT_EQ(event.text_of("resourceType"), "AuditEvent");
    EXPECT_EQ(event.text_of("id"), "42");
    EXPECT_EQ(event.text_of("recorded"), "2027-01-15T08:00:00.123Z");
    EXPECT_EQ(event.text_of("outcome"), "0");
    EXPECT_FALSE(event.find("type")->text_of("code").empty());
    EXPECT_FALSE(event.find("subtype")->items().empty());
    EXPECT_FALSE(event.find("source")->find("observer")->members().empty());
    int requestors = 0;
    for (auto const& one : event.find("agent")->items()) {
      ASSERT_NE(one.find("requestor"), nullptr);
      if (one.find("requestor")->as_boolean()) ++requestors;
      EXPECT_NE(one.find("who"), nullptr);
    }
    EXPECT_EQ(requestors, 1) << name_of(kind);
  }
}

TEST(AuditEventFhir, A02ReadNamesPatientDataAndRequest) {
  Entry entry = entry_of(EventKind::kRead);
  entry.event.resource_version = 3;
  Json const event = fhir(entry);
  EXPECT_EQ(profile(event),
            "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientRead");
  EXPECT_EQ(event.find("type")->text_of("code"), "rest");
  EXPECT_EQ(event.find("subtype")->items().at(0).text_of("code"), "read");
  EXPECT_EQ(event.text_of("action"), "R");
  EXPECT_EQ(entity(event, "1", "1").find("what")->text_of("reference"), "Patient/p1");
  EXPECT_EQ(entity(event, "2", "4").find("what")->text_of("reference"), "Observation/o1/_history/3");
  EXPECT_EQ(entity(event, "XrequestId", "").find("what")->find("identifier")->text_of("value"), "r-1");
}

TEST(AuditEventFhir, A02ReadWithoutPatientClaimsThePlainProfile) {
  Entry entry = entry_of(EventKind::kVread);
  entry.event.patients.clear();
  Json const event = fhir(entry);
  EXPECT_EQ(profile(event), "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.Read");
  EXPECT_EQ(event.find("subtype")->items().at(0).text_of("code"), "vread");
}

TEST(AuditEventFhir, A03SearchKeepsTheRawRequest) {
  Entry entry = entry_of(EventKind::kSearch);
  entry.event.resource_id.clear();
  entry.event.query = "name=O'Brien&x=%00%ff";
  Json const event = fhir(entry);
  EXPECT_EQ(profile(event),
            "https://profiles.ihe.net/ITI/BALP/StructureDefinition/IHE.BasicAudit.PatientQuery");
  EXPECT_EQ(event.text_of("action"), "E");
  EXPECT_EQ(event.find("subtype")->items().at(0).text_of("code"), "search-type");
  Json const query = entity(event, "2", "24");
  EXPECT_EQ(query.text_of("query"), "bmFtZT1PJ0JyaWVuJng9JTAwJWZm");
  EXPECT_EQ(query.find("what"), nullptr);
  EXPECT_TRUE(entity(event, "2", "4").is_null());
}

TEST(AuditEventFhir, A03SearchOfTheWholeSystemSaysSo) {
  Entry entry = entry_of(EventKind::kSearch);
  entry.event.resource_type.clear();
  entry.event.resource_id.clear();
  EXPECT_EQ(fhir(entry).find("subtype")->items().at(0).text_of("code"), "search-system");
}

TEST(AuditEventFhir, A04ChangesHaveTheirActionsAndRoles) {
  Json const create = fhir(entry_of(EventKind::kCreate));
  EXPECT_EQ(create.text_of("action"), "C");
  EXPECT_FALSE(agent(create, "110153").find("requestor")->as_boolean());
  EXPECT_FALSE(agent(create, "110152").is_null());
  EXPECT_TRUE(agent(create, "AUT").find("requestor")->as_boolean());
  Json const update = fhir(entry_of(EventKind::kUpdate));
  EXPECT_EQ(update.text_of("action"), "U");
  Json const patch = fhir(entry_of(EventKind::kPatch));
  EXPECT_EQ(patch.text_of("action"), "U");
  EXPECT_EQ(patch.find("subtype")->items().at(0).text_of("code"), "patch");
  EXPECT_EQ(profile(patch), profile(update));
  Json const removed = fhir(entry_of(EventKind::kDelete));
  EXPECT_EQ(removed.text_of("action"), "D");
  EXPECT_FALSE(agent(removed, "110150").is_null());
  EXPECT_FALSE(agent(removed, "custodian").is_null());
}

TEST(AuditEventFhir, A05AgentsAreClientServerAndUser) {
  Json const event = fhir(entry_of(EventKind::kRead));
  Json const client = agent(event, "110152");
  EXPECT_EQ(client.find("network")->text_of("address"), "192.0.2.7");
  EXPECT_EQ(client.find("network")->text_of("type"), "2");
  EXPECT_EQ(client.find("who")->text_of("display"), "tacenda-cli");
  Json const server = agent(event, "110153");
  EXPECT_EQ(server.find("network")->text_of("address"), "urn:uuid:" + std::string(kStore));
  Json const user = agent(event, "IRCP");
  EXPECT_EQ(user.find("network"), nullptr);
  EXPECT_EQ(user.find("who")->find("identifier")->text_of("value"), "u-1");
  EXPECT_EQ(user.text_of("name"), "dr");
  EXPECT_EQ(user.find("role")->items().at(0).text_of("text"), "doctor");
  EXPECT_EQ(user.find("purposeOfUse")->items().at(0).find("coding")->items().at(0).text_of("code"), "TREAT");
}

TEST(AuditEventFhir, A07NamesTheTokenByItsId) {
  Json const user = agent(fhir(entry_of(EventKind::kRead)), "IRCP");
  EXPECT_EQ(user.find("policy")->items().at(0).as_string(), "urn:ietf:params:oauth:jti:jti-1");
}

TEST(AuditEventFhir, A09AFailureClaimsNoProfileAndSaysWhy) {
  Entry entry = entry_of(EventKind::kRead);
  entry.event.outcome = Outcome::kMinorFailure;
  entry.event.reason = "role may not read";
  Json const event = fhir(entry);
  EXPECT_EQ(profile(event), "");
  EXPECT_EQ(event.text_of("outcome"), "4");
  EXPECT_EQ(event.text_of("outcomeDesc"), "role may not read");
}

TEST(AuditEventFhir, O02ChangeOfARoleTellsOldAndNew) {
  Entry entry = entry_of(EventKind::kRoleChanged);
  entry.event.patients.clear();
  entry.event.resource_type.clear();
  entry.event.target = "ann";
  entry.event.old_value = "nurse";
  entry.event.new_value = "administrator";
  Json const target = entity(fhir(entry), "2", "");
  EXPECT_EQ(target.text_of("name"), "ann");
  EXPECT_EQ(target.find("detail")->items().at(0).text_of("valueString"), "nurse");
  EXPECT_EQ(target.find("detail")->items().at(1).text_of("valueString"), "administrator");
}

TEST(AuditEventFhir, G09AnErasedSearchReadsAsErased) {
  Entry entry;
  entry.event.kind = EventKind::kSearch;
  entry.readable = false;
  Json const event = fhir(entry);
  EXPECT_EQ(entity(event, "2", "24").text_of("query"), codec::base64_encode(as_bytes("erased")));
  EXPECT_EQ(event.find("agent")->items().at(0).find("who")->text_of("display"), "erased");
}

TEST(AuditEventFhir, G09AnErasedTextOfAReadableSearchReadsAsErased) {
  Entry entry = entry_of(EventKind::kSearch);
  entry.event.resource_id.clear();
  entry.query_state = QueryState::kErased;
  Json const event = fhir(entry);
  Json const query = entity(event, "2", "24");
  EXPECT_EQ(query.text_of("query"), codec::base64_encode(as_bytes("erased")));
  EXPECT_EQ(query.text_of("description"), "the text was erased with a patient whom it matched or named");
  EXPECT_FALSE(entity(event, "1", "1").is_null()) << "whose entry it is stays";
}

TEST(AuditEventFhir, ATextThatWasNotAskedForIsNotTakenForARequestWithoutOne) {
  Entry entry = entry_of(EventKind::kSearch);
  entry.event.resource_id.clear();
  entry.query_state = QueryState::kSealed;
  EXPECT_EQ(entity(fhir(entry), "2", "24").text_of("query"), codec::base64_encode(as_bytes("sealed")));
  entry.query_state = QueryState::kOpen;
  entry.event.query = "sealed";
  EXPECT_EQ(entity(fhir(entry), "2", "24").text_of("description"), "");
}

TEST(AuditEventFhir, G17APatientIsToldWhoDidWhatAndNothingElse) {
  Entry entry = entry_of(EventKind::kRead);
  entry.event.patients = {"p1", "p2-canary"};
  entry.event.query = "canary-query";
  entry.event.target = "canary-target";
  entry.event.old_value = "canary-old";
  entry.event.new_value = "canary-new";
  entry.event.reason = "canary-reason";
  entry.event.explained_by = "canary-relation";
  entry.query_state = QueryState::kOpen;
  std::string const text = to_fhir_for_patient(entry, "p1", kStore);
  for (std::string_view const hidden : {"canary", "192.0.2.7", "jti-1", "tacenda-cli", "r-1", "BasicAudit"})
    EXPECT_FALSE(text.contains(hidden)) << hidden;
  EXPECT_FALSE(text.contains(codec::base64_encode(as_bytes(std::string_view("canary-query")))));
  auto const told = codec::parse_json(text).value();
  Json const user = agent(told, "IRCP");
  EXPECT_EQ(user.text_of("name"), "dr");
  EXPECT_EQ(user.find("role")->items().at(0).text_of("text"), "doctor");
  EXPECT_EQ(entity(told, "1", "1").find("what")->text_of("reference"), "Patient/p1");
  EXPECT_EQ(told.text_of("recorded"), fhir(entry).text_of("recorded"));
  EXPECT_EQ(told.text_of("id"), "42");
}

TEST(AuditEventFhir, EveryKindHasANameOfItsOwn) {
  std::set<std::string_view> names;
  std::size_t kinds = 0;
  for (int number = 0; number < 256; ++number) {
    if (facts_of(static_cast<EventKind>(number)) == nullptr) continue;
    ++kinds;
    names.insert(name_of(static_cast<EventKind>(number)));
  }
  EXPECT_EQ(kinds, 118U) << "add a line to docs/audit-events.md as well";
  EXPECT_EQ(names.size(), kinds);
  EXPECT_EQ(name_of(static_cast<EventKind>(9'999)), "unknown");
}

}  // namespace
}  // namespace tacenda::audit
