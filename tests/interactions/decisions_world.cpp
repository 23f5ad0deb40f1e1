#include "interactions/decisions_world.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

#include <fmt/format.h>

namespace tacenda::operations::test {

std::string_view const kDecisionsPolicy = R"(version = 1
[consent]
purposes-without = ["TREAT", "PUBHLTH"]
[labels]
sensitive = ["HIV"]
[roles.all]
chooses-ids = true
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update"]
directory = ["read", "search", "create", "update"]
consents = ["create", "update"]
clearance = "V"
restricted-without-relation = true
over-lists = true
sensitive = ["HIV"]
purposes = ["TREAT"]
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update"]
[roles.plain]
moves-records = true
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
clearance = "V"
restricted-without-relation = true
over-lists = true
sensitive = ["HIV"]
purposes = ["TREAT"]
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
[roles.normal]
moves-records = true
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
purposes = ["TREAT"]
[roles.cleared]
moves-records = true
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
clearance = "R"
restricted-without-relation = true
sensitive = ["HIV"]
purposes = ["TREAT"]
[roles.treating]
moves-records = true
break-glass = true
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
clearance = "R"
relation = "required"
purposes = ["TREAT"]
[roles.viewer]
other = ["read", "vread", "history-instance", "history-type", "search"]
patient-records = ["read", "vread", "history-instance", "history-type", "search"]
purposes = ["TREAT"]
[roles.viewer.views]
Patient = ["name"]
[roles.scholar]
moves-records = true
other = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
patient-records = ["read", "vread", "history-instance", "history-type", "search", "create", "update", "delete"]
clearance = "R"
purposes = ["HRESCH"]
)";

namespace {

constexpr std::string_view kMe = "me";  // the asker's Practitioner

std::string security_of(Record const& record) {
  std::vector<std::string> labels;
  if (!record.level.empty()) {
    labels.push_back(
        fmt::format(R"({{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"{}"}})",
                    record.level));
  }
  if (record.hiv)
    labels.emplace_back(R"({"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"})");
  if (labels.empty()) return {};
  return fmt::format(R"("meta":{{"security":[{}]}},)", fmt::join(labels, ","));
}

std::string consent_of(Person const& person, std::string const& id) {
  auto const consent = [&](std::string_view rule, std::string_view provision) {
    return fmt::format(
        R"({{"resourceType":"Consent","id":"{}","status":"active","scope":{{"coding":[{{"system":)"
        R"("http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"category":[{{"text":"c"}}],)"
        R"("patient":{{"reference":"Patient/{}"}},"policyRule":{{"coding":[{{"system":)"
        R"("http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"{}"}}]}}{}}})",
        id, person.id, rule,
        provision.empty() ? "" : fmt::format(R"(,"provision":{{"provision":[{}]}})", provision));
  };
  std::string const me = fmt::format(
      R"("actor":[{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType",)"
      R"("code":"IRCP"}}]}},"reference":{{"reference":"Practitioner/{}"}}}}])",
      kMe);
  switch (person.wish) {
    case Wish::kOptOut:
      return consent("OPTOUT", "");
    case Wish::kOptOutButMe:
      return consent("OPTOUT", R"({"type":"permit",)" + me + "}");
    case Wish::kOptInNoHiv:
      return consent("OPTIN", R"({"type":"deny","securityLabel":[{"system":)"
                              R"("http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"HIV"}]})");
    case Wish::kOptInNoObservations:
      return consent(
          "OPTIN",
          R"({"type":"deny","class":[{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}]})");
    case Wish::kOptInNotMe:
      return consent("OPTIN", R"({"type":"deny",)" + me + "}");
    case Wish::kOptInResearch:
      return consent("OPTIN", "");
    case Wish::kNone:
      break;
  }
  return {};
}

bool is_permitted(Who const& who, Person const& person, Record const& record) {
  if (who.breaks_glass && person.emergency) return true;
  switch (person.wish) {
    case Wish::kNone:
      return who.role != "scholar";
    case Wish::kOptOut:
    case Wish::kOptInNotMe:
      return false;
    case Wish::kOptInNoHiv:
      return !record.hiv;
    case Wish::kOptInNoObservations:
      return record.type != "Observation";
    case Wish::kOptOutButMe:
    case Wish::kOptInResearch:
      return true;
  }
  return false;
}

bool is_cleared(Who const& who, Record const& record, bool is_treated) {
  if (record.hiv && who.role != "cleared") return false;
  if (record.level == "V") return false;
  if (record.level != "R" || who.role == "cleared") return true;
  return (who.role == "treating" || who.role == "scholar") && is_treated;
}

}  // namespace

World Maker::world() {
  World world;
  std::size_t const people = 3 + pick(4);
  for (std::size_t i = 0; i < people; ++i) {
    Person person{fmt::format("p{}", i), static_cast<Wish>(pick(7)), pick(2) == 0, pick(3) == 0};
    add_person(world, person);
    world.people.push_back(person);
  }
  std::size_t const more = 10 + pick(15);
  for (std::size_t i = 0; i < more; ++i) add_record(world, world.people[pick(people)], i);
  for (std::size_t i = 0; i < 6; ++i) add_other(world, i);
  return world;
}

std::string Maker::query(World const& world) {
  std::string const patient = world.people[pick(world.people.size())].id;
  std::string const code = fmt::format("c{}", pick(4));
  std::string const family = fmt::format("f{}", pick(3));
  std::string const other = world.records[pick(world.records.size())].id;
  std::vector<std::string> const queries{
      "Observation?",
      "Observation?subject=Patient/" + patient,
      "Observation?code=" + code,
      "Observation?code:not=" + code,
      "Observation?_security=HIV",
      "Observation?_security:not=HIV",
      "Observation?patient.family=" + family,
      "Observation?subject:Patient.family=" + family,
      "Observation?patient.birthdate=lt1980",
      "Observation?patient._has:Condition:patient:code=" + code,
      "Observation?_has:Observation:derived-from:code=" + code,
      "Observation?derived-from.code=" + code,
      "Observation?derived-from:missing=false",
      "Observation?_id=" + other,
      "Observation?code=" + code + "&_include=Observation:subject&_include=Observation:derived-from",
      "Condition?patient.family=" + family + "&_include=*",
      "Condition?code=" + code + "&_include=Condition:subject&_revinclude:iterate=Observation:subject",
      "Patient?",
      "Patient?family=" + family,
      "Patient?_has:Observation:patient:code=" + code,
      "Patient?_has:Observation:patient:_security=HIV",
      "Patient?_has:Condition:patient:_has:Condition:patient:code=" + code,
      "Patient?_has:Consent:patient:status=active",
      "Patient?_id=" + patient + "&_revinclude=Observation:subject&_revinclude=Condition:subject",
      "Patient?family=" + family + "&_revinclude=*",
      "Consent?patient.family=" + family,
      "Encounter?patient=Patient/" + patient,
      "Task?",
      "Task?patient=Patient/" + patient,
      "Task?focus:Observation.code=" + code,
      "Task?patient.family=" + family + "&_include=Task:focus&_include=Task:patient",
      "Patient?_has:Task:patient:status=requested",
      "Observation?code=" + code + "&_revinclude=Task:focus",
      "Device?",
      "Device?patient.family=" + family,
      "history Task",
      "read Task/t" + std::to_string(pick(6)),
      "Patient/" + patient + "/Observation?",
      "Patient/" + patient + "/*?",
      "$everything " + patient,
      "history Observation",
      "history Patient",
      "history Observation/" + other,
      "read Observation/" + other,
      "read Patient/" + patient,
  };
  std::string query = queries[pick(queries.size())];
  if (query.find('?') == std::string::npos) return query;
  bool const one_type = query.find("/*?") == std::string::npos;
  std::vector<std::string> const forms{
      "",
      "_summary=count",
      "_total=accurate",
      "_count=2",
      "_count=1&_total=accurate",
      one_type ? "_sort=-_id&_count=2" : "_count=3",
      "_sort=_id&_count=2",
      query.starts_with("Observation") ? "_sort=-date&_count=3" : "_count=2",
      query.starts_with("Patient?") ? "_sort=family,birthdate&_count=2" : ""};
  auto const& form = forms[pick(forms.size())];
  if (!form.empty()) query += (query.ends_with('?') ? "" : "&") + form;
  return query;
}

void Maker::add(World& world, Record record, std::string const& rest) {
  record.json = fmt::format(R"({{"resourceType":"{}","id":"{}",{}{}}})", record.type, record.id,
                            security_of(record), rest);
  world.records.push_back(std::move(record));
}

void Maker::label(Record& record) {
  static constexpr std::array<std::string_view, 6> kLevels{"", "", "", "N", "R", "V"};
  record.level = kLevels[pick(kLevels.size())];
  record.hiv = pick(4) == 0;
}

void Maker::add_person(World& world, Person const& person) {
  Record record{"Patient", person.id, person.id, {}, false, {}};
  if (pick(4) == 0) record.level = "R";
  add(world, record,
      fmt::format(R"("name":[{{"family":"f{}"}}],"birthDate":"19{}0-01-0{}")", pick(3), 3 + pick(6),
                  1 + pick(9)));
  if (person.treated) {
    add(world, {"Encounter", "e" + person.id, person.id, {}, false, {}},
        fmt::format(
            R"("status":"in-progress","class":{{"code":"IMP"}},"subject":{{"reference":"Patient/{}"}},)"
            R"("participant":[{{"individual":{{"reference":"Practitioner/{}"}}}}])",
            person.id, kMe));
  }
  std::string const id = "k" + person.id;
  if (auto json = consent_of(person, id); !json.empty())
    world.records.push_back({"Consent", id, person.id, {}, false, std::move(json)});
}

void Maker::add_record(World& world, Person const& person, std::size_t number) {
  bool const observation = pick(3) != 0;
  Record record{
      observation ? "Observation" : "Condition", fmt::format("r{}", number), person.id, {}, false, {}};
  label(record);
  record.code = fmt::format("c{}", pick(4));
  std::string rest = fmt::format(R"("code":{{"coding":[{{"system":"http://s","code":"{}"}}]}},)"
                                 R"("subject":{{"reference":"Patient/{}"}})",
                                 record.code, person.id);
  if (observation) {
    rest += fmt::format(R"(,"status":"final","effectiveDateTime":"20{}-01-01")", 10 + pick(9));
    std::vector<std::string> earlier;
    for (auto const& each : world.records) {
      if (each.type == "Observation") earlier.push_back(each.id);
    }
    // Perhaps of another patient: a link from what is seen to what is not.
    if (!earlier.empty() && pick(2) == 0)
      rest +=
          fmt::format(R"(,"derivedFrom":[{{"reference":"Observation/{}"}}])", earlier[pick(earlier.size())]);
  }
  add(world, std::move(record), rest);
}

void Maker::add_other(World& world, std::size_t number) {
  auto const& person = world.people[pick(world.people.size())];
  bool const device = pick(3) == 0;
  Record record{device ? "Device" : "Task", fmt::format("t{}", number), person.id, {}, false, {}};
  label(record);
  std::string rest;
  if (device) {
    rest = fmt::format(R"("patient":{{"reference":"Patient/{}"}})", person.id);
  } else {
    rest =
        fmt::format(R"("status":"requested","intent":"order","for":{{"reference":"Patient/{}"}})", person.id);
    if (pick(2) == 0) {
      record.other = world.people[pick(world.people.size())].id;
      rest += fmt::format(R"(,"requester":{{"reference":"Patient/{}"}})", record.other);
    }
    if (pick(2) == 0) {
      auto const focus = fmt::format("r{}", pick(10));
      rest += fmt::format(R"(,"focus":{{"reference":"Observation/{}"}})", focus);
      for (auto const& each : world.records) {
        if (each.type == "Observation" && each.id == focus) record.focused = each.patient;
      }
    }
  }
  add(world, std::move(record), rest);
}

std::vector<Who> everybody() {
  return {{"normal", "normal"},  {"cleared", "cleared"},           {"treating", "treating"},
          {"viewer", "viewer"},  {"application", "cleared", "c1"}, {"emergency", "treating", {}, true},
          {"scholar", "scholar"}};
}

bool may_see(Who const& who, World const& world, Record const& record) {
  if (!who.code.empty() && !record.code.empty() && record.code != who.code) return false;
  std::vector<Person> about;
  for (auto const& person : world.people) {
    if (person.id == record.patient || person.id == record.other || person.id == record.focused)
      about.push_back(person);
  }
  bool const is_treated = std::ranges::all_of(about, &Person::treated);
  bool const is_emergency = who.breaks_glass && std::ranges::all_of(about, &Person::emergency);
  if (who.role == "treating" && !is_treated && !is_emergency) return false;
  if (!std::ranges::all_of(about, [&](Person const& person) { return is_permitted(who, person, record); }))
    return false;
  return is_emergency || is_cleared(who, record, is_treated);
}

std::string seen_text(Who const& who, Record const& record) {
  auto const at = record.json.find(R"(,"birthDate")");
  if (who.role != "viewer" || at == std::string::npos) return record.json;
  return record.json.substr(0, at) + "}";
}

void fill(TestServer& server, World const& world,
          std::function<std::optional<std::string>(Record const&)> const& text) {
  auto const all = server.sign_in("all");
  for (auto const& record : world.records) {
    auto const json = text(record);
    if (!json) continue;
    auto const written = server.update(all, *json);
    ASSERT_TRUE(written.has_value()) << *json << ": " << written.error().message();
  }
}

std::unique_ptr<TestServer> store_of_all(World const& world) {
  auto whole = std::make_unique<TestServer>("classic", TestServer::Eyes::kBlind);
  whole->gate().replace(access::Policy::parse(kDecisionsPolicy, 1).value());
  fill(*whole, world, [](Record const& record) { return std::optional(record.json); });
  whole->open_eyes();
  return whole;
}

std::unique_ptr<TestServer> store_of_what_is_seen(Who const& who, World const& world) {
  auto seen = std::make_unique<TestServer>("classic", TestServer::Eyes::kBlind);
  seen->gate().replace(access::Policy::parse(kDecisionsPolicy, 1).value());
  fill(*seen, world, [&](Record const& record) {
    return may_see(who, world, record) ? std::optional(seen_text(who, record)) : std::nullopt;
  });
  return seen;
}

std::uint32_t rounds() {
  auto const* text = std::getenv("TACENDA_DECISION_ROUNDS");
  return text == nullptr ? 6 : static_cast<std::uint32_t>(std::strtoul(text, nullptr, 10));
}

identity::Principal sign_in(TestServer& server, Who const& who, World const& world) {
  auto principal = server.sign_in(who.role);
  auto link = server.assignments().set_practitioner(principal.id().view(), ResourceId::parse(kMe).value());
  EXPECT_TRUE(link.has_value());
  link->committed();
  for (auto const& person : world.people) {
    if (!who.breaks_glass || !person.emergency) continue;
    auto begun = server.assignments().begin_emergency(principal.id().view(), person.id, "unconscious",
                                                      std::chrono::hours(1));
    EXPECT_TRUE(begun.has_value());
    begun->change.committed();
  }
  if (who.code.empty()) return principal;
  auto application = std::make_shared<identity::Application>();
  application->client = "app";
  application->scopes =
      codec::parse_scopes(
          fmt::format("system/Patient.rs system/Encounter.rs system/Consent.rs system/Task.rs "
                      "system/Device.rs system/Observation.rs?code=http://s|{0} "
                      "system/Condition.rs?code=http://s|{0} system/*.cud",
                      who.code))
          .value();
  return server.directory().principal_for_work(principal.id(), application).value();
}

}  // namespace tacenda::operations::test
