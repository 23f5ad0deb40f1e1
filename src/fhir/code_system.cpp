#include "fhir/code_system.hpp"

#include <algorithm>
#include <array>

namespace tacenda::fhir {

using codec::Json;

namespace {

constexpr std::string_view kMeanings = "http://hl7.org/fhir/concept-properties#";
constexpr std::array<std::string_view, 5> kKnown = {"notSelectable", "inactive", "status", "parent", "child"};

/// Not codec::fold: a code system that ignores case still tells a letter from the same with an accent.
std::string without_case(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

std::optional<CodeSystemContent> content_of(std::string_view code) {
  if (code == "not-present") return CodeSystemContent::kNotPresent;
  if (code == "example") return CodeSystemContent::kExample;
  if (code == "fragment") return CodeSystemContent::kFragment;
  if (code == "complete") return CodeSystemContent::kComplete;
  if (code == "supplement") return CodeSystemContent::kSupplement;
  return std::nullopt;
}

std::vector<Json> const& items_of(Json const& json, std::string_view name) {
  static Json const none = Json::array();
  Json const* list = json.find(name);
  return list == nullptr ? none.items() : list->items();
}

bool is_true(Json const& property) {
  Json const* value = property.find("valueBoolean");
  return value != nullptr && value->is_boolean() && value->as_boolean();
}

}  // namespace

std::string_view code_of(Subsumption outcome) {
  constexpr std::array<std::string_view, 4> kCodes = {"equivalent", "subsumes", "subsumed-by",
                                                      "not-subsumed"};
  return kCodes[static_cast<std::size_t>(outcome)];
}

Result<std::shared_ptr<CodeSystem const>> CodeSystem::parse(Json document) {
  std::shared_ptr<CodeSystem> made(new CodeSystem(std::move(document)));
  TACENDA_TRY_VOID(made->read());
  return made;
}

Result<void> CodeSystem::read() {
  if (document_.text_of("resourceType") != "CodeSystem" || url().empty()) {
    return fail(ErrorKind::kInvalid, "this is no CodeSystem with a url");
  }
  auto const content = content_of(document_.text_of("content"));
  if (!content) return fail(ErrorKind::kInvalid, "the code system does not say what of it is here");
  content_ = *content;
  Json const* case_sensitive = document_.find("caseSensitive");
  // Where nothing is said, a code of other case may be another code.
  ignores_case_ = case_sensitive != nullptr && case_sensitive->is_boolean() && !case_sensitive->as_boolean();
  auto const meaning = document_.text_of("hierarchyMeaning");
  is_a_ = meaning.empty() || meaning == "is-a";
  for (auto const each : kKnown) meanings_.emplace(each, each);
  for (auto const& property : items_of(document_, "property")) {
    auto const uri = property.text_of("uri");
    auto const code = property.text_of("code");
    properties_.insert(code);
    if (uri.starts_with(kMeanings) && !code.empty()) {
      meanings_.insert_or_assign(code, uri.substr(kMeanings.size()));
    }
  }
  TACENDA_TRY_VOID(read_concepts());
  for (std::uint32_t number = 0; number < concepts_.size(); ++number) {
    TACENDA_TRY_VOID(read_properties(number));
  }
  return {};
}

Result<void> CodeSystem::read_concepts() {
  constexpr std::uint32_t kNone = UINT32_MAX;
  struct Open {
    Json const* json;
    std::uint32_t parent;
  };
  std::vector<Open> open;
  auto const push = [&](Json const& owner, std::uint32_t parent) {
    auto const& list = items_of(owner, "concept");
    for (auto at = list.rbegin(); at != list.rend(); ++at) open.push_back({&*at, parent});
  };
  push(document_, kNone);
  while (!open.empty()) {
    auto const [json, parent] = open.back();
    open.pop_back();
    auto const code = json->text_of("code");
    if (code.empty()) return fail(ErrorKind::kInvalid, "a concept has no code");
    auto const number = add(code, *json);
    if (!number) return fail(ErrorKind::kTooCostly, "the code system has too many concepts");
    if (parent != kNone) TACENDA_TRY_VOID(link(parent, *number));
    push(*json, *number);
  }
  return {};
}

std::optional<std::uint32_t> CodeSystem::add(std::string_view code, Json const& json) {
  std::string_view key = code;
  if (ignores_case_) key = folded_.emplace_back(without_case(code));
  auto const number = static_cast<std::uint32_t>(concepts_.size());
  auto const [at, is_new] = numbers_.emplace(key, number);
  if (!is_new) return at->second;
  if (concepts_.size() == kConceptsMax) return std::nullopt;
  Concept& made = concepts_.emplace_back();
  made.code = code;
  made.display = json.text_of("display");
  made.json = &json;
  return number;
}

Result<void> CodeSystem::link(std::uint32_t parent, std::uint32_t child) {
  if (parent == child) return {};
  auto& parents = concepts_[child].parents;
  // Both ends may tell of one link. Concepts have few parents.
  if (std::ranges::find(parents, parent) != parents.end()) return {};
  if (++links_ > kLinksMax || parents.size() == 1'000) {
    return fail(ErrorKind::kTooCostly, "the code system has too many links between its concepts");
  }
  parents.push_back(parent);
  concepts_[parent].children.push_back(child);
  return {};
}

Result<void> CodeSystem::read_properties(std::uint32_t number) {
  for (auto const& property : items_of(*concepts_[number].json, "property")) {
    auto const known = meanings_.find(property.text_of("code"));
    if (known == meanings_.end()) continue;
    auto const value = property.text_of("valueCode");
    if (known->second == "notSelectable") {
      concepts_[number].is_abstract = is_true(property);
    } else if (known->second == "inactive") {
      if (is_true(property)) concepts_[number].is_inactive = true;
    } else if (known->second == "status") {
      // What is deprecated is discouraged and still in use.
      if (value == "retired" || value == "inactive") concepts_[number].is_inactive = true;
    } else if (auto const other = find(value)) {
      if (known->second == "parent") TACENDA_TRY_VOID(link(*other, number));
      if (known->second == "child") TACENDA_TRY_VOID(link(number, *other));
    }
  }
  return {};
}

std::optional<std::uint32_t> CodeSystem::find(std::string_view code) const {
  std::string folded;
  if (ignores_case_) code = folded = without_case(code);
  auto const at = numbers_.find(code);
  return at == numbers_.end() ? std::nullopt : std::optional(at->second);
}

bool CodeSystem::has_property(std::string_view code) const {
  constexpr std::array<std::string_view, 4> kBasic = {"code", "concept", "display", "definition"};
  if (std::ranges::find(kBasic, code) != kBasic.end() || meanings_.contains(code)) return true;
  return properties_.contains(code);
}

bool CodeSystem::is_below(std::uint32_t concept_number, std::uint32_t ancestor, Relation relation) const {
  if (concept_number == ancestor) return true;
  if (relation == Relation::kIsA && !is_a_) return false;
  std::unordered_set<std::uint32_t> seen{concept_number};
  std::vector<std::uint32_t> open{concept_number};
  while (!open.empty()) {
    auto const number = open.back();
    open.pop_back();
    for (auto const parent : concepts_[number].parents) {
      if (parent == ancestor) return true;
      if (seen.insert(parent).second) open.push_back(parent);
    }
  }
  return false;
}

std::vector<bool> CodeSystem::reach(std::uint32_t from, Relation relation,
                                    std::vector<std::uint32_t> Concept::* next) const {
  std::vector<bool> reached(concepts_.size());
  reached[from] = true;
  if (relation == Relation::kIsA && !is_a_) return reached;
  std::vector<std::uint32_t> open{from};
  while (!open.empty()) {
    auto const number = open.back();
    open.pop_back();
    for (auto const each : concepts_[number].*next) {
      if (reached[each]) continue;
      reached[each] = true;
      open.push_back(each);
    }
  }
  return reached;
}

std::vector<bool> CodeSystem::below(std::uint32_t ancestor, Relation relation) const {
  return reach(ancestor, relation, &Concept::children);
}

std::vector<bool> CodeSystem::above(std::uint32_t concept_number, Relation relation) const {
  return reach(concept_number, relation, &Concept::parents);
}

Subsumption CodeSystem::compare(std::uint32_t a, std::uint32_t b) const {
  if (a == b) return Subsumption::kEquivalent;
  // In a circle each subsumes the other.
  bool const a_below = is_below(a, b, Relation::kIsA);
  bool const b_below = is_below(b, a, Relation::kIsA);
  if (a_below && b_below) return Subsumption::kEquivalent;
  if (b_below) return Subsumption::kSubsumes;
  return a_below ? Subsumption::kSubsumedBy : Subsumption::kNotSubsumed;
}

}  // namespace tacenda::fhir
