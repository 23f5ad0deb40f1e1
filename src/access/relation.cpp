#include "access/relation.hpp"

#include <algorithm>
#include <array>
#include <initializer_list>
#include <span>

#include "fhir/date_range.hpp"
#include "fhir/reference.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

// Clocks and time zones of who dates an order.
constexpr std::chrono::hours kADay{24};

bool is_one_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::ranges::find(words, word) != words.end();
}

Time time_of(std::int64_t microseconds) {
  return Time(std::chrono::floor<std::chrono::milliseconds>(std::chrono::microseconds(microseconds)));
}

Time start_of(std::string_view text) {
  auto const range = fhir::parse_date_range(text);
  return range ? time_of(range->low) : Time::min();
}

Time end_of(std::string_view text) {
  auto const range = fhir::parse_date_range(text);
  return range && range->high != fhir::kAfterAllTime ? time_of(range->high) : Time::max();
}

/// The name that a Reference has; nullptr: it is somebody else.
ActorName const* name_in(Json const* reference, std::vector<ActorName> const& names) {
  if (reference == nullptr) return nullptr;
  auto const local = fhir::parse_local_reference(reference->text_of("reference"));
  if (!local) return nullptr;
  auto const found = std::ranges::find_if(names, [&](ActorName const& name) {
    return name.reference.size() == local->type.size() + 1 + local->id.size() &&
           name.reference.starts_with(local->type) && name.reference.ends_with(local->id) &&
           name.reference[local->type.size()] == '/';
  });
  return found == names.end() ? nullptr : &*found;
}

/// What began when `span` does, or else when it was written, explains for `days` and no longer.
Span bounded(Span span, Time written, std::chrono::days days) {
  Time const start = span.from == Time::min() ? written : span.from;
  span.until = std::min(span.until, start + days);
  return span;
}

/// Calls `visit` for each participant who is he, with when he takes part.
template <typename Visit>
void each_part(Json const& resource, std::string_view member, std::vector<ActorName> const& names,
               Visit visit) {
  auto const* list = resource.find("participant");
  if (list == nullptr) return;
  for (auto const& part : list->items()) {
    auto const* name = name_in(part.find(member), names);
    if (name != nullptr) visit(part, *name);
  }
}

void add_care_team(Json const& team, Time written, std::vector<ActorName> const& names,
                   RelationTimes const& times, std::vector<Bond>& bonds) {
  auto const status = team.text_of("status");
  if (!status.empty() && status != "active") return;
  each_part(team, "member", names, [&](Json const& part, ActorName const& name) {
    auto const span = bounded(common(period_of(team), period_of(part)), written, times.care_team);
    bonds.push_back({Relation::kCareTeam, common(span, name.during)});
  });
}

void add_encounter(Json const& encounter, Time written, std::vector<ActorName> const& names,
                   RelationTimes const& times, std::vector<Bond>& bonds) {
  auto const status = encounter.text_of("status");
  bool const is_finished = status == "finished";
  if (!is_finished && !is_one_of(status, {"planned", "arrived", "triaged", "in-progress", "onleave"})) return;
  each_part(encounter, "individual", names, [&](Json const& part, ActorName const& name) {
    auto const own = period_of(part);
    auto span = common(period_of(encounter), own);
    // An ended one without a time of its end ended at a time nobody knows: it explains nothing.
    if (is_finished && span.until == Time::max()) return;
    if (span.until != Time::max()) span.until += kGraceAfterEncounter;
    span = bounded(span, written, times.encounter);
    // It is prepared for before it begins, unless he takes part from a time of his own.
    if (!is_finished && own.from == Time::min() && span.from != Time::min()) span.from -= kAroundAppointment;
    bonds.push_back({Relation::kEncounter, common(span, name.during)});
  });
}

void add_appointment(Json const& visit, std::vector<ActorName> const& names, std::vector<Bond>& bonds) {
  auto const start = start_of(visit.text_of("start"));
  if (start == Time::min() || !is_one_of(visit.text_of("status"), {"pending", "booked", "arrived",
                                                                   "checked-in", "fulfilled", "proposed"}))
    return;
  each_part(visit, "actor", names, [&](Json const& part, ActorName const& name) {
    if (part.text_of("status") == "declined") return;
    Span const span{start - kAroundAppointment, start + kAroundAppointment / 2};
    bonds.push_back({Relation::kAppointment, common(span, name.during)});
  });
}

void add_order(Json const& order, Time written, std::vector<ActorName> const& names,
               RelationTimes const& times, std::vector<Bond>& bonds) {
  if (!is_one_of(order.text_of("status"), {"active", "on-hold"})) return;
  Span span = bounded({start_of(order.text_of("authoredOn")), Time::max()}, written, times.order);
  if (span.from != Time::min()) span.from -= kADay;
  auto const add = [&](Json const* reference) {
    if (auto const* name = name_in(reference, names); name != nullptr)
      bonds.push_back({Relation::kOrder, common(span, name->during)});
  };
  add(order.find("requester"));
  if (auto const* performers = order.find("performer"); performers != nullptr) {
    for (auto const& each : performers->items()) add(&each);
  }
}

void add_general_practitioners(Json const& patient, Time written, std::vector<ActorName> const& names,
                               RelationTimes const& times, std::vector<Bond>& bonds) {
  auto const* list = patient.find("generalPractitioner");
  if (list == nullptr) return;
  Span const span = bounded({}, written, times.general_practitioner);
  for (auto const& each : list->items()) {
    if (auto const* name = name_in(&each, names); name != nullptr)
      bonds.push_back({Relation::kGeneralPractitioner, common(span, name->during)});
  }
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
    case Relation::kGeneralPractitioner:
      return "general-practitioner";
    case Relation::kEmergency:
      return "emergency";
    case Relation::kSelf:
      return "self";
    case Relation::kProxy:
      return "proxy";
  }
  return "";
}

Span common(Span const& a, Span const& b) {
  return {std::max(a.from, b.from), std::min(a.until, b.until)};
}

Span period_of(Json const& object) {
  auto const* period = object.find("period");
  if (period == nullptr) return {};
  return {start_of(period->text_of("start")), end_of(period->text_of("end"))};
}

std::vector<Bond> bonds_of(Json const& resource, Time written, std::vector<ActorName> const& names,
                           RelationTimes const& times) {
  std::vector<Bond> bonds;
  auto const type = resource.text_of("resourceType");
  if (type == "CareTeam") {
    add_care_team(resource, written, names, times, bonds);
  } else if (type == "Encounter") {
    add_encounter(resource, written, names, times, bonds);
  } else if (type == "Appointment") {
    add_appointment(resource, names, bonds);
  } else if (type == "ServiceRequest") {
    add_order(resource, written, names, times, bonds);
  } else if (type == "Patient") {
    add_general_practitioners(resource, written, names, times, bonds);
  }
  return bonds;
}

}  // namespace tacenda::access
