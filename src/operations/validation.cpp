#include "operations/validation.hpp"

#include <algorithm>
#include <unordered_map>

#include "fhirpath/expression.hpp"
#include "operations/internal/invariants.hpp"
#include "operations/internal/profiles.hpp"
#include "operations/vocabulary.hpp"

namespace tacenda::operations {

using codec::Json;
using fhir::Membership;

namespace {

// Of one expression: enough for dom-3 over the largest resource of R4's own examples a hundred times.
constexpr std::int64_t kStepsPerExpression = 10'000'000;

/// What references within a document lead to: entries of a Bundle by their full URL and by type and id.
class Targets {
 public:
  void look_at(Json const& document) {
    document_ = &document;
    known_.clear();
    has_index_ = false;
  }
  Json const* find(std::string_view reference) {
    if (!has_index_) index();
    auto const at = known_.find(std::string(reference));
    return at == known_.end() ? nullptr : at->second;
  }

 private:
  void index() {
    has_index_ = true;
    Json const* entries = document_ == nullptr ? nullptr : document_->find("entry");
    if (entries == nullptr || document_->text_of("resourceType") != "Bundle") return;
    for (auto const& entry : entries->items()) {
      Json const* resource = entry.find("resource");
      if (resource == nullptr) continue;
      if (auto const url = entry.text_of("fullUrl"); !url.empty()) known_.emplace(url, resource);
      auto const id = resource->text_of("id");
      if (!id.empty())
        known_.emplace(std::string(resource->text_of("resourceType")) + "/" + std::string(id), resource);
    }
  }

  Json const* document_ = nullptr;
  bool has_index_ = false;
  std::unordered_map<std::string, Json const*> known_;
};

/// Which codes stored value sets have. Read under the server's own Permit, like profiles: what they demand
/// holds for who may not read them as well. Owner: one thread.
class StoredSets {
 public:
  StoredSets(Vocabulary const* vocabulary, Permit permit)
      : permit_(std::move(permit)),
        terminology_(vocabulary == nullptr
                         ? fhir::TerminologySource{}
                         : vocabulary->source([this](std::string_view) { return &permit_; })) {}

  Membership ask(std::string_view value_set, fhir::BoundCode const& code) {
    std::string key(value_set);
    key.append(code.system ? "\n" : "\r").append(code.system.value_or("")).append("\n").append(code.code);
    if (auto const at = known_.find(key); at != known_.end()) return at->second;
    auto const membership = look(value_set, code);
    if (known_.size() < kKnownMax) known_.emplace(std::move(key), membership);
    return membership;
  }

 private:
  static constexpr std::size_t kKnownMax = 100'000;

  Membership look(std::string_view value_set, fhir::BoundCode const& code) {
    // An error is of the value set or of the store, never of the record: it says nothing about the code.
    auto const set = terminology_.value_set(value_set);
    if (!set.has_value() || *set == nullptr) return Membership::kUnknown;
    auto const found = terminology_.find(**set, code);
    return found.has_value() ? found->membership : Membership::kUnknown;
  }

  Permit permit_;
  fhir::Terminology terminology_;
  std::unordered_map<std::string, Membership> known_;
};

}  // namespace

struct Validation::Parts {
  Parts(records::Store const& store, access::Gate const& asked, Vocabulary const* stored)
      : gate(asked), vocabulary(stored), profiles(store, asked) {}
  access::Gate const& gate;
  Vocabulary const* vocabulary;
  Profiles profiles;
  Invariants invariants;
  UcumUnits units;
};

ValidationMode ValidationRules::of(std::string_view type) const {
  auto const at = types.find(type);
  return at == types.end() ? usual : at->second;
}

Validation::Validation(records::Store const& store, access::Gate const& gate, ValidationRules rules,
                       Vocabulary const* vocabulary)
    : rules_(std::move(rules)), parts_(std::make_unique<Parts>(store, gate, vocabulary)) {}

Validation::~Validation() = default;

struct Validation::Session::State {
  State(Parts& shared, Time now, TargetType target)
      : parts(shared),
        target_type(std::move(target)),
        stored_sets(shared.vocabulary, shared.gate.system_permit(Action::kSearch)) {
    context.now = now;
    context.units = &parts.units;
    context.limits.steps = kStepsPerExpression;
    context.steps_left = &steps_left;
    context.resolve = [this](std::string_view reference) { return targets.find(reference); };
    context.member_of = [this](std::string_view set, fhirpath::Item const& item) {
      return member_of(set, item);
    };
  }

  Result<bool> holds(fhir::InvariantContext const& asked) {
    auto const expression = TACENDA_TRY(parts.invariants.find(asked.expression));
    using fhirpath::Item;
    context.resource = Item::element(&asked.resource, nullptr, fhirpath::item_of(asked.resource).type(),
                                     &asked.root_resource);
    context.root_resource = fhirpath::item_of(asked.root_resource);
    auto const focus = Item::element(asked.value, asked.shadow, asked.type, &asked.root_resource);
    // Broken only by false: some of R4's own invariants are empty where they say nothing.
    return TACENDA_TRY(expression.condition(context, focus)).value_or(true);
  }

  Membership membership(std::string_view set, fhir::BoundCode const& code) {
    auto const number = fhir::find_base_value_set(set);
    auto const known = number ? fhir::base_membership(*number, code) : Membership::kUnknown;
    return known == Membership::kUnknown ? stored_sets.ask(set, code) : known;
  }

  /// memberOf(): of a code, a Coding or a CodeableConcept, of which one coding must be in.
  Result<std::optional<bool>> member_of(std::string_view set, fhirpath::Item const& item) {
    if (auto const text = item.text()) return is_in(membership(set, {std::nullopt, *text}));
    Json const* value = item.value();
    if (value == nullptr || !value->is_object()) return std::nullopt;
    Json const* codings = value->find("coding");
    if (codings == nullptr) return is_in(membership(set, {value->text_of("system"), value->text_of("code")}));
    auto found = Membership::kOut;
    for (auto const& coding : codings->items()) {
      auto const one = membership(set, {coding.text_of("system"), coding.text_of("code")});
      if (one == Membership::kIn) return true;
      if (one == Membership::kUnknown) found = one;
    }
    return is_in(found);
  }
  static std::optional<bool> is_in(Membership membership) {
    if (membership == Membership::kUnknown) return std::nullopt;
    return membership == Membership::kIn;
  }

  Parts& parts;
  TargetType target_type;
  fhirpath::Context context;
  std::int64_t steps_left = 0;
  std::int64_t steps_of_request = kSteps;
  Targets targets;
  StoredSets stored_sets;
  std::map<std::string, Result<std::shared_ptr<fhir::Profile const>>, std::less<>> profiles;
};

Validation::Session::Session(Validation const& validation, Time now, TargetType target_type)
    : state_(std::make_unique<State>(*validation.parts_, now, std::move(target_type))) {}

Validation::Session::~Session() = default;

Result<std::shared_ptr<fhir::Profile const>> Validation::Session::profile(std::string_view canonical) {
  auto at = state_->profiles.find(canonical);
  if (at == state_->profiles.end()) {
    at = state_->profiles.emplace(canonical, state_->parts.profiles.find(canonical)).first;
  }
  return at->second;
}

fhir::Report Validation::Session::validate(fhir::Resource const& resource,
                                           std::span<fhir::Profile const* const> profiles) {
  State& state = *state_;
  state.targets.look_at(resource.json());
  std::int64_t const allowed = std::min(kStepsPerResource, state.steps_of_request);
  state.steps_left = allowed;
  fhir::ValidationHooks hooks;
  hooks.invariant = [&state](fhir::InvariantContext const& asked) { return state.holds(asked); };
  hooks.membership = [&state](std::string_view set, fhir::BoundCode const& code) {
    return state.stored_sets.ask(set, code);
  };
  hooks.profile = [this](std::string_view url) { return profile(url); };
  hooks.target_type = state.target_type;
  auto report = fhir::Validator(std::move(hooks)).validate(resource, profiles);
  state.steps_of_request -= allowed - state.steps_left;
  return report;
}

}  // namespace tacenda::operations
