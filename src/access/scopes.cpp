#include "access/scopes.hpp"

#include <algorithm>

#include "access/policy.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "core/limits.hpp"
#include "fhir/types.hpp"
#include "records/criteria.hpp"

namespace tacenda::access {
namespace {

using codec::Scope;
using codec::ScopeLevel;
using codec::ScopeVerb;

constexpr std::size_t kKnownMax = 4'096;
constexpr std::string_view kAnyType = "*";

constexpr std::uint8_t bits(ScopeVerb verb) {
  return static_cast<std::uint8_t>(verb);
}

/// Verbs that one scope must have for an action; 0: no scope is for it. Reading gives reads and the history
/// of an instance, searching searches and the histories of types (F-06); an export needs both (Bulk Data
/// IG 2.0).
std::uint8_t verbs_for(Action action) {
  switch (action) {
    case Action::kRead:
    case Action::kVread:
    case Action::kHistoryInstance:
      return bits(ScopeVerb::kRead);
    case Action::kSearch:
    case Action::kHistoryType:
    case Action::kHistorySystem:
      return bits(ScopeVerb::kSearch);
    case Action::kCreate:
      return bits(ScopeVerb::kCreate);
    case Action::kUpdate:
      return bits(ScopeVerb::kUpdate);
    case Action::kDelete:
      return bits(ScopeVerb::kDelete);
    case Action::kExport:
      return bits(ScopeVerb::kRead) | bits(ScopeVerb::kSearch);
    case Action::kVerify:
      break;
  }
  return 0;
}

bool is_writing(Action action) {
  return action == Action::kCreate || action == Action::kUpdate || action == Action::kDelete;
}

/// What is nobody's own and records of a patient refer to.
bool is_shared(std::string_view type) {
  return group_of(type) == ResourceGroup::kDirectory || type == "Medication";
}

std::unexpected<Error> not_enforceable() {
  return fail(ErrorKind::kInvalid, "the constraints of a scope cannot be held to by this server");
}

/// Can it be judged by one record alone, the same at every moment?
bool is_judged_alone(fhir::SearchCriterion const& criterion) {
  using fhir::SearchType;
  if (criterion.kind != fhir::SearchCriterion::Kind::kValue || criterion.modifier != fhir::Modifier::kNone ||
      criterion.values.empty() || criterion.parameter->code.starts_with('_'))
    return false;
  switch (criterion.parameter->type) {
    case SearchType::kToken:
    case SearchType::kString:
    case SearchType::kUri:
    case SearchType::kReference:
    case SearchType::kNumber:
    case SearchType::kQuantity:
      return true;
    case SearchType::kDate:
      // About a date is nearer to it or farther from it as time goes by.
      return std::ranges::none_of(criterion.values,
                                  [](auto const& value) { return value.prefix == fhir::Prefix::kAp; });
    default:
      return false;
  }
}

Result<std::vector<fhir::SearchCriterion>> criteria_of(Scope const& scope) {
  if (scope.constraints.empty()) return std::vector<fhir::SearchCriterion>();
  constexpr std::uint8_t kReading = bits(ScopeVerb::kRead) | bits(ScopeVerb::kSearch);
  if (scope.type == kAnyType || (scope.verbs & ~kReading) != 0) return not_enforceable();
  auto const parameters = TACENDA_TRY(codec::parse_query(scope.constraints));
  if (parameters.empty() || parameters.size() > limits::kScopeConditions) return not_enforceable();
  auto query =
      TACENDA_TRY(fhir::parse_search(fhir::r4_parameters(), scope.type, parameters, fhir::Handling::kStrict));
  // What is no criterion would be passed over: then the scope would be wider than it reads.
  if (query.criteria.size() != parameters.size()) return not_enforceable();
  if (!std::ranges::all_of(query.criteria, is_judged_alone)) return not_enforceable();
  return std::move(query.criteria);
}

}  // namespace

Result<void> check_scope(Scope const& scope, Bearer bearer) {
  if (scope.level == ScopeLevel::kNone && bearer == Bearer::kService && scope.word == kProvisioningScope)
    return {};
  bool const is_for_service = scope.level == ScopeLevel::kSystem;
  if (scope.level == ScopeLevel::kNone || is_for_service != (bearer == Bearer::kService))
    return fail(ErrorKind::kInvalid, "a scope is of a level that this application cannot have");
  if (scope.type != kAnyType && !fhir::is_resource_type(scope.type))
    return fail(ErrorKind::kInvalid, "a scope names a type that is none of R4");
  TACENDA_TRY_VOID(criteria_of(scope));
  return {};
}

bool ScopeSet::Rule::is_for(Action action, std::string_view wanted) const {
  auto const needed = verbs_for(action);
  if (needed == 0 || (verbs & needed) != needed) return false;
  // What leaves in bulk is for services (Bulk Data IG 2.0, authorization.html).
  if (action == Action::kExport && level != codec::ScopeLevel::kSystem) return false;
  return wanted.empty() || type == kAnyType || type == wanted;
}

Result<std::shared_ptr<ScopeSet const>> ScopeSet::make(std::vector<Scope> const& scopes, Bearer bearer,
                                                       std::optional<std::string> patient) {
  auto made = std::make_shared<ScopeSet>();
  for (auto const& scope : scopes) {
    if (scope.level == ScopeLevel::kNone) continue;
    TACENDA_TRY_VOID(check_scope(scope, bearer));
    if (scope.level == ScopeLevel::kPatient && !patient)
      return fail(ErrorKind::kInvalid, "a scope is about a patient, and none was chosen");
    made->rules_.push_back({scope.level, scope.type, scope.verbs, TACENDA_TRY(criteria_of(scope))});
  }
  made->patient_ = std::move(patient);
  return made;
}

bool ScopeSet::may(Action action, std::string_view type) const {
  return std::ranges::any_of(rules_, [&](Rule const& rule) { return rule.is_for(action, type); });
}

bool ScopeSet::may_all(Action action, std::string_view type) const {
  return std::ranges::any_of(
      rules_, [&](Rule const& rule) { return rule.criteria.empty() && rule.is_for(action, type); });
}

bool ScopeSet::covers_all(Action action, std::string_view type) const {
  return std::ranges::any_of(rules_, [&](Rule const& rule) {
    return rule.level != ScopeLevel::kPatient && rule.criteria.empty() && rule.is_for(action, type);
  });
}

bool ScopeSet::is_unlimited() const {
  return std::ranges::all_of(
      rules_, [](Rule const& rule) { return rule.level != ScopeLevel::kPatient && rule.criteria.empty(); });
}

bool ScopeSet::reaches(Rule const& rule, Action action, RecordFacts const& facts) const {
  if (!rule.is_for(action, facts.type)) return false;
  if (rule.level != ScopeLevel::kPatient) return true;
  if (facts.patients.empty()) return !is_writing(action) && is_shared(facts.type);
  // What is also about somebody else is not his alone to give away.
  return facts.patients.size() == 1 && facts.patients.front() == *patient_;
}

ScopeSet::Verdict ScopeSet::judge(Action action, RecordFacts const& facts,
                                  std::function<codec::Json const*()> const& content) const {
  bool is_limited = false;
  for (auto const& rule : rules_) {
    if (!reaches(rule, action, facts)) continue;
    if (rule.criteria.empty()) return Verdict::kYes;
    is_limited = true;
  }
  if (!is_limited) return Verdict::kNo;
  auto const* resource = content();
  if (resource == nullptr) return Verdict::kUnreadable;
  for (auto const& rule : rules_) {
    if (!reaches(rule, action, facts)) continue;
    auto const met = records::meets(*resource, facts.type, rule.criteria);
    if (met.has_value() && *met) return Verdict::kYes;
  }
  return Verdict::kNo;
}

Result<std::shared_ptr<ScopeSet const>> KnownScopes::of(
    std::shared_ptr<identity::Application const> const& application, Bearer bearer) const {
  if (!application) return nullptr;
  {
    MutexLock const lock(mutex_);
    if (auto const found = known_.find(application); found != known_.end()) return found->second;
  }
  auto made = TACENDA_TRY(ScopeSet::make(application->scopes, bearer, application->patient));
  MutexLock const lock(mutex_);
  if (known_.size() >= kKnownMax) known_.clear();
  known_.insert_or_assign(application, made);
  return made;
}

}  // namespace tacenda::access
