// The rule table: which entry of the log raises which alert. SECURITY_DESIGN section 5.
#include "monitor/internal/judge.hpp"

#include <algorithm>
#include <array>

#include "monitor/networks.hpp"

namespace tacenda::monitor {
namespace {

using audit::EventKind;
using audit::Outcome;

/// What an entry of a kind is looked at for.
enum class Look : std::uint8_t { kRule, kSignIn, kEnrolment, kReview };
enum class When : std::uint8_t { kDone, kAlways };  // whether a refused one counts, too

struct Row {
  EventKind kind;
  When when;
  Look look;
  Rule rule = Rule::kEmergency;  // of kRule and kEnrolment
};

constexpr std::array kRows{
    Row{EventKind::kEmergencyBegun, When::kDone, Look::kRule, Rule::kEmergency},
    Row{EventKind::kEmergencySignIn, When::kDone, Look::kRule, Rule::kEmergency},
    Row{EventKind::kEmergencyModeOn, When::kDone, Look::kRule, Rule::kEmergencyMode},
    Row{EventKind::kEmergencyReviewed, When::kDone, Look::kReview},
    Row{EventKind::kLocked, When::kAlways, Look::kRule, Rule::kAccountLocked},
    Row{EventKind::kPasskeyCounterBack, When::kAlways, Look::kRule, Rule::kPasskeyCopied},
    Row{EventKind::kTokenReused, When::kAlways, Look::kRule, Rule::kTokenReused},
    Row{EventKind::kLogin, When::kDone, Look::kSignIn},
    Row{EventKind::kRecoveryCodeUsed, When::kDone, Look::kSignIn},
    Row{EventKind::kEnrolled, When::kDone, Look::kEnrolment, Rule::kFactorsChanged},
    Row{EventKind::kUserAdded, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kRoleChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kUserResealed, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kPolicyChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kAccessListChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kPractitionerLinked, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kClientAdded, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kClientKeysChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kClientNetworksChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kUserLinked, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kGroupChanged, When::kDone, Look::kRule, Rule::kRightsChanged},
    Row{EventKind::kPasskeyRemoved, When::kDone, Look::kRule, Rule::kFactorsChanged},
};

constexpr std::size_t kKinds = 256;  // kinds have numbers below
constexpr std::uint8_t kNone = 0xff;

/// Row by kind: this is asked of every entry of the log.
constexpr auto kRowOf = [] {
  std::array<std::uint8_t, kKinds> row_of{};
  row_of.fill(kNone);
  for (std::uint8_t i = 0; i < kRows.size(); ++i) row_of.at(std::to_underlying(kRows.at(i).kind)) = i;
  return row_of;
}();

Row const* row_of(EventKind kind, Outcome outcome) {
  std::size_t const number = std::to_underlying(kind);
  std::uint8_t const at = number < kKinds ? kRowOf.at(number) : kNone;
  if (at == kNone) return nullptr;
  Row const& row = kRows.at(at);
  return row.when == When::kAlways || outcome == Outcome::kSuccess ? &row : nullptr;
}

/// Who reads of himself is nobody whom an officer would ask about it; the entry has the labels all the same.
bool is_own(audit::Event const& event) {
  return event.explained_by == "self";
}

}  // namespace

bool is_looked_at(EventKind kind, Outcome outcome) {
  return row_of(kind, outcome) != nullptr;
}

Finding judge(audit::Entry const& entry) {
  auto const& event = entry.event;
  Finding finding;
  finding.user = event.actor_id;
  if (!event.patients.empty()) finding.patient = event.patients.front();
  auto const* const row = row_of(event.kind, event.outcome);
  if (row == nullptr) {
    // Without a row it is here for its labels, also when its patient was erased since and nobody can read
    // them.
    if (is_own(event)) return finding;
    finding.rule = event.outcome == Outcome::kSuccess ? Rule::kWatchedRecord : Rule::kWatchedRecordDenied;
    return finding;
  }
  switch (row->look) {
    case Look::kRule:
      finding.rule = row->rule;
      if (row->rule == Rule::kEmergency) finding.emergency = event.target;
      // An emergency account that signs in again: the task to review it is there.
      if (row->rule == Rule::kEmergency && event.target.empty()) finding.rule = Rule::kEmergencyMode;
      break;
    case Look::kSignIn:
      finding.network = network_of(event.network);
      break;
    case Look::kEnrolment:
      finding.has_enrolled = true;
      finding.rule = row->rule;
      break;
    case Look::kReview:
      finding.reviewed = event.target;
      break;
  }
  return finding;
}

}  // namespace tacenda::monitor
