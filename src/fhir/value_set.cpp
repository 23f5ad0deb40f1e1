#include "fhir/value_set.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "fhir/generated/rule_tables.hpp"
#include "fhir/internal/concept_filter.hpp"
#include "fhir/validate_codes.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

struct NamedOperator {
  std::string_view code;
  FilterOperator op;
};
constexpr std::array<NamedOperator, 9> kOperators = {{{"=", FilterOperator::kEquals},
                                                      {"is-a", FilterOperator::kIsA},
                                                      {"descendent-of", FilterOperator::kDescendentOf},
                                                      {"is-not-a", FilterOperator::kIsNotA},
                                                      {"regex", FilterOperator::kRegex},
                                                      {"in", FilterOperator::kIn},
                                                      {"not-in", FilterOperator::kNotIn},
                                                      {"generalizes", FilterOperator::kGeneralizes},
                                                      {"exists", FilterOperator::kExists}}};

std::vector<Json> const& items_of(Json const& json, std::string_view name) {
  static Json const none = Json::array();
  Json const* list = json.find(name);
  return list == nullptr ? none.items() : list->items();
}

bool is_true(Json const& json, std::string_view name) {
  Json const* value = json.find(name);
  return value != nullptr && value->is_boolean() && value->as_boolean();
}

bool is_false(Json const& json, std::string_view name) {
  Json const* value = json.find(name);
  return value != nullptr && value->is_boolean() && !value->as_boolean();
}

std::size_t number_of(Json const& json, std::string_view name) {
  Json const* value = json.find(name);
  std::size_t number = 0;
  if (value == nullptr || !value->is_number()) return number;
  auto const text = value->number_text();
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

Result<ValueSetFilter> ValueSet::read_filter(Json const& json) {
  auto const property = json.text_of("property");
  auto const value = json.text_of("value");
  auto const named = std::ranges::find(kOperators, json.text_of("op"), &NamedOperator::code);
  if (property.empty() || value.empty() || named == kOperators.end()) {
    return fail(ErrorKind::kInvalid, "a filter of a value set has no property, operator or value");
  }
  ValueSetFilter filter{property, named->op, value, nullptr};
  if (named->op == FilterOperator::kRegex) {
    if (++patterns_ > kPatternsMax) {
      return fail(ErrorKind::kTooCostly, "the value set has too many regular expressions");
    }
    filter.pattern = CodePattern::compile(value);
  }
  return filter;
}

ListedCode const* ValueSetPart::find(std::string_view code) const {
  auto const at = places_.find(code);
  return at == places_.end() ? nullptr : &codes[at->second];
}

Result<std::shared_ptr<ValueSet const>> ValueSet::parse(Json document) {
  std::shared_ptr<ValueSet> set(new ValueSet(std::move(document)));
  TACENDA_TRY_VOID(set->read());
  return set;
}

std::shared_ptr<ValueSet const> ValueSet::of_base(std::string_view url) {
  auto const number = find_base_value_set(url);
  if (!number) return nullptr;
  auto const& row = generated::kValueSetTables.value_sets[*number];
  if (row.code_count == 0) return nullptr;  // judged by a grammar, or not known
  Json document = Json::object();
  document.set("resourceType", Json::string("ValueSet"));
  document.set("url", Json::string(without_version(url)));
  document.set("status", Json::string("active"));
  Json contains = Json::array();
  for (auto const& code : base_codes(*number)) {
    Json item = Json::object();
    if (code.system) item.set("system", Json::string(*code.system));
    item.set("code", Json::string(code.code));
    contains.push(std::move(item));
  }
  Json expansion = Json::object();
  expansion.set("contains", std::move(contains));
  document.set("expansion", std::move(expansion));
  auto made = parse(std::move(document));
  return made.has_value() ? *made : nullptr;
}

Result<void> ValueSet::read() {
  if (document_.text_of("resourceType") != "ValueSet")
    return fail(ErrorKind::kInvalid, "this is no ValueSet");
  if (Json const* compose = document_.find("compose")) return read_compose(*compose);
  Json const* expansion = document_.find("expansion");
  if (expansion != nullptr) return read_expansion(*expansion);
  is_whole_ = false;  // nobody said what is in it
  return {};
}

Result<void> ValueSet::read_compose(Json const& compose) {
  takes_inactive_ = !is_false(compose, "inactive");
  for (auto const& each : items_of(compose, "include")) includes_.push_back(TACENDA_TRY(read_part(each)));
  for (auto const& each : items_of(compose, "exclude")) excludes_.push_back(TACENDA_TRY(read_part(each)));
  return {};
}

Result<ValueSetPart> ValueSet::read_part(Json const& json) {
  TACENDA_TRY_VOID(count_part());
  ValueSetPart part;
  // The version has an element of its own; some write it behind the URL, as in a canonical.
  auto const system = json.text_of("system");
  part.system = without_version(system);
  part.version = json.text_of("version");
  if (part.version.empty() && part.system.size() < system.size())
    part.version = system.substr(part.system.size() + 1);
  for (auto const& each : items_of(json, "concept")) {
    TACENDA_TRY_VOID(add(part, {each.text_of("code"), each.text_of("display"), &each, false, false}));
  }
  part.lists_codes = !part.codes.empty();
  for (auto const& each : items_of(json, "filter")) {
    TACENDA_TRY_VOID(count_part());
    part.filters.push_back(TACENDA_TRY(read_filter(each)));
  }
  for (auto const& each : items_of(json, "valueSet")) {
    TACENDA_TRY_VOID(count_part());
    if (!each.is_string()) return fail(ErrorKind::kInvalid, "a value set is included by its URL");
    part.value_sets.push_back(each.as_string());
  }
  if (part.system.empty() && (part.value_sets.empty() || part.lists_codes || !part.filters.empty())) {
    return fail(ErrorKind::kInvalid, "an include of a value set has neither system nor value set");  // vsd-1
  }
  if (part.lists_codes && !part.filters.empty()) {
    return fail(ErrorKind::kInvalid, "an include of a value set has codes and filters");  // vsd-3
  }
  return part;
}

Result<void> ValueSet::read_expansion(Json const& expansion) {
  std::vector<Json const*> open;
  auto const push = [&](Json const& owner) {
    auto const& list = items_of(owner, "contains");
    for (auto at = list.rbegin(); at != list.rend(); ++at) open.push_back(&*at);
  };
  push(expansion);
  while (!open.empty()) {
    Json const& json = *open.back();
    open.pop_back();
    push(json);
    auto const code = json.text_of("code");
    if (code.empty()) continue;  // a heading of codes
    auto const system = json.text_of("system");
    auto const version = json.text_of("version");
    if (includes_.empty() || includes_.back().system != system || includes_.back().version != version) {
      TACENDA_TRY_VOID(count_part());
      ValueSetPart& part = includes_.emplace_back();
      part.system = system;
      part.version = version;
      part.lists_codes = true;
    }
    TACENDA_TRY_VOID(add(includes_.back(), {code, json.text_of("display"), &json, is_true(json, "abstract"),
                                            is_true(json, "inactive")}));
  }
  is_whole_ = number_of(expansion, "offset") == 0 && number_of(expansion, "total") <= codes_;
  return {};
}

Result<void> ValueSet::add(ValueSetPart& part, ListedCode code) {
  if (code.code.empty()) return fail(ErrorKind::kInvalid, "a value set lists a concept without a code");
  if (++codes_ > kCodesMax) return fail(ErrorKind::kTooCostly, "the value set lists too many codes");
  if (part.places_.emplace(code.code, static_cast<std::uint32_t>(part.codes.size())).second) {
    part.codes.push_back(code);
  }
  return {};
}

Result<void> ValueSet::count_part() {
  if (++parts_ > kPartsMax) return fail(ErrorKind::kTooCostly, "the value set has too many parts");
  return {};
}

}  // namespace tacenda::fhir
