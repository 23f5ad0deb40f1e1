#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/clock.hpp"

/// What a record says about who treats whom, and how long that explains an access (REQUIREMENTS C-20).
namespace tacenda::access {

/// Why a person has to do with a patient; the word that the audit log keeps (`explained_by`).
enum class Relation : std::uint8_t {
  kNone,
  kCareTeam,
  kEncounter,
  kAppointment,
  kOrder,
  kGeneralPractitioner,
  kEmergency,
  kSelf,
  kProxy
};
std::string_view word_of(Relation relation);

/// How long records explain an access: table `[relation]` of a policy. What says no end, or a late one, ends
/// with these all the same.
struct RelationTimes {
  std::chrono::days encounter{365};             // from the start of the participation
  std::chrono::days care_team{365};             // from the start of the membership
  std::chrono::days order{180};                 // from when it was authored
  std::chrono::days general_practitioner{365};  // from the last version of the Patient

  friend bool operator==(RelationTimes const&, RelationTimes const&) = default;
};
inline constexpr std::chrono::hours kGraceAfterEncounter{72};     // an ended encounter still explains
inline constexpr std::chrono::hours kAroundAppointment{14 * 24};  // before its start, and half of it after

/// A time without a beginning or an end, where it has none.
struct Span {
  Time from = Time::min();
  Time until = Time::max();

  bool has(Time time) const { return from <= time && time <= until; }
};
Span common(Span const& a, Span const& b);
/// Its element `period`; of a malformed date that side is open.
Span period_of(codec::Json const& object);

/// One of the names by which records know a practitioner: himself, or a role of his for its period.
struct ActorName {
  std::string reference;  // "Practitioner/1", "PractitionerRole/2"
  Span during;
};

/// One relation, for its time.
struct Bond {
  Relation relation = Relation::kNone;
  Span during;
};

/// What a CareTeam, Encounter, Appointment, ServiceRequest or Patient says of a practitioner; nothing where
/// its status ends it. `written`: time of its version, which counts where it names no start. Allocates the
/// answer alone.
std::vector<Bond> bonds_of(codec::Json const& resource, Time written, std::vector<ActorName> const& names,
                           RelationTimes const& times);

}  // namespace tacenda::access
