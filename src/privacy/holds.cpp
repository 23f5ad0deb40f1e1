#include "privacy/holds.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "privacy/internal/row_fields.hpp"

namespace tacenda::privacy {
namespace {

constexpr std::uint8_t kFormat = 1;

struct GroundName {
  HoldGround ground;
  std::string_view name;
};
constexpr auto kGrounds = std::to_array<GroundName>({
    {HoldGround::kLegalObligation, "art17-3-b"},
    {HoldGround::kPublicHealth, "art17-3-c"},
    {HoldGround::kArchiving, "art17-3-d"},
    {HoldGround::kLegalClaims, "art17-3-e"},
    {HoldGround::kRetention, "retention"},
});

Bytes key_of(std::string_view id) {
  Bytes key;
  ByteWriter(key).u8('h').raw(as_bytes(id));
  return key;
}

Result<void> check_reason(std::string_view reason) {
  if (reason.find_first_not_of(" \t\r\n") == std::string_view::npos)
    return fail(ErrorKind::kUnprocessable, "say why: a legal hold is set and lifted with a reason");
  if (reason.size() > limits::kReasonBytes) return fail(ErrorKind::kUnprocessable, "the reason is too long");
  return {};
}

}  // namespace

std::optional<HoldGround> hold_ground_of(std::string_view name) {
  auto const* const found = std::ranges::find(kGrounds, name, &GroundName::name);
  return found == kGrounds.end() ? std::nullopt : std::optional(found->ground);
}

std::string_view name_of(HoldGround ground) {
  auto const* const found = std::ranges::find(kGrounds, ground, &GroundName::ground);
  return found == kGrounds.end() ? std::string_view() : found->name;
}

Error refusal_of(HoldGround ground) {
  switch (ground) {
    case HoldGround::kLegalObligation:
      return Error(ErrorKind::kConflict, "a legal hold stands against it: art17-3-b, a legal obligation");
    case HoldGround::kPublicHealth:
      return Error(ErrorKind::kConflict, "a legal hold stands against it: art17-3-c, public health");
    case HoldGround::kArchiving:
      return Error(ErrorKind::kConflict, "a legal hold stands against it: art17-3-d, archiving or research");
    case HoldGround::kLegalClaims:
      return Error(ErrorKind::kConflict, "a legal hold stands against it: art17-3-e, legal claims");
    case HoldGround::kRetention:
      break;
  }
  return Error(ErrorKind::kConflict, "a legal hold stands against it: retention, a duty to keep records");
}

Bytes patient_guard(std::string_view patient) {
  Bytes text;
  ByteWriter(text).u8('g').raw(as_bytes(patient));
  return text;
}

Bytes encode_hold(Hold const& hold) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFormat).u8(std::to_underlying(hold.ground));
  for (auto const* text : {&hold.id, &hold.patient, &hold.reason, &hold.setter, &hold.setter_name,
                           &hold.lifter, &hold.lifter_name, &hold.lift_reason})
    writer.sized(*text);
  writer.u64(to_unix_ms(hold.set)).u64(ms_of(hold.until)).u64(ms_of(hold.lifted));
  return row;
}

Result<Hold> decode_hold(ByteView row) {
  ByteReader reader(row);
  if (TACENDA_TRY(reader.u8()) != kFormat) return fail(ErrorKind::kCorrupt, "a hold has an unknown format");
  Hold hold;
  hold.ground = static_cast<HoldGround>(TACENDA_TRY(reader.u8()));
  if (name_of(hold.ground).empty()) return fail(ErrorKind::kCorrupt, "a hold has an unknown ground");
  for (auto* text : {&hold.id, &hold.patient, &hold.reason, &hold.setter, &hold.setter_name, &hold.lifter,
                     &hold.lifter_name, &hold.lift_reason})
    *text = TACENDA_TRY(read_text(reader));
  hold.set = from_unix_ms(TACENDA_TRY(reader.u64()));
  hold.until = TACENDA_TRY(read_time(reader));
  hold.lifted = TACENDA_TRY(read_time(reader));
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "a hold is longer than its fields");
  return hold;
}

Holds::Holds(vault::Vault& vault, Clock const& clock)
    : vault_(vault),
      clock_(clock),
      rows_(vault.sealed_view(vault::Keeper::kPrivacy, vault::Purpose::kAudit)) {}

Result<Holds::Change> Holds::written(Change change) const {
  auto const key = key_of(change.hold.id);
  change.set.depends_on(rows_.guard(key));
  change.set.touches(rows_.guard(key));
  auto const guard = rows_.guard(patient_guard(change.hold.patient));
  change.set.depends_on(guard);
  change.set.touches(guard);
  TACENDA_TRY_VOID(rows_.put(change.set, key, encode_hold(change.hold)));
  return change;
}

Result<Holds::Change> Holds::set(Hold hold, Person const& who) const {
  TACENDA_TRY_VOID(check_reason(hold.reason));
  Change change;
  change.set.read_at(vault_.order().committed());
  hold.set = clock_.now();
  auto const known = TACENDA_TRY(all());
  auto const stand = std::ranges::count_if(known, [&](Hold const& each) { return each.stands(hold.set); });
  if (static_cast<std::size_t>(stand) >= kMax)
    return fail(ErrorKind::kThrottled, "there are too many legal holds");
  if (hold.until && *hold.until <= hold.set)
    return fail(ErrorKind::kUnprocessable, "a legal hold must end in the future");
  hold.id = codec::format_uuid_v4(TACENDA_TRY(vault_.random_bytes16()));
  hold.setter = who.id;
  hold.setter_name = who.name;
  change.hold = std::move(hold);
  return written(std::move(change));
}

Result<Holds::Change> Holds::lift(std::string_view id, std::string_view reason, Person const& who) const {
  TACENDA_TRY_VOID(check_reason(reason));
  Change change;
  change.set.read_at(vault_.order().committed());
  auto const row = TACENDA_TRY(rows_.get(key_of(id)));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such legal hold");
  change.hold = TACENDA_TRY(decode_hold(*row));
  Time const now = clock_.now();
  if (!change.hold.stands(now)) return fail(ErrorKind::kConflict, "this legal hold does not stand any more");
  change.hold.lifted = now;
  change.hold.lifter = who.id;
  change.hold.lifter_name = who.name;
  change.hold.lift_reason = reason;
  return written(std::move(change));
}

Result<std::vector<Hold>> Holds::all() const {
  std::vector<Hold> holds;
  TACENDA_TRY_VOID(rows_.scan(as_bytes("h"), [&](ByteView, ByteView row) -> Result<bool> {
    holds.push_back(TACENDA_TRY(decode_hold(row)));
    return true;
  }));
  std::ranges::sort(holds, {}, [](Hold const& each) { return std::tie(each.set, each.id); });
  return holds;
}

Result<std::optional<Hold>> Holds::standing(std::string_view patient) const {
  return standing_of_any({std::string(patient)});
}

Result<std::optional<Hold>> Holds::standing_of_any(std::set<std::string, std::less<>> const& patients) const {
  if (patients.empty()) return std::nullopt;
  Time const now = clock_.now();
  for (auto& hold : TACENDA_TRY(all())) {
    if (patients.contains(hold.patient) && hold.stands(now)) return std::optional(std::move(hold));
  }
  return std::nullopt;
}

void Holds::depend(vault::WriteSet& set, std::set<std::string, std::less<>> const& patients) const {
  for (auto const& patient : patients) set.depends_on(rows_.guard(patient_guard(patient)));
}

}  // namespace tacenda::privacy
