#include "api/admin.hpp"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <utility>

#include "api/emergency_switch.hpp"
#include "api/internal/admin_call.hpp"
#include "api/internal/exchange.hpp"
#include "api/outcome.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "operations/refused.hpp"

namespace tacenda::api {

using codec::Json;

namespace {

/// On disk, by what they are; about, but for all of them. The index is that of searches and histories.
Result<Json> stored_bytes(Parts const& parts) {
  auto const records = TACENDA_TRY(parts.store.stored_bytes());
  auto const log = TACENDA_TRY(parts.log.stored_bytes());
  auto const all = TACENDA_TRY(parts.vault.engine().size_bytes());
  auto const number = [](std::uint64_t bytes) { return Json::number(static_cast<std::int64_t>(bytes)); };
  Json json = Json::object();
  json.set("all", number(all));
  json.set("versions", number(records.versions));
  json.set("contents", number(records.contents));
  json.set("index", number(records.index));
  json.set("audit", number(log));
  return json;
}

}  // namespace

Admin::Admin(Parts parts, Forgetting forgetting, Pipeline& pipeline, Hooks hooks)
    : parts_(parts), forgetting_(forgetting), pipeline_(&pipeline), hooks_(std::move(hooks)) {}

std::span<Admin::Row const> Admin::rows() {
  using access::AdminAction;
  using audit::EventKind;
  static constexpr auto kRows = std::to_array<Row>({
      {"GET", "/admin/users", AdminAction::kManageUsers, EventKind::kUserListed, &Admin::users},
      {"POST", "/admin/users", AdminAction::kManageUsers, EventKind::kUserAdded, nullptr, &Admin::add_user},
      {"POST", "/admin/users/renew", AdminAction::kManageUsers, EventKind::kUserAdded, nullptr,
       &Admin::renew_user},
      {"POST", "/admin/users/disable", AdminAction::kManageUsers, EventKind::kUserDisabled,
       &Admin::disable_user},
      {"POST", "/admin/users/role", AdminAction::kManageUsers, EventKind::kRoleChanged, nullptr,
       &Admin::change_role},
      {"POST", "/admin/users/unlock", AdminAction::kManageUsers, EventKind::kRoleChanged,
       &Admin::unlock_user},
      {"POST", "/admin/users/certificate", AdminAction::kManageUsers, EventKind::kRoleChanged, nullptr,
       &Admin::bind_certificate},
      {"POST", "/admin/users/practitioner", AdminAction::kManageUsers, EventKind::kPractitionerLinked,
       nullptr, &Admin::link_practitioner},
      {"GET", "/admin/access-lists", AdminAction::kReviewAccess, EventKind::kPolicyRead,
       &Admin::access_lists},
      {"POST", "/admin/access-lists", AdminAction::kManagePolicy, EventKind::kAccessListChanged, nullptr,
       &Admin::change_access_list},
      {"GET", "/admin/emergencies", AdminAction::kReviewAccess, EventKind::kEmergenciesRead,
       &Admin::emergencies},
      {"POST", "/admin/emergencies/review", AdminAction::kReviewAccess, EventKind::kEmergencyReviewed,
       &Admin::review_emergency},
      {"GET", "/admin/alerts", AdminAction::kReadAudit, EventKind::kAlertsRead, &Admin::alerts},
      {"POST", "/admin/alerts/answer", AdminAction::kReviewAccess, EventKind::kAlertAnswered,
       &Admin::answer_alert},
      {"GET", "/admin/policy", AdminAction::kReadStatus, EventKind::kPolicyRead, &Admin::show_policy},
      {"GET", "/admin/policy/history", AdminAction::kReadStatus, EventKind::kPolicyRead,
       &Admin::policy_history},
      {"POST", "/admin/policy", AdminAction::kManagePolicy, EventKind::kPolicyChanged, nullptr,
       &Admin::set_policy},
      {"POST", "/admin/policy/relabel", AdminAction::kManagePolicy, EventKind::kRelabelStarted,
       &Admin::relabel},
      {"POST", "/admin/policy/explain", AdminAction::kManagePolicy, EventKind::kPolicyRead,
       &Admin::explain_policy},
      {"POST", "/admin/users/networks", AdminAction::kManageUsers, EventKind::kRoleChanged, nullptr,
       &Admin::restrict_networks},
      {"POST", "/admin/users/until", AdminAction::kManageUsers, EventKind::kRoleChanged, nullptr,
       &Admin::limit_user},
      {"POST", "/admin/users/link", AdminAction::kManageUsers, EventKind::kUserLinked, nullptr,
       &Admin::link_user},
      {"POST", "/admin/users/reseal", AdminAction::kManageUsers, EventKind::kUserResealed, nullptr,
       &Admin::reseal_user},
      {"POST", "/admin/emergency/on", AdminAction::kManageUsers, EventKind::kEmergencyModeOn,
       &Admin::turn_emergency_on},
      {"POST", "/admin/emergency/off", AdminAction::kManageUsers, EventKind::kEmergencyModeOff,
       &Admin::turn_emergency_off},
      {"GET", "/admin/clients", AdminAction::kManageUsers, EventKind::kClientsListed, &Admin::clients},
      {"POST", "/admin/clients", AdminAction::kManageUsers, EventKind::kClientAdded, nullptr,
       &Admin::add_client},
      {"POST", "/admin/clients/disable", AdminAction::kManageUsers, EventKind::kClientDisabled,
       &Admin::disable_client},
      {"POST", "/admin/clients/keys", AdminAction::kManageUsers, EventKind::kClientKeysChanged, nullptr,
       &Admin::replace_client_keys},
      {"POST", "/admin/clients/networks", AdminAction::kManageUsers, EventKind::kClientNetworksChanged,
       nullptr, &Admin::restrict_client},
      {"POST", "/admin/tokens", AdminAction::kIssueTokens, EventKind::kTokenIssued, nullptr,
       &Admin::issue_token},
      {"GET", "/admin/approvals", AdminAction::kApprove, EventKind::kApprovalsRead, &Admin::approvals},
      {"POST", "/admin/approvals/approve", AdminAction::kApprove, EventKind::kApprovalGiven, &Admin::approve},
      {"POST", "/admin/approvals/refuse", AdminAction::kApprove, EventKind::kApprovalRefused,
       &Admin::refuse_request},
      {"POST", "/admin/approvals/withdraw", AdminAction::kApprove, EventKind::kApprovalWithdrawn,
       &Admin::withdraw_request},
      {"POST", "/admin/approvals/collect", AdminAction::kApprove, EventKind::kAdminDenied, &Admin::collect},
      {"GET", "/admin/audit", AdminAction::kReadAudit, EventKind::kAuditRead, &Admin::audit_list},
      {"GET", "/admin/audit/checkpoint", AdminAction::kReadAudit, EventKind::kAuditRead,
       &Admin::audit_checkpoint},
      {"GET", "/admin/audit/proof", AdminAction::kReadAudit, EventKind::kAuditRead, &Admin::audit_proof},
      {"GET", "/admin/erasures", AdminAction::kErase, EventKind::kErasuresRead, &Admin::erasures},
      {"POST", "/admin/erasures", AdminAction::kErase, EventKind::kErasureOrdered, nullptr,
       &Admin::order_erasure, &Admin::survey_erasure},
      {"POST", "/admin/erasures/examine", AdminAction::kErase, EventKind::kErasureExamined,
       &Admin::examine_erasure},
      {"GET", "/admin/erasures/certificate", AdminAction::kErase, EventKind::kErasuresRead,
       &Admin::erasure_certificate},
      {"GET", "/admin/holds", AdminAction::kHold, EventKind::kHoldsRead, &Admin::holds},
      {"POST", "/admin/holds", AdminAction::kHold, EventKind::kHoldSet, &Admin::set_hold},
      {"POST", "/admin/holds/lift", AdminAction::kHold, EventKind::kHoldLifted, &Admin::lift_hold},
      {"POST", "/admin/reindex", AdminAction::kVerify, EventKind::kIndexChanged, &Admin::reindex},
      {"POST", "/admin/verify", AdminAction::kVerify, EventKind::kVerified, &Admin::verify},
      {"GET", "/admin/keys", AdminAction::kManageKeys, EventKind::kKeysRead, &Admin::keys},
      {"POST", "/admin/keys/rotate", AdminAction::kManageKeys, EventKind::kKeyOperation, &Admin::rotate_keys},
      {"POST", "/admin/keys/retire", AdminAction::kManageKeys, EventKind::kKeyOperation, &Admin::retire_key},
      {"POST", "/admin/keys/compromised", AdminAction::kManageKeys, EventKind::kKeyOperation,
       &Admin::compromised_key},
      {"POST", "/admin/seal", AdminAction::kSeal, EventKind::kSealed, &Admin::seal},
  });
  return kRows;
}

Admin::Row const* Admin::planned(std::string_view path) {
  auto const all = rows();
  auto const row =
      std::ranges::find_if(all, [&](Row const& each) { return each.plan != nullptr && each.path == path; });
  return row == all.end() ? nullptr : &*row;
}

Released Admin::handle(net::Request&& request) {
  Call call;
  call.request = std::move(request);
  call.origin = origin_of(call.request, request_id_of(call.request, parts_.vault));
  call.origin.erasures_before = parts_.vault.order().patient_erasures();
  call.origin.kind = audit::EventKind::kAdminDenied;
  call.origin.authentication = "uid";
  // The socket's mode keeps others out; this says so again, and keeps out whoever passes the socket on.
  if (!call.request.peer.uid || (*call.request.peer.uid != ::geteuid() && *call.request.peer.uid != 0)) {
    return refuse(call, Error(ErrorKind::kForbidden, "this socket serves the server's own user only"));
  }
  if (call.request.path == "/admin/status" && call.request.method == "GET") return status(call);
  if (call.request.path == "/admin/login" && call.request.method == "POST") {
    call.request.path = "/auth/login";
    return pipeline_->handle(std::move(call.request));
  }
  for (auto const& row : rows()) {
    if (row.path == call.request.path && row.method == call.request.method) return run(call, row);
  }
  return refuse(call, Error(ErrorKind::kUnsupported, "there is no such administrative act"));
}

Released Admin::run(Call& call, Row const& row) {
  auto const token = bearer_token(call.request);
  auto principal = token ? parts_.directory.authenticate_token(*token)
                         : fail(ErrorKind::kUnauthenticated, "log in first: tacenda login --admin");
  if (!principal.has_value()) return refuse(call, principal.error());
  identify(call.origin, *principal);
  call.principal = *principal;
  call.asker_role = principal->role();
  call.asker = call.origin.actor_id;
  call.asker_name = call.origin.actor_name;
  auto const allowed = parts_.gate.authorize_admin(*principal, row.action, parts_.clock.now());
  if (!allowed.has_value()) {
    call.denied_by = allowed.error().kind() == ErrorKind::kUnauthenticated ? "step-up" : "role";
    return refuse(call, allowed.error());
  }
  auto const complete = parts_.gate.is_complete(*principal, parts_.clock.now());
  if (!complete.has_value()) {
    call.denied_by = parts_.gate.takes_factor(*principal).has_value() ? "awareness" : "factor";
    return refuse(call, complete.error());
  }
  call.origin.kind = row.event;
  if (row.method == "POST") {
    auto json = codec::parse_json(call.request.body.empty() ? "{}" : call.request.body, kBodyLimits);
    if (!json.has_value()) return refuse(call, json.error());
    call.body = std::move(*json);
  }
  auto query = codec::parse_query(call.request.query);
  if (!query.has_value()) return refuse(call, query.error());
  for (auto& [name, value] : *query) call.query.insert_or_assign(std::move(name), std::move(value));
  // Before anything is done: whoever is disabled by it was there.
  if (row.method == "POST") {
    if (auto const known = remember_approvers(); !known.has_value()) return refuse(call, known.error());
  }
  return row.plan != nullptr ? undertake(call, row) : (this->*row.act)(call);
}

Released Admin::refuse(Call& call, Error const& error) {
  net::Response response;
  response.status = status_of(error);
  response.body = outcome_json(error);
  response.headers.push_back({"content-type", "application/json"});
  audit::Event event = call.origin;
  event.outcome = audit_outcome_of(response.status);
  event.reason = error.message();
  if (!call.denied_by.empty()) operations::mark_denied(call.denied_by, event);
  event.http_status = response.status;
  return release(call, std::move(event), std::move(response));
}

Released Admin::release(Call& call, audit::Event event, net::Response response) {
  std::vector<audit::Event> events;
  events.push_back(std::move(event));
  auto const receipt = parts_.log.commit(std::exchange(call.on_refusal, {}), std::move(events));
  if (receipt.has_value()) return Released(*receipt, std::move(response));
  log(LogLevel::kError, receipt.error());
  return Released(receipt.error().kind() == ErrorKind::kNoSpace ? Unrecorded::kNoSpace
                                                                : Unrecorded::kAuditUnavailable);
}

Released Admin::answer(Call& call, std::string json) {
  net::Response response;
  response.status = 200;
  response.body = std::move(json);
  response.headers.push_back({"content-type", "application/json"});
  return release(call, call.origin, std::move(response));
}

Released Admin::released(audit::Receipt const& receipt, std::string json) {
  net::Response response;
  response.status = 200;
  response.body = std::move(json);
  response.headers.push_back({"content-type", "application/json"});
  return Released(receipt, std::move(response));
}

Released Admin::change(Call& call, identity::Pending& pending, std::string json) {
  auto const receipt = pipeline_->commit(pending, call.origin);
  if (!receipt.has_value()) return unstored(call, receipt.error());
  return released(*receipt, std::move(json));
}

Released Admin::change(Call& call, access::Assignments::Change change, std::string json) {
  parts_.store.change_decisions(change.set);
  return this->change(call, std::move(change.set), std::move(change.committed), std::move(json));
}

Released Admin::change(Call& call, vault::WriteSet set, std::move_only_function<void()> committed,
                       std::string json) {
  std::vector<audit::Event> events;
  events.push_back(call.origin);
  auto const receipt = parts_.log.commit(std::move(set), std::move(events));
  if (!receipt.has_value()) return unstored(call, receipt.error());
  if (committed) committed();
  return released(*receipt, std::move(json));
}

Released Admin::reindex(Call& call) {
  parts_.index_worker.renew();
  return answer(call, "{}");
}

Released Admin::relabel(Call& call) {
  parts_.label_worker.renew();
  return answer(call, "{}");
}

Released Admin::status(Call& call) {
  Json json = Json::object();
  json.set("state", Json::string("unsealed"));
  json.set("endpoint", Json::string(hooks_.endpoint()));
  json.set("audit_entries", Json::number(static_cast<std::int64_t>(parts_.log.size())));
  json.set("users", Json::number(static_cast<std::int64_t>(parts_.directory.users().size())));
  json.set("approvals", Json::number(std::int64_t{parts_.approvals.persons()}));
  auto const progress = parts_.indexer.progress();
  Json index = Json::object();
  index.set("state",
            Json::string(progress.is_at_work || parts_.index_worker.is_to_renew() ? "at work" : "complete"));
  index.set("answers", Json::boolean(progress.answers));
  index.set("done", Json::number(static_cast<std::int64_t>(progress.done)));
  index.set("total", Json::number(static_cast<std::int64_t>(progress.total)));
  index.set("parameters", Json::number(static_cast<std::int64_t>(progress.defined)));
  index.set("awaited", Json::number(static_cast<std::int64_t>(progress.awaited)));
  json.set("index", std::move(index));
  auto const labelling = parts_.label_worker.progress();
  Json labels = Json::object();
  labels.set("state", Json::string(labelling.is_at_work ? "at work" : "complete"));
  labels.set("looked_at", Json::number(static_cast<std::int64_t>(labelling.looked_at)));
  labels.set("labelled", Json::number(static_cast<std::int64_t>(labelling.labelled)));
  labels.set("failed", Json::number(static_cast<std::int64_t>(labelling.failed)));
  json.set("labels", std::move(labels));
  Json alerts = Json::object();
  alerts.set("open", Json::number(static_cast<std::int64_t>(parts_.alerts.open_count())));
  alerts.set("looked_at", Json::number(static_cast<std::int64_t>(parts_.detector.position())));
  json.set("alerts", std::move(alerts));
  if (auto const mode = parts_.emergency.mode()) json.set("emergency", emergency_json(*mode));
  if (auto const bytes = stored_bytes(parts_); bytes.has_value()) json.set("stored_bytes", *bytes);
  // `status` needs no session, and tells nothing of anyone: its event names the uid only.
  call.origin.kind = audit::EventKind::kMetadata;
  return answer(call, codec::write_json(json));
}

}  // namespace tacenda::api
