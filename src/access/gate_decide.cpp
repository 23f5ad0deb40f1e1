// What decides about one record, and by what: for the log and for `policy explain`.
#include "access/gate.hpp"
#include "access/internal/decision.hpp"

namespace tacenda::access {

Gate::Decision Gate::decide(identity::Principal const& principal, Action action,
                            RecordFacts const& facts) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr) return {"role", {"the policy has no such role"}};
  std::string const type(facts.type);
  if (!role->may(action, facts.type)) return {"role", {"the role has no such right to " + type}};
  auto purpose = purpose_of(principal);
  if (!purpose.has_value()) return {"purpose", {"it is no purpose of the role: " + principal.purpose()}};
  Decision decision{"", {"the role has the right to " + type, "the purpose is " + *purpose}};
  auto asker = asker_of(principal, *role, std::move(*purpose));
  if (!asker.has_value()) return {"scope", {}};
  DecisionFilter const filter(current, *role, std::move(*asker), evidence_, assignments_,
                              MembersOfGroups::kJudged);
  decision.decided_by = word_of(filter.why(action, facts, &decision.because));
  // Patient by patient: of several each must be explained.
  for (auto const& patient : facts.patients) {
    auto const word = word_of(explain(principal, {&patient, 1}).relation);
    decision.because.push_back("relation to Patient/" + patient + ": " +
                               (word.empty() ? "none" : std::string(word)));
  }
  return decision;
}

std::string_view Gate::why(identity::Principal const& principal, Action action,
                           RecordFacts const& facts) const {
  return decide(principal, action, facts).decided_by;
}

}  // namespace tacenda::access
