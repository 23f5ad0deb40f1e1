// A batch: each entry as if it had come as a request of its own (R4 http.html#transaction).
#include <algorithm>
#include <array>
#include <set>

#include "codec/text.hpp"
#include "fhir/outcome.hpp"
#include "operations/bundle.hpp"
#include "operations/internal/entry.hpp"
#include "operations/internal/hold.hpp"
#include "operations/internal/links.hpp"
#include "operations/internal/permits.hpp"
#include "operations/patch.hpp"
#include "operations/refused.hpp"
#include "operations/write.hpp"

namespace tacenda::operations {
namespace {

/// One entry of a batch, as if it had come as a request of its own.
Result<Outcome> run_alone(Context const& context, EntryTarget const& target, fhir::BundleEntry& entry) {
  if (!needs_permit(target)) return read_entry(context, nullptr, target);
  auto const permit =
      TACENDA_TRY(context.services.gate.authorize(context.principal, action_of(target.kind), target.type));
  switch (target.kind) {
    case EntryKind::kDelete:
      if (!target.id) {
        return remove_matching(context, permit, target.type,
                               TACENDA_TRY(criteria_of(context, target.type, target.query)),
                               target.if_match);
      }
      return remove(context, permit, target.type, *target.id, target.if_match);
    case EntryKind::kUpdate:
      if (!target.id) {
        return update_matching(context, permit, entry.resource->clone(),
                               TACENDA_TRY(criteria_of(context, target.type, target.query)), target.if_match);
      }
      return update(context, permit, entry.resource->clone(), *target.id, target.if_match);
    case EntryKind::kPatch: {
      auto const change = TACENDA_TRY(Patch::from_resource(*entry.resource));
      if (!target.id) {
        return patch_matching(context, permit, change, target.type,
                              TACENDA_TRY(criteria_of(context, target.type, target.query)), target.if_match);
      }
      return patch(context, permit, change, target.type, *target.id, target.if_match);
    }
    case EntryKind::kCreate: {
      std::optional<Criteria> unless;
      if (!entry.if_none_exist.empty()) {
        unless = TACENDA_TRY(criteria_of(context, target.type, entry.if_none_exist));
      }
      return create(context, permit, entry.resource->clone(), unless);
    }
    default:
      return read_entry(context, &permit, target);
  }
}

bool is_fatal(Error const& error) {
  return error.kind() == ErrorKind::kUnavailable || error.kind() == ErrorKind::kNoSpace;
}

}  // namespace

Result<Outcome> batch(Context const& context, fhir::Bundle& bundle) {
  Outcome outcome;
  BundleOutcome answers;
  std::vector<std::size_t> order(bundle.entries.size());
  std::vector<Result<EntryTarget>> targets;
  for (std::size_t i = 0; i < order.size(); ++i) {
    order[i] = i;
    targets.push_back(target_of(bundle.entries[i]));
  }
  std::ranges::sort(order, {}, [&](std::size_t i) {
    return std::pair(targets[i].has_value() ? rank(targets[i]->kind) : 0, i);
  });
  answers.entries.resize(order.size());
  for (std::size_t const i : order) {
    // A batch may take long: who is disabled meanwhile writes and reads no further entry (S-11).
    vault::WriteSet nothing;
    if (context.still_allowed != nullptr) TACENDA_TRY_VOID((*context.still_allowed)(nothing));
    auto& answer = answers.entries[i];
    Remarks remarks;
    remarks.wanted = context.remarks != nullptr && context.remarks->wanted;
    audit::Event origin = context.origin;
    origin.query = asked_by(bundle.entries[i]);
    Context const alone = context_of_entry(context, origin, &remarks);
    Result<Outcome> one = fail(ErrorKind::kConflict, "too many concurrent changes of the same resource");
    for (std::size_t attempt = 0; attempt < limits::kCommitRetries; ++attempt) {
      one = targets[i].has_value() ? run_alone(alone, *targets[i], bundle.entries[i])
                                   : Result<Outcome>(std::unexpected(targets[i].error()));
      if (!one.has_value() || one->set.read_sequence() == std::nullopt) break;
      if (context.still_allowed != nullptr) TACENDA_TRY_VOID((*context.still_allowed)(one->set));
      auto receipt = context.services.log.commit(std::move(one->set), std::move(one->events));
      one->events.clear();
      if (receipt.has_value()) {
        answer.time = receipt->time();
        break;
      }
      if (is_fatal(receipt.error())) return std::unexpected(receipt.error());
      one = std::unexpected(receipt.error());
      if (receipt.error().kind() != ErrorKind::kConflict) break;
    }
    if (one.has_value()) {
      take_result(answer, *one, alone, *targets[i], outcome.events.size());
      if (remarks.wanted && makes_version(targets[i]->kind)) answer.outcome = remarks.outcome_of(0);
      std::ranges::move(one->events, std::back_inserter(outcome.events));
      continue;
    }
    if (is_fatal(one.error())) return std::unexpected(one.error());
    answer.result = one.error();
    auto const& issues = bundle.entries[i].issues;
    answer.outcome = issues.empty() ? std::move(remarks.refusal) : fhir::outcome_text(issues);
    auto event = targets[i].has_value()
                     ? event_of(alone, event_kind(targets[i]->kind), targets[i]->type,
                                targets[i]->id ? targets[i]->id->view() : std::string_view())
                     : event_of(alone, audit::EventKind::kBatch, "", "");
    event.outcome = audit::Outcome::kMinorFailure;
    event.reason = one.error().message();
    if (is_hidden(one.error()))
      mark_refused(context.services, context.principal, {one.error().kind(), remarks.denied_by}, event);
    event.query_patients.assign(remarks.matched.begin(), remarks.matched.end());
    outcome.events.push_back(std::move(event));
  }
  if (outcome.events.empty()) outcome.events.push_back(event_of(context, audit::EventKind::kBatch, "", ""));
  outcome.result = std::move(answers);
  outcome.is_partly_committed = true;
  return outcome;
}

}  // namespace tacenda::operations
