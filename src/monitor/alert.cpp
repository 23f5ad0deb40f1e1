#include "monitor/alert.hpp"

#include <algorithm>
#include <array>
#include <charconv>

namespace tacenda::monitor {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kStandsForMany = 1;  // flags
constexpr std::uint8_t kHasPatient = 2;
constexpr std::uint8_t kIsAnswered = 4;

using std::chrono::minutes;

// SECURITY_DESIGN section 5; REQUIREMENTS C-13, C-16, S-13. An emergency is a task of its own, each time.
constexpr std::array kRules{
    RuleFacts{Rule::kEmergency, "emergency", "somebody broke the glass: it has to be reviewed",
              Severity::kHigh, minutes(0)},
    RuleFacts{Rule::kEmergencyUnreviewed, "emergency-unreviewed",
              "somebody broke the glass, and nobody has reviewed it for 48 hours", Severity::kCritical,
              minutes(0)},
    RuleFacts{Rule::kWatchedRecord, "watched-record",
              "a record to which every access is watched was accessed", Severity::kWarning, minutes(60)},
    RuleFacts{Rule::kWatchedRecordDenied, "watched-record-denied",
              "somebody who may not tried to access a record to which every access is watched",
              Severity::kHigh, minutes(60)},
    RuleFacts{Rule::kAccountLocked, "account-locked", "an account was locked after too many failed sign-ins",
              Severity::kWarning, minutes(60)},
    RuleFacts{Rule::kNewNetwork, "new-network",
              "somebody signed in from a network that is new for the account", Severity::kInfo, minutes(60)},
    RuleFacts{Rule::kPasskeyCopied, "passkey-copied",
              "the counter of a passkey went back: there may be a copy of it", Severity::kHigh, minutes(60)},
    RuleFacts{Rule::kTokenReused, "token-reused", "a code or refresh token was shown a second time",
              Severity::kHigh, minutes(60)},
    RuleFacts{Rule::kRightsChanged, "rights-changed",
              "an account was added or renewed, or a role, an application, an access list or the policy was "
              "changed",
              Severity::kInfo, minutes(60)},
    RuleFacts{Rule::kEmergencyMode, "emergency-mode",
              "emergency mode was turned on, or an emergency account signed in again", Severity::kHigh,
              minutes(60)},
    RuleFacts{Rule::kFactorsChanged, "factors-changed",
              "a second factor was removed, or an account that is in use got new ones", Severity::kWarning,
              minutes(60)},
};

Result<std::string> read_text(ByteReader& in) {
  return std::string(as_text(TACENDA_TRY(in.sized())));
}

}  // namespace

std::span<RuleFacts const> rules() {
  return kRules;
}

RuleFacts const* facts_of(Rule rule) {
  auto const* const found = std::ranges::find(kRules, rule, &RuleFacts::rule);
  return found == kRules.end() ? nullptr : found;
}

std::string_view name_of(Severity severity) {
  switch (severity) {
    case Severity::kInfo:
      return "info";
    case Severity::kWarning:
      return "warning";
    case Severity::kHigh:
      return "high";
    case Severity::kCritical:
      return "critical";
  }
  return "";
}

std::string_view name_of(AlertState state) {
  switch (state) {
    case AlertState::kOpen:
      return "open";
    case AlertState::kAcknowledged:
      return "acknowledged";
    case AlertState::kClosed:
      return "closed";
  }
  return "";
}

std::string AlertId::text() const {
  auto const* const facts = facts_of(rule);
  return std::to_string(sequence) + "-" + std::string(facts == nullptr ? "unknown" : facts->name);
}

Result<AlertId> AlertId::parse(std::string_view text) {
  AlertId id;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), id.sequence);
  if (error != std::errc() || end == text.data() + text.size() || *end != '-')
    return fail(ErrorKind::kInvalid, "the id of an alert is a number, a dash and a rule");
  auto const* const rule =
      std::ranges::find(kRules, std::string_view(end + 1, text.data() + text.size()), &RuleFacts::name);
  if (rule == kRules.end()) return fail(ErrorKind::kInvalid, "there is no such rule");
  id.rule = rule->rule;
  return id;
}

Bytes encode_alert(Alert const& alert) {
  Bytes row;
  std::uint8_t flags = 0;
  if (alert.stands_for_many) flags |= kStandsForMany;
  if (alert.patient) flags |= kHasPatient;
  if (alert.answered) flags |= kIsAnswered;
  ByteWriter out(row);
  out.u8(kFormat)
      .u8(std::to_underlying(alert.state))
      .u8(flags)
      .u64(to_unix_ms(alert.first))
      .u64(to_unix_ms(alert.last))
      .u64(alert.last_sequence)
      .u64(alert.count)
      .sized(alert.user)
      .sized(alert.emergency);
  if (alert.patient) out.raw(*alert.patient);
  if (alert.answered) out.u64(to_unix_ms(*alert.answered)).sized(alert.answered_by).sized(alert.note);
  return row;
}

Result<Alert> decode_alert(AlertId id, ByteView row) {
  ByteReader in(row);
  if (TACENDA_TRY(in.u8()) != kFormat) return fail(ErrorKind::kUnsupported, "an alert was written by a newer version");
  Alert alert;
  alert.id = id;
  std::uint8_t const state = TACENDA_TRY(in.u8());
  std::uint8_t const flags = TACENDA_TRY(in.u8());
  if (state < 1 || state > 3 || flags > (kStandsForMany | kHasPatient | kIsAnswered))
    return fail(ErrorKind::kCorrupt, "an alert has an unknown state");
  alert.state = static_cast<AlertState>(state);
  alert.stands_for_many = (flags & kStandsForMany) != 0;
  alert.first = from_unix_ms(TACENDA_TRY(in.u64()));
  alert.last = from_unix_ms(TACENDA_TRY(in.u64()));
  alert.last_sequence = TACENDA_TRY(in.u64());
  alert.count = TACENDA_TRY(in.u64());
  alert.user = TACENDA_TRY(read_text(in));
  alert.emergency = TACENDA_TRY(read_text(in));
  if ((flags & kHasPatient) != 0) {
    ByteView const alias = TACENDA_TRY(in.raw(sizeof(vault::Alias)));
    std::ranges::copy(alias, alert.patient.emplace().begin());
  }
  if ((flags & kIsAnswered) != 0) {
    alert.answered = from_unix_ms(TACENDA_TRY(in.u64()));
    alert.answered_by = TACENDA_TRY(read_text(in));
    alert.note = TACENDA_TRY(read_text(in));
  }
  if (!in.done()) return fail(ErrorKind::kCorrupt, "an alert is longer than its fields");
  return alert;
}

}  // namespace tacenda::monitor
