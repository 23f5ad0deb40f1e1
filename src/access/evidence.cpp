#include "access/evidence.hpp"

#include <algorithm>
#include <chrono>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/log.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

// What is looked at for one answer: places by the index, and records that are opened.
constexpr std::size_t kPlaces = 10'000;
constexpr std::size_t kOpened = 1'000;
constexpr std::size_t kRoles = 200;  // of one practitioner

void add_consent(std::string_view text, std::vector<Consent>& consents) {
  auto const json = codec::parse_json(text);
  if (!json.has_value()) {
    consents.push_back(Consent::unknown());
  } else if (auto consent = Consent::parse(*json)) {
    consents.push_back(std::move(*consent));
  }
}

bool is_active(Json const& role) {
  auto const* active = role.find("active");
  return active == nullptr || !active->is_boolean() || active->as_boolean();
}

}  // namespace

Evidence::Evidence(records::Store const& store, Permit reader) : store_(store), reader_(std::move(reader)) {}

Result<std::vector<records::Located>> Evidence::find(std::string_view type, Criteria const& criteria,
                                                     std::size_t limit) const {
  std::string query;
  for (auto const& [parameter, value] : criteria) {
    if (!query.empty()) query.push_back('&');
    query.append(parameter).append("=").append(value);
  }
  auto const parsed = TACENDA_TRY(fhir::parse_criteria(*store_.parameters(), type, query));
  return store_.locate([this](std::string_view) { return &reader_; }, type, parsed, limit);
}

Result<std::optional<records::StoredVersion>> Evidence::open(std::string_view type,
                                                             std::string_view id) const {
  auto stored = store_.read(reader_, type, TACENDA_TRY(ResourceId::parse(id)));
  if (stored.has_value()) return std::move(*stored);
  if (stored.error().kind() == ErrorKind::kGone || stored.error().kind() == ErrorKind::kNotFound)
    return std::nullopt;
  return std::unexpected(stored.error());
}

Result<Evidence::Consents> Evidence::consents_without_index(std::string_view patient) const {
  auto consents = std::make_shared<std::vector<Consent>>();
  TACENDA_TRY_VOID(store_.each(reader_, "Consent", [&](records::StoredVersion const& stored) -> Result<bool> {
    if (std::ranges::find(stored.patients, patient) != stored.patients.end())
      add_consent(stored.json, *consents);
    return true;
  }));
  return Consents(std::move(consents));
}

Result<Evidence::Consents> Evidence::read_consents(std::string_view patient) const {
  auto consents = std::make_shared<std::vector<Consent>>();
  if (!TACENDA_TRY(has_consents())) return Consents(std::move(consents));
  auto const places = find(
      "Consent",
      {{"patient", "Patient/" + std::string(patient)}, {"status", "active"}, {"scope", "patient-privacy"}},
      kOpened + 1);
  // While the index is written anew, reads and writes go on.
  if (!places.has_value() && places.error().kind() == ErrorKind::kUnavailable)
    return consents_without_index(patient);
  if (!places.has_value() || places->size() > kOpened) {
    if (!places.has_value()) log(LogLevel::kError, places.error());
    consents->push_back(Consent::unknown());
    return Consents(std::move(consents));
  }
  for (auto const& place : *places) {
    auto const stored = open("Consent", place.id);
    if (stored.has_value()) {
      if (*stored) add_consent((*stored)->json, *consents);
    } else if (stored.error().kind() == ErrorKind::kUnavailable) {
      return std::unexpected(stored.error());
    } else {
      log(LogLevel::kError, stored.error());
      consents->push_back(Consent::unknown());
    }
  }
  return Consents(std::move(consents));
}

Result<Evidence::Consents> Evidence::consents_of(std::string_view patient) const {
  return consents_.get(store_, patient, records::Decisive::kPatient, patient,
                       [&] { return read_consents(patient); });
}

/// Takes what a record says of now into the answer.
Result<void> Evidence::weigh(records::StoredVersion const& stored, std::vector<ActorName> const& names,
                             Time now, KnownRelation& known) {
  auto const json = TACENDA_TRY(codec::parse_json(stored.json));
  for (auto const& bond : bonds_of(json, stored.last_updated, names, known.times)) {
    if (bond.during.has(now)) {
      known.relation = bond.relation;
      known.during = bond.during;
      return {};
    }
    // Until then the answer is no.
    if (bond.during.from > now)
      known.during.until = std::min(known.during.until, bond.during.from - std::chrono::milliseconds(1));
  }
  return {};
}

Result<void> Evidence::look_for_bond(std::string_view type, Criteria const& criteria,
                                     std::vector<ActorName> const& names, Time now,
                                     KnownRelation& known) const {
  if (known.relation != Relation::kNone) return {};
  auto places = find(type, criteria, kPlaces);
  if (!places.has_value()) {
    // It costs too much for one patient: whoever asks about others is answered.
    if (places.error().kind() != ErrorKind::kTooCostly) return std::unexpected(places.error());
    log(LogLevel::kWarning, places.error());
    return {};
  }
  std::ranges::reverse(*places);
  if (places->size() > kOpened) places->resize(kOpened);
  for (auto const& place : *places) {
    auto const stored = open(type, place.id);
    if (!stored.has_value()) {
      if (stored.error().kind() != ErrorKind::kCorrupt) return std::unexpected(stored.error());
      // It explains nothing; another one may.
      log(LogLevel::kError, stored.error());
      continue;
    }
    if (*stored) TACENDA_TRY_VOID(weigh(**stored, names, now, known));
    if (known.relation != Relation::kNone) return {};
  }
  return {};
}

Result<Evidence::KnownRelation> Evidence::read_relation(std::string_view practitioner,
                                                        std::string_view patient, Time now,
                                                        RelationTimes const& times) const {
  KnownRelation known{Relation::kNone, {now, Time::max()}, times};
  auto const shared = TACENDA_TRY(names_of(practitioner));
  auto const& names = *shared;
  std::string who;
  for (auto const& name : names) who.append(who.empty() ? "" : ",").append(name.reference);
  std::string const whom = "Patient/" + std::string(patient);
  auto const look = [&](std::string_view type, Criteria criteria) {
    criteria.emplace_back("patient", whom);
    return look_for_bond(type, criteria, names, now, known);
  };
  TACENDA_TRY_VOID(look(
      "CareTeam", {{"participant", who}, {"status:not", "proposed,suspended,inactive,entered-in-error"}}));
  TACENDA_TRY_VOID(
      look("Encounter", {{"participant", who}, {"status", "planned,arrived,triaged,in-progress,onleave"}}));
  TACENDA_TRY_VOID(look("Encounter", {{"participant", who},
                                      {"status", "finished"},
                                      {"date", "ge" + codec::format_instant(now - kGraceAfterEncounter)}}));
  TACENDA_TRY_VOID(look("Appointment", {{"actor", who},
                                        {"status", "pending,booked,arrived,checked-in,fulfilled,proposed"},
                                        {"date", "ge" + codec::format_instant(now - kAroundAppointment)}}));
  for (auto const* parameter : {"requester", "performer"})
    TACENDA_TRY_VOID(look("ServiceRequest", {{parameter, who}, {"status", "active,on-hold"}}));
  if (known.relation == Relation::kNone) {
    if (auto const stored = TACENDA_TRY(open("Patient", patient))) TACENDA_TRY_VOID(weigh(*stored, names, now, known));
  }
  return known;
}

Result<Relation> Evidence::relation(std::string_view practitioner, std::string_view patient, Time now,
                                    RelationTimes const& times) const {
  std::string const key = std::string(practitioner) + "\n" + std::string(patient);
  auto const known = TACENDA_TRY(relations_.get(
      store_, key, records::Decisive::kPatient, patient,
      [&] { return read_relation(practitioner, patient, now, times); },
      [&](KnownRelation const& each, std::uint64_t as_of) {
        return each.during.has(now) && each.times == times &&
               store_.decided_at(records::Decisive::kPractitioner, {}) <= as_of;
      }));
  return known.relation;
}

Result<std::vector<Json>> Evidence::roles_of(std::string_view practitioner) const {
  std::vector<Json> roles;
  Criteria const criteria{{"practitioner", "Practitioner/" + std::string(practitioner)},
                          {"active:not", "false"}};
  for (auto const& place : TACENDA_TRY(find("PractitionerRole", criteria, kRoles))) {
    auto const stored = TACENDA_TRY(open("PractitionerRole", place.id));
    if (!stored) continue;
    auto role = TACENDA_TRY(codec::parse_json(stored->json));
    if (is_active(role)) roles.push_back(std::move(role));
  }
  return roles;
}

Result<std::vector<std::string>> Evidence::read_actors(std::string_view practitioner) const {
  std::vector<std::string> actors{"Practitioner/" + std::string(practitioner)};
  for (auto const& role : TACENDA_TRY(roles_of(practitioner))) {
    actors.push_back("PractitionerRole/" + std::string(role.text_of("id")));
    auto const* organization = role.find("organization");
    if (organization == nullptr) continue;
    if (auto const reference = organization->text_of("reference"); !reference.empty())
      actors.emplace_back(reference);
  }
  std::ranges::sort(actors);
  actors.erase(std::ranges::unique(actors).begin(), actors.end());
  return actors;
}

Result<std::shared_ptr<std::vector<std::string> const>> Evidence::actors_of(
    std::string_view practitioner) const {
  return actors_.get(store_, practitioner, records::Decisive::kPractitioner, {},
                     [&]() -> Result<std::shared_ptr<std::vector<std::string> const>> {
                       return std::make_shared<std::vector<std::string> const>(
                           TACENDA_TRY(read_actors(practitioner)));
                     });
}

Result<Evidence::Names> Evidence::names_of(std::string_view practitioner) const {
  return names_.get(store_, practitioner, records::Decisive::kPractitioner, {}, [&]() -> Result<Names> {
    auto names = std::make_shared<std::vector<ActorName>>();
    names->push_back({"Practitioner/" + std::string(practitioner), {}});
    for (auto const& role : TACENDA_TRY(roles_of(practitioner)))
      names->push_back({"PractitionerRole/" + std::string(role.text_of("id")), period_of(role)});
    return Names(std::move(names));
  });
}

Result<bool> Evidence::has_consents() const {
  return any_consent_.get(store_, {}, records::Decisive::kConsents, {},
                          [&]() -> Result<bool> { return TACENDA_TRY(store_.newest_change("Consent")) != 0; });
}

Result<bool> Evidence::has_labels(std::string_view type) const {
  return labels_.get(store_, type, records::Decisive::kLabels, type, [&] { return store_.has_labels(type); });
}

}  // namespace tacenda::access
