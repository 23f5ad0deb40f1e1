#include "api/internal/commit.hpp"

#include <optional>

#include "core/limits.hpp"

namespace tacenda::api {
namespace {

constexpr Literal kTooManyChanges("too many concurrent changes of the directory");

/// The task to review what an emergency account does in this emergency; nullopt: there is one. Errors: those
/// of begin_emergency.
Result<std::optional<access::Assignments::Begun>> review_of(Parts const& parts,
                                                            identity::Principal const& principal,
                                                            identity::EmergencyMode const& mode) {
  Time const now = parts.clock.now();
  // Of every patient, and so of none in particular.
  auto const open = parts.assignments.emergency(principal.id().view(), "", now);
  if (open && open->begun >= mode.begun) return std::nullopt;
  auto const lasts = std::chrono::duration_cast<std::chrono::seconds>(mode.until - now);
  return TACENDA_TRY(parts.assignments.begin_emergency(principal.id().view(), "", mode.reason, lasts));
}

Result<audit::Receipt> commit_emergency_sign_in(Parts const& parts, identity::Directory::Attempt& attempt,
                                                audit::Event event) {
  event.kind = audit::EventKind::kEmergencySignIn;
  event.purpose_of_use = "ETREAT";
  event.new_value = attempt.emergency->reason;
  for (std::size_t round = 0; round < limits::kCommitRetries; ++round) {
    auto set = TACENDA_TRY(attempt.pending.set());
    auto review = TACENDA_TRY(review_of(parts, *attempt.principal, *attempt.emergency));
    if (review) {
      event.target = review->emergency.id;
      set.merge(std::move(review->change.set), 0);
    }
    auto receipt = parts.log.commit(std::move(set), {event});
    if (receipt.has_value()) {
      attempt.pending.committed();
      if (review) review->change.committed();
      return receipt;
    }
    if (receipt.error().kind() != ErrorKind::kConflict) return receipt;
  }
  return fail(ErrorKind::kUnavailable, kTooManyChanges);
}

}  // namespace

Result<audit::Receipt> commit_change(audit::Log& log, identity::Pending& pending, audit::Event const& event) {
  for (std::size_t round = 0; round < limits::kCommitRetries; ++round) {
    auto receipt = log.commit(TACENDA_TRY(pending.set()), {event});
    if (receipt.has_value()) {
      pending.committed();
      return receipt;
    }
    if (receipt.error().kind() != ErrorKind::kConflict) return receipt;
  }
  return fail(ErrorKind::kUnavailable, kTooManyChanges);
}

Result<audit::Receipt> commit_sign_in(Parts const& parts, identity::Directory::Attempt& attempt,
                                      audit::Event event) {
  if (attempt.emergency) return commit_emergency_sign_in(parts, attempt, std::move(event));
  bool const recovered = attempt.principal->method() == identity::Method::kRecoveryCode;
  if (recovered && event.kind == audit::EventKind::kLogin) event.kind = audit::EventKind::kRecoveryCodeUsed;
  return commit_change(parts.log, attempt.pending, event);
}

}  // namespace tacenda::api
