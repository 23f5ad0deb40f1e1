#include "access/approvals.hpp"

#include <algorithm>

#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::access {
namespace {

using State = ApprovalRequest::State;

constexpr std::uint8_t kFormat = 1;
constexpr std::string_view kHadOthers = "t";

// Rows: a<id> request; t: somebody else than who asked could once approve.
Bytes row_key(std::string_view id) {
  Bytes key;
  ByteWriter(key).u8('a').raw(as_bytes(id));
  return key;
}

Result<std::string> read_text(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

bool is_open(ApprovalRequest const& request) {
  return request.state == State::kWaiting || request.state == State::kApproved;
}

/// Errors: kConflict, with what became of it.
Result<void> check_open(ApprovalRequest const& request, Time now) {
  auto const state = state_at(request, now);
  if (state == State::kRefused) return fail(ErrorKind::kConflict, "this request was refused");
  if (state == State::kDone) return fail(ErrorKind::kConflict, "this request was approved, and is done");
  if (state == State::kExpired)
    return fail(ErrorKind::kConflict, "the time of this request is over: ask again");
  return {};
}

Result<void> check_asker(ApprovalRequest const& request, Approvals::Person const& who) {
  if (request.asker != who.id) return fail(ErrorKind::kForbidden, "this is for who asked for it alone");
  return {};
}

/// Errors: kForbidden.
Result<void> check_second(ApprovalRequest const& request, Approvals::Person const& who) {
  if (request.asker == who.id)
    return fail(ErrorKind::kForbidden, "nobody decides on what he asked for himself");
  return {};
}

void decide(ApprovalRequest& request, Approvals::Person const& who, State state, Time now) {
  request.state = state;
  request.decider = who.id;
  request.decider_name = who.name;
  request.decided = now;
}

}  // namespace

State state_at(ApprovalRequest const& request, Time now) {
  return is_open(request) && now >= request.expires ? State::kExpired : request.state;
}

std::string_view name_of(State state) {
  switch (state) {
    case State::kWaiting:
      return "waiting";
    case State::kApproved:
      return "approved";
    case State::kDone:
      return "done";
    case State::kRefused:
      return "refused";
    case State::kExpired:
      return "expired";
  }
  return {};
}

Bytes encode_approval(ApprovalRequest const& request) {
  Bytes row;
  ByteWriter writer(row);
  writer.u8(kFormat).u8(std::to_underlying(request.state)).u8(request.is_secret ? 1 : 0);
  for (auto const* text :
       {&request.id, &request.path, &request.body, &request.act, &request.target, &request.old_value,
        &request.new_value, &request.basis, &request.subject, &request.asker, &request.asker_name})
    writer.sized(*text);
  writer.u64(to_unix_ms(request.asked)).u64(to_unix_ms(request.expires));
  writer.sized(request.decider).sized(request.decider_name).sized(request.reason);
  writer.u64(to_unix_ms(request.decided));
  return row;
}

Result<ApprovalRequest> decode_approval(ByteView row) {
  ByteReader reader(row);
  if (TACENDA_TRY(reader.u8()) != kFormat) return fail(ErrorKind::kCorrupt, "an approval row has an unknown format");
  ApprovalRequest request;
  auto const state = TACENDA_TRY(reader.u8());
  auto const secret = TACENDA_TRY(reader.u8());
  if (state < std::to_underlying(State::kWaiting) || state > std::to_underlying(State::kExpired) ||
      secret > 1)
    return fail(ErrorKind::kCorrupt, "an approval row has an unknown state");
  request.state = static_cast<State>(state);
  request.is_secret = secret != 0;
  for (auto* text :
       {&request.id, &request.path, &request.body, &request.act, &request.target, &request.old_value,
        &request.new_value, &request.basis, &request.subject, &request.asker, &request.asker_name})
    *text = TACENDA_TRY(read_text(reader));
  request.asked = from_unix_ms(TACENDA_TRY(reader.u64()));
  request.expires = from_unix_ms(TACENDA_TRY(reader.u64()));
  request.decider = TACENDA_TRY(read_text(reader));
  request.decider_name = TACENDA_TRY(read_text(reader));
  request.reason = TACENDA_TRY(read_text(reader));
  request.decided = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "an approval row is longer than its fields");
  return request;
}

Approvals::Approvals(vault::Vault& vault, Clock const& clock, std::uint8_t persons)
    : vault_(vault),
      clock_(clock),
      rows_(vault.sealed_view(vault::Keeper::kPolicy, vault::Purpose::kAuth)),
      persons_(persons) {}

Result<std::unique_ptr<Approvals>> Approvals::open(vault::Vault& vault, Clock const& clock,
                                                   std::uint8_t persons) {
  std::unique_ptr<Approvals> made(new Approvals(vault, clock, persons));
  auto const row = TACENDA_TRY(made->rows_.get(as_bytes(kHadOthers)));
  made->had_others_ = row.has_value();
  return made;
}

Result<vault::WriteSet> Approvals::remember_others() const {
  vault::WriteSet set;
  Bytes row;
  ByteWriter(row).u8(kFormat);
  TACENDA_TRY_VOID(rows_.put(set, as_bytes(kHadOthers), row));
  return set;
}

Result<Approvals::Step> Approvals::ask(ApprovalRequest request) {
  auto const known = TACENDA_TRY(all());
  Time const now = clock_.now();
  auto const waits = [&](ApprovalRequest const& each) {
    return is_open(each) && state_at(each, now) != State::kExpired;
  };
  auto const his = std::ranges::count_if(
      known, [&](auto const& each) { return waits(each) && each.asker == request.asker; });
  if (static_cast<std::size_t>(his) >= limits::kApprovalsPerAsker ||
      static_cast<std::size_t>(std::ranges::count_if(known, waits)) >= limits::kApprovalsWaiting)
    return fail(ErrorKind::kThrottled, "too many requests wait for a second person");
  request.id = codec::format_uuid_v4(TACENDA_TRY(vault_.random_bytes16()));
  request.asked = now;
  request.expires = now + limits::kApprovalTime;
  request.state = State::kWaiting;
  Step step;
  step.request = std::move(request);
  if (step.request.expires < Time(next_look_.load())) next_look_ = step.request.expires.time_since_epoch();
  return written(std::move(step));
}

Result<Approvals::Step> Approvals::read(std::string_view id) const {
  Step step;
  // First as of when, then the row: a decision that commits in between is later than what was read.
  step.set.read_at(vault_.order().committed());
  step.set.depends_on(rows_.guard(row_key(id)));
  step.request = TACENDA_TRY(find(id));
  return step;
}

Result<Approvals::Step> Approvals::written(Step step) const {
  auto const key = row_key(step.request.id);
  step.set.touches(rows_.guard(key));
  TACENDA_TRY_VOID(rows_.put(step.set, key, encode_approval(step.request)));
  return step;
}

Result<Approvals::Step> Approvals::approve(std::string_view id, Person const& who) const {
  auto step = TACENDA_TRY(read(id));
  auto& request = step.request;
  TACENDA_TRY_VOID(check_second(request, who));
  // Who gets new factors could be anybody until he has them: he does not vouch for himself.
  if (request.subject == who.id)
    return fail(ErrorKind::kForbidden, "nobody approves what is about his own account");
  Time const now = clock_.now();
  TACENDA_TRY_VOID(check_open(request, now));
  if (request.state == State::kApproved)
    return fail(ErrorKind::kConflict, "this request was approved already");
  decide(request, who, request.is_secret ? State::kApproved : State::kDone, now);
  if (request.is_secret) request.expires = now + limits::kApprovalTime;
  return written(std::move(step));
}

Result<Approvals::Step> Approvals::refuse(std::string_view id, Person const& who,
                                          std::string_view reason) const {
  auto step = TACENDA_TRY(read(id));
  TACENDA_TRY_VOID(check_second(step.request, who));
  Time const now = clock_.now();
  TACENDA_TRY_VOID(check_open(step.request, now));
  if (reason.find_first_not_of(" \t\r\n") == std::string_view::npos || reason.size() > limits::kReasonBytes)
    return fail(ErrorKind::kUnprocessable, "a refusal needs a reason of at most 2,000 bytes");
  decide(step.request, who, State::kRefused, now);
  step.request.reason = reason;
  return written(std::move(step));
}

Result<Approvals::Step> Approvals::withdraw(std::string_view id, Person const& who) const {
  auto step = TACENDA_TRY(read(id));
  TACENDA_TRY_VOID(check_asker(step.request, who));
  TACENDA_TRY_VOID(check_open(step.request, clock_.now()));
  auto const key = row_key(id);
  step.set.touches(rows_.guard(key));
  rows_.erase(step.set, key);
  return step;
}

Result<Approvals::Step> Approvals::collect(std::string_view id, Person const& who) const {
  auto step = TACENDA_TRY(read(id));
  TACENDA_TRY_VOID(check_asker(step.request, who));
  TACENDA_TRY_VOID(check_open(step.request, clock_.now()));
  if (step.request.state != State::kApproved)
    return fail(ErrorKind::kConflict, "nobody has approved this request yet");
  step.request.state = State::kDone;
  return written(std::move(step));
}

Result<std::vector<ApprovalRequest>> Approvals::all() const {
  std::vector<ApprovalRequest> requests;
  TACENDA_TRY_VOID(rows_.scan(as_bytes("a"), [&](ByteView, ByteView row) -> Result<bool> {
    requests.push_back(TACENDA_TRY(decode_approval(row)));
    return true;
  }));
  std::ranges::sort(requests, {}, &ApprovalRequest::asked);
  return requests;
}

Result<ApprovalRequest> Approvals::find(std::string_view id) const {
  auto const row = TACENDA_TRY(rows_.get(row_key(id)));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such request");
  return decode_approval(*row);
}

Result<Approvals::Due> Approvals::due() const {
  Due due;
  due.set.read_at(vault_.order().committed());
  Time const now = clock_.now();
  due.next = now + limits::kApprovalTime;
  for (auto& request : TACENDA_TRY(all())) {
    auto const key = row_key(request.id);
    bool const is_over = is_open(request) && state_at(request, now) == State::kExpired;
    Time const end = is_open(request) ? request.expires : request.asked + limits::kApprovalKept;
    if (now < end) {
      due.next = std::min(due.next, end);
      continue;
    }
    due.set.depends_on(rows_.guard(key));
    due.set.touches(rows_.guard(key));
    if (!is_over) {
      rows_.erase(due.set, key);
      continue;
    }
    request.state = State::kExpired;
    TACENDA_TRY_VOID(rows_.put(due.set, key, encode_approval(request)));
    due.next = std::min(due.next, request.asked + limits::kApprovalKept);
    due.expired.push_back(std::move(request));
  }
  return due;
}

}  // namespace tacenda::access
