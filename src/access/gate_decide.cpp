// What decides about one record, and by what: for the log and for `policy explain`.
#include "access/gate.hpp"
#include "access/internal/decision.hpp"

namespace tacenda::access {

Gate::Decision Gate::decide(identity::Principal const& principal, Action action,
                            RecordFacts const& facts) const {
  auto const current = policy();
  Role const* role = current->role(principal.role());
  if (role == nullptr) return {"role", {"the policy has no such role"}};
  auto asker = admit(*current, principal, action, facts.type);
  if (!asker.has_value()) return {word_of(asker.error().by), {std::string(asker.error().says.view())}};
  Decision decision{
      "", {"the role has the right to " + std::string(facts.type), "the purpose is " + asker->purpose}};
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

std::string_view Gate::why(identity::Principal const& principal, Action action, std::string_view type) const {
  auto const current = policy();
  auto const asker = admit(*current, principal, action, type);
  return word_of(asker.has_value() ? Denial::kNone : asker.error().by);
}

}  // namespace tacenda::access
