#include "access/evidence.hpp"

#include <algorithm>
#include <array>

#include "codec/json.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "fhir/date_range.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

// Resources that are looked at for one answer.
constexpr std::size_t kLookedAt = 1'000;

bool is_one_of(std::string_view word, std::span<std::string_view const> words) {
  return std::ranges::find(words, word) != words.end();
}

std::optional<Time> low(std::string_view text) {
  auto const range = fhir::parse_date_range(text);
  if (!range) return std::nullopt;
  return Time(std::chrono::floor<std::chrono::milliseconds>(std::chrono::microseconds(range->low)));
}

std::optional<Time> high(std::string_view text) {
  auto const range = fhir::parse_date_range(text);
  if (!range || range->high == fhir::kAfterAllTime) return std::nullopt;
  return Time(std::chrono::floor<std::chrono::milliseconds>(std::chrono::microseconds(range->high)));
}

struct Span {
  std::optional<Time> from;
  std::optional<Time> until;
};

Span intersection(Span const& a, Span const& b) {
  Span both = a;
  if (b.from && (!both.from || *b.from > *both.from)) both.from = b.from;
  if (b.until && (!both.until || *b.until < *both.until)) both.until = b.until;
  return both;
}

Span period_of(Json const& resource) {
  auto const* period = resource.find("period");
  if (period == nullptr) return {};
  return {low(period->text_of("start")), high(period->text_of("end"))};
}

/// When he takes part: each of his participations; one without a time is open.
std::vector<Span> participations(Json const& resource, std::string_view member, std::string_view who) {
  std::vector<Span> spans;
  auto const* list = resource.find("participant");
  if (list == nullptr) return spans;
  for (auto const& each : list->items()) {
    auto const* person = each.find(member);
    if (person != nullptr && person->text_of("reference").ends_with(who)) spans.push_back(period_of(each));
  }
  return spans;
}

}  // namespace

std::string_view word_of(Relation relation) {
  switch (relation) {
    case Relation::kNone:
      return "";
    case Relation::kCareTeam:
      return "care-team";
    case Relation::kEncounter:
      return "encounter";
    case Relation::kAppointment:
      return "appointment";
    case Relation::kOrder:
      return "order";
    case Relation::kEmergency:
      return "emergency";
    case Relation::kSelf:
      return "self";
    case Relation::kProxy:
      return "proxy";
  }
  return "";
}

Evidence::Evidence(records::Store const& store, Permit reader) : store_(store), reader_(std::move(reader)) {}

Result<std::vector<Json>> Evidence::find(
    std::string_view type, std::vector<std::pair<std::string, std::string>> const& criteria) const {
  std::string query;
  for (auto const& [parameter, reference] : criteria) {
    if (!query.empty()) query.push_back('&');
    query.append(parameter).append("=").append(reference);
  }
  auto const parsed = TACENDA_TRY(fhir::parse_criteria(*store_.parameters(), type, query));
  auto const places =
      TACENDA_TRY(store_.locate([this](std::string_view) { return &reader_; }, type, parsed, kLookedAt + 1));
  if (places.size() > kLookedAt)
    return fail(ErrorKind::kTooCostly, "a decision would look at too many records");
  std::vector<Json> found;
  for (auto const& place : places) {
    auto const stored = store_.read(reader_, type, TACENDA_TRY(ResourceId::parse(place.id)));
    if (!stored.has_value()) {
      // Deleted since it was found: it decides nothing any more.
      if (stored.error().kind() == ErrorKind::kGone || stored.error().kind() == ErrorKind::kNotFound)
        continue;
      return std::unexpected(stored.error());
    }
    found.push_back(TACENDA_TRY(codec::parse_json(stored->json)));
  }
  return found;
}

Result<std::vector<Json>> Evidence::consents_without_index(std::string_view patient) const {
  std::vector<Json> found;
  TACENDA_TRY_VOID(store_.each(reader_, "Consent", [&](records::StoredVersion const& stored) -> Result<bool> {
    if (std::ranges::find(stored.patients, patient) != stored.patients.end())
      found.push_back(TACENDA_TRY(codec::parse_json(stored.json)));
    return true;
  }));
  return found;
}

Result<Evidence::Consents> Evidence::read_consents(std::string_view patient) const {
  auto consents = std::make_shared<std::vector<Consent>>();
  if (!TACENDA_TRY(has_consents())) return Consents(std::move(consents));
  auto found = find("Consent", {{"patient", "Patient/" + std::string(patient)}});
  // While the index is written anew, reads and writes go on.
  if (!found.has_value() && found.error().kind() == ErrorKind::kUnavailable)
    found = consents_without_index(patient);
  for (auto const& json : TACENDA_TRY(std::move(found))) {
    if (auto consent = Consent::parse(json)) consents->push_back(std::move(*consent));
  }
  return Consents(std::move(consents));
}

Result<Evidence::Consents> Evidence::consents_of(std::string_view patient) const {
  return consents_.get(store_, std::string(patient), records::Decisive::kPatient, patient,
                       [&] { return read_consents(patient); });
}

Result<Evidence::Bonds> Evidence::read_bonds(std::string_view practitioner, std::string_view patient) const {
  static constexpr auto kOpen =
      std::to_array<std::string_view>({"planned", "arrived", "triaged", "in-progress", "onleave"});
  static constexpr auto kExpected = std::to_array<std::string_view>(
      {"pending", "booked", "arrived", "checked-in", "fulfilled", "proposed"});
  std::string const who = "Practitioner/" + std::string(practitioner);
  std::string const whom = "Patient/" + std::string(patient);
  Bonds bonds;
  for (auto const& team : TACENDA_TRY(find("CareTeam", {{"patient", whom}, {"participant", who}}))) {
    auto const status = team.text_of("status");
    if (!status.empty() && status != "active") continue;
    for (auto const& own : participations(team, "member", who)) {
      auto const span = intersection(period_of(team), own);
      bonds.push_back({Relation::kCareTeam, span.from, span.until});
    }
  }
  for (auto const& encounter : TACENDA_TRY(find("Encounter", {{"patient", whom}, {"participant", who}}))) {
    auto const status = encounter.text_of("status");
    bool const is_open = is_one_of(status, kOpen);
    if (!is_open && status != "finished") continue;
    for (auto const& own : participations(encounter, "individual", who)) {
      auto const span = is_open ? own : intersection(period_of(encounter), own);
      // An ended one without a time of its end ended at a time nobody knows: it explains nothing.
      if (!is_open && !span.until) continue;
      std::optional<Time> until;
      if (span.until) until = *span.until + times_.grace_after_encounter;
      bonds.push_back({Relation::kEncounter, span.from, until});
    }
  }
  for (auto const& visit : TACENDA_TRY(find("Appointment", {{"patient", whom}, {"practitioner", who}}))) {
    auto const start = low(visit.text_of("start"));
    if (!start || !is_one_of(visit.text_of("status"), kExpected)) continue;
    bonds.push_back(
        {Relation::kAppointment, *start - times_.around_appointment, *start + times_.around_appointment / 2});
  }
  for (auto const* parameter : {"requester", "performer"}) {
    for (auto const& order : TACENDA_TRY(find("ServiceRequest", {{"patient", whom}, {parameter, who}}))) {
      auto const status = order.text_of("status");
      if (status == "active" || status == "on-hold")
        bonds.push_back({Relation::kOrder, std::nullopt, std::nullopt});
    }
  }
  return bonds;
}

Result<Relation> Evidence::relation(std::string_view practitioner, std::string_view patient, Time now) const {
  std::string const key = std::string(practitioner) + "\n" + std::string(patient);
  auto const bonds = TACENDA_TRY(bonds_.get(
      store_, key, records::Decisive::kPatient, patient,
      [&]() -> Result<std::shared_ptr<Bonds const>> {
        return std::make_shared<Bonds const>(TACENDA_TRY(read_bonds(practitioner, patient)));
      }));
  for (auto const& bond : *bonds) {
    if (bond.from && now < *bond.from) continue;
    if (bond.until && now > *bond.until) continue;
    return bond.relation;
  }
  return Relation::kNone;
}

Result<std::vector<std::string>> Evidence::read_actors(std::string_view practitioner) const {
  std::vector<std::string> actors{"Practitioner/" + std::string(practitioner)};
  for (auto const& role : TACENDA_TRY(find("PractitionerRole", {{"practitioner", actors.front()}}))) {
    auto const* active = role.find("active");
    if (active != nullptr && active->is_boolean() && !active->as_boolean()) continue;
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
  return actors_.get(store_, std::string(practitioner), records::Decisive::kPractitioner, {},
                     [&]() -> Result<std::shared_ptr<std::vector<std::string> const>> {
                       return std::make_shared<std::vector<std::string> const>(
                           TACENDA_TRY(read_actors(practitioner)));
                     });
}

Result<bool> Evidence::has_consents() const {
  return any_consent_.get(store_, {}, records::Decisive::kConsents, {},
                          [&]() -> Result<bool> { return TACENDA_TRY(store_.newest_change("Consent")) != 0; });
}

Result<bool> Evidence::has_labels(std::string_view type) const {
  return labels_.get(store_, std::string(type), records::Decisive::kLabels, type,
                     [&] { return store_.has_labels(type); });
}

}  // namespace tacenda::access
