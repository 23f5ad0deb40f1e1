// What gives rights or a way in: done at once, or when a second person has agreed (S-12).
#include <algorithm>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "codec/text.hpp"
#include "core/log.hpp"

namespace tacenda::api {
namespace {

using access::ApprovalRequest;
using codec::Json;

constexpr std::size_t kShownInList = 1'000;  // bytes of a value; the whole of it is shown of one request

/// An event about a request names it as its target.
void describe(audit::Event& event, ApprovalRequest const& request) {
  event.target = request.id;
  event.new_value = request.act + " " + request.target;
}

enum class Shown : std::uint8_t { kShort, kWhole };
Json request_json(ApprovalRequest const& request, Shown shown, Time now) {
  bool const whole = shown == Shown::kWhole;
  Json json = Json::object();
  json.set("id", Json::string(request.id));
  json.set("state", Json::string(access::name_of(access::state_at(request, now))));
  json.set("act", Json::string(request.act));
  json.set("target", Json::string(request.target));
  for (auto const& [name, value] :
       {std::pair("old", &request.old_value), std::pair("new", &request.new_value)}) {
    bool const is_shown = whole || value->size() <= kShownInList;
    if (is_shown && !value->empty()) json.set(name, Json::string(*value));
  }
  json.set("asked_by", Json::string(request.asker_name));
  json.set("asked", Json::string(codec::format_instant(request.asked)));
  json.set("expires", Json::string(codec::format_instant(request.expires)));
  if (!request.decider.empty()) {
    json.set("decided_by", Json::string(request.decider_name));
    json.set("decided", Json::string(codec::format_instant(request.decided)));
  }
  if (!request.reason.empty()) json.set("reason", Json::string(request.reason));
  if (auto body = codec::parse_json(request.body); whole && body.has_value())
    json.set("body", std::move(*body));
  return json;
}

net::Response json_answer(std::uint16_t status, std::string json) {
  net::Response response;
  response.status = status;
  response.body = std::move(json);
  response.headers.push_back({"content-type", "application/json"});
  return response;
}

}  // namespace

/// A request as it would be asked now.
struct Admin::Revived {
  Row const* row;
  Call call;  // of whoever acts now, with what was asked
  Plan plan;
  identity::Principal asker;
};

std::vector<std::string> Admin::approvers() const {
  auto const policy = parts_.gate.policy();
  return parts_.directory.people([&](std::string_view name) {
    auto const* role = policy->role(name);
    return role != nullptr && role->may(access::AdminAction::kApprove);
  });
}

Result<void> Admin::remember_approvers() {
  MutexLock const turn(grants_);
  auto& approvals = parts_.approvals;
  if (!approvals.is_to_remember(true) || !approvals.is_to_remember(approvers().size() > 1)) return {};
  audit::Event event;
  event.kind = audit::EventKind::kApprovalsDemanded;
  event.actor_name = "system";
  event.authentication = "none";
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(parts_.log.commit(TACENDA_TRY(approvals.remember_others()), std::move(events)));
  approvals.remembered();
  return {};
}

void Admin::tick() {
  if (auto const known = remember_approvers(); !known.has_value()) log(LogLevel::kError, known.error());
  MutexLock const turn(grants_);
  if (!parts_.approvals.is_due()) return;
  // Of a conflict nothing is to be said: somebody decided just now, and the next second looks again.
  auto const ended = end_overdue();
  if (!ended.has_value() && ended.error().kind() != ErrorKind::kConflict)
    log(LogLevel::kError, ended.error());
}

Result<void> Admin::end_overdue() {
  auto due = TACENDA_TRY(parts_.approvals.due());
  audit::Event event;
  event.kind = audit::EventKind::kApprovalExpired;
  event.actor_name = "system";
  event.authentication = "none";
  std::vector<audit::Event> events;
  for (auto const& request : due.expired) {
    describe(event, request);
    event.reason = "asked by " + request.asker_name;
    events.push_back(event);
  }
  if (!due.set.empty()) {
    // What was kept long enough goes with nothing to tell of: it was told of when it was decided.
    if (events.empty()) {
      event.reason = "kept long enough";
      events.push_back(std::move(event));
    }
    TACENDA_TRY_VOID(parts_.log.commit(std::move(due.set), std::move(events)));
  }
  parts_.approvals.looked(due);
  return {};
}

Released Admin::undertake(Call& call, Row const& row) {
  if (row.prepare != nullptr) {
    if (auto const prepared = (this->*row.prepare)(call); !prepared.has_value())
      return refuse(call, prepared.error());
  }
  MutexLock const turn(grants_);
  auto plan = (this->*row.plan)(call);
  if (!plan.has_value()) return refuse(call, plan.error());
  if (plan->entrusts) {
    auto others = approvers();
    std::erase(others, call.origin.actor_id);
    if (parts_.approvals.demands_second(!others.empty())) {
      std::erase(others, plan->subject);  // he does not approve it either
      return ask_for_second(call, row, *plan, others.size());
    }
    if (parts_.approvals.persons() == 2) call.origin.reason = "sole administrator";
  }
  auto done = plan->act();
  if (!done.has_value()) return refuse(call, done.error());
  if (done->new_value) call.origin.new_value = *std::move(done->new_value);
  return change(call, done->pending, std::move(done->json));
}

std::string Admin::basis_of_plan(Plan const& plan) const {
  return "policy " + std::to_string(parts_.gate.policy()->epoch()) + "\n" + plan.basis;
}

Released Admin::ask_for_second(Call& call, Row const& row, Plan const& plan, std::size_t others) {
  ApprovalRequest request;
  request.path = row.path;
  request.body = codec::write_json(call.body);
  request.act = audit::name_of(row.event);
  request.target = call.origin.target;
  request.old_value = call.origin.old_value;
  request.new_value = call.origin.new_value;
  request.basis = basis_of_plan(plan);
  request.subject = plan.subject;
  request.is_secret = plan.is_secret;
  request.asker = call.origin.actor_id;
  request.asker_name = call.origin.actor_name;
  auto step = parts_.approvals.ask(std::move(request));
  if (!step.has_value()) return refuse(call, step.error());
  call.origin.kind = audit::EventKind::kApprovalAsked;
  call.origin.target = step->request.id;
  call.origin.new_value = step->request.act + " " + step->request.target + ": " + step->request.new_value;
  Json json = Json::object();
  json.set("approval", Json::string(step->request.id));
  json.set("expires", Json::string(codec::format_instant(step->request.expires)));
  json.set("others", Json::number(static_cast<std::int64_t>(others)));
  return store(call, std::move(step->set), {call.origin}, json_answer(202, codec::write_json(json)));
}

Released Admin::store(Call& call, vault::WriteSet set, std::vector<audit::Event> events,
                      net::Response response) {
  auto const receipt = parts_.log.commit(std::move(set), std::move(events));
  if (receipt.has_value()) return Released(*receipt, std::move(response));
  return unstored(call, receipt.error());
}

Released Admin::unstored(Call& call, Error const& error) {
  if (error.kind() == ErrorKind::kConflict) return refuse(call, error);
  return Released(error.kind() == ErrorKind::kNoSpace ? Unrecorded::kNoSpace : Unrecorded::kAuditUnavailable);
}

Released Admin::approvals(Call& call) {
  Json json = Json::object();
  if (auto const id = call.query.find("id"); id != call.query.end()) {
    auto const request = parts_.approvals.find(id->second);
    if (!request.has_value()) return refuse(call, request.error());
    call.origin.target = request->id;
    return answer(call, codec::write_json(request_json(*request, Shown::kWhole, parts_.clock.now())));
  }
  auto const requests = parts_.approvals.all();
  if (!requests.has_value()) return refuse(call, requests.error());
  Json list = Json::array();
  for (auto const& request : *requests) list.push(request_json(request, Shown::kShort, parts_.clock.now()));
  json.set("approvals", std::move(list));
  return answer(call, codec::write_json(json));
}

Result<void> Admin::prepare_deed(Call& call) {
  auto const request = parts_.approvals.find(call.body.text_of("id"));
  // What cannot be approved is refused later, and nothing is looked for.
  bool const is_open = request.has_value() && request->asker != call.origin.actor_id &&
                       access::state_at(*request, parts_.clock.now()) == ApprovalRequest::State::kWaiting;
  auto const* const row = is_open ? planned(request->path) : nullptr;
  if (row == nullptr || row->prepare == nullptr) return {};
  Call asked;
  asked.asker = request->asker;
  asked.asker_name = request->asker_name;
  asked.body = TACENDA_TRY(codec::parse_json(request->body, kBodyLimits));
  TACENDA_TRY_VOID((this->*row->prepare)(asked));
  call.examined = std::move(asked.examined);
  return {};
}

Result<Admin::Revived> Admin::revive(Call& call, ApprovalRequest const& request) {
  auto const* const row = planned(request.path);
  if (row == nullptr) return fail(ErrorKind::kConflict, "this version does not know what was asked for");
  auto asker = parts_.directory.principal_for_work(TACENDA_TRY(UserId::parse(request.asker)));
  auto const role = asker.has_value() ? parts_.gate.role(asker->role()) : std::nullopt;
  if (!role || !role->may(row->action))
    return fail(ErrorKind::kConflict, "who asked for this may not do it any more");
  Revived revived{row, {}, {}, *std::move(asker)};
  revived.call.origin = call.origin;
  revived.call.origin.kind = row->event;
  revived.call.asker_role = revived.asker.role();
  revived.call.asker = request.asker;
  revived.call.asker_name = request.asker_name;
  revived.call.body = TACENDA_TRY(codec::parse_json(request.body, kBodyLimits));
  revived.call.examined = call.examined;
  auto plan = (this->*row->plan)(revived.call);
  // What is kept of a refusal is kept whoever of the two meets it.
  if (!plan.has_value()) call.on_refusal = std::move(revived.call.on_refusal);
  revived.plan = TACENDA_TRY(std::move(plan));
  auto const& origin = revived.call.origin;
  bool const is_same = origin.target == request.target && origin.old_value == request.old_value &&
                       origin.new_value == request.new_value &&
                       basis_of_plan(revived.plan) == request.basis &&
                       revived.plan.subject == request.subject && revived.plan.is_secret == request.is_secret;
  if (!is_same)
    return fail(ErrorKind::kConflict,
                "the policy or the account was changed since this was asked: ask again");
  return revived;
}

std::optional<Released> Admin::try_deed(Call& call, Deed deed) {
  std::uint64_t const seen = parts_.vault.order().committed();
  auto const id = call.body.text_of("id");
  access::Approvals::Person const who{call.origin.actor_id, call.origin.actor_name};
  auto step = deed == Deed::kApprove ? parts_.approvals.approve(id, who) : parts_.approvals.collect(id, who);
  if (!step.has_value()) return refuse(call, step.error());
  auto const& request = step->request;
  describe(call.origin, request);
  auto revived = revive(call, request);
  if (!revived.has_value()) return refuse(call, revived.error());
  auto set = std::move(step->set);
  set.read_at(seen);
  // Nothing is done by who ended meanwhile, nor for him (S-11). Before it is done: it may change him.
  for (auto const* person : {&*call.principal, &revived->asker}) {
    if (auto const still = parts_.directory.confirm(*person, set); !still.has_value())
      return refuse(call, still.error());
  }
  std::vector<audit::Event> events;
  if (deed == Deed::kApprove) {
    events.push_back(call.origin);
    events.back().reason = "asked by " + request.asker_name;
  }
  Done done;
  if (deed == Deed::kCollect || !request.is_secret) {
    auto made = revived->plan.act();
    if (!made.has_value()) return refuse(call, made.error());
    done = std::move(*made);
    auto changes = done.pending.set();
    if (!changes.has_value()) return refuse(call, changes.error());
    set.merge(std::move(*changes), 0);
    auto event = revived->call.origin;
    if (done.new_value) event.new_value = *done.new_value;
    event.reason = "request " + request.id + ", asked by " + request.asker_name + ", approved by " +
                   request.decider_name;
    events.push_back(std::move(event));
  }
  auto const receipt = parts_.log.commit(std::move(set), std::move(events));
  if (!receipt.has_value() && receipt.error().kind() == ErrorKind::kConflict) return std::nullopt;
  if (!receipt.has_value()) return unstored(call, receipt.error());
  done.pending.committed();
  if (deed == Deed::kCollect) return Released(*receipt, json_answer(200, std::move(done.json)));
  return Released(
      *receipt,
      json_answer(200, codec::write_json(request_json(request, Shown::kShort, parts_.clock.now()))));
}

Released Admin::deed(Call& call, Deed deed) {
  if (deed == Deed::kApprove) {
    if (auto const prepared = prepare_deed(call); !prepared.has_value())
      return refuse(call, prepared.error());
  }
  MutexLock const turn(grants_);
  auto const origin = call.origin;
  for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
    call.origin = origin;
    if (auto released = try_deed(call, deed)) return std::move(*released);
  }
  return refuse(call, Error(ErrorKind::kConflict, "too many concurrent changes of the accounts"));
}

Released Admin::approve(Call& call) {
  return deed(call, Deed::kApprove);
}

Released Admin::collect(Call& call) {
  return deed(call, Deed::kCollect);
}

Released Admin::refuse_request(Call& call) {
  auto const reason = call.body.text_of("reason");
  return decide(call, parts_.approvals.refuse(call.body.text_of("id"),
                                              {call.origin.actor_id, call.origin.actor_name}, reason));
}

Released Admin::withdraw_request(Call& call) {
  return decide(call, parts_.approvals.withdraw(call.body.text_of("id"),
                                                {call.origin.actor_id, call.origin.actor_name}));
}

Released Admin::decide(Call& call, Result<access::Approvals::Step> step) {
  if (!step.has_value()) return refuse(call, step.error());
  describe(call.origin, step->request);
  call.origin.reason = step->request.reason;
  auto set = std::move(step->set);
  if (auto const still = parts_.directory.confirm(*call.principal, set); !still.has_value())
    return refuse(call, still.error());
  return store(call, std::move(set), {call.origin}, json_answer(200, "{}"));
}

}  // namespace tacenda::api
