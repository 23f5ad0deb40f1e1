#include "records/internal/extract.hpp"

#include <algorithm>
#include <span>

#include "core/mutex.hpp"
#include "fhir/types.hpp"
#include "fhirpath/expression.hpp"
#include "records/indexer.hpp"
#include "records/internal/element_terms.hpp"
#include "vault/digest.hpp"

namespace tacenda::records {

using codec::Json;
using fhir::SearchType;
using fhirpath::Expression;
using fhirpath::Item;

/// How one parameter's terms are found.
struct Extractor::Extraction {
  struct Part {
    SearchType type;
    Expression expression;
  };
  std::uint32_t parameter = 0;
  SearchType type = SearchType::kToken;
  Expression expression;
  std::vector<Part> parts;
  ParameterFacts facts;
  fhir::ParameterHandle held;  // what `facts` look into; nullptr: R4's own
};

namespace {

// Combinations of parts that one focus of a composite may have.
constexpr std::size_t kCombinations = 1'024;
// What one defined parameter may cost in one resource; one that costs more finds nothing there.
constexpr std::int64_t kDefinedSteps = 50'000;
// Terms that one defined parameter may find in one resource; what it finds beyond is left out.
constexpr std::size_t kDefinedTerms = 10'000;

using Extraction = Extractor::Extraction;
using Extractions = std::vector<Extraction>;

Result<Extraction> compile(std::string_view type, fhir::SearchParameter const& parameter) {
  auto expression = TACENDA_TRY(Expression::compile(parameter.expression));
  Extraction extraction{number_of(type, parameter), parameter.type, std::move(expression), {}, {}, {}};
  extraction.facts = {parameter.systems, parameter.targets, parameter.expression.ends_with(".name.family")};
  for (auto const& component : parameter.components) {
    extraction.parts.push_back({component.type, TACENDA_TRY(Expression::compile(component.expression))});
  }
  return extraction;
}

/// These are known without a row.
bool has_rows(fhir::SearchParameter const& parameter) {
  return !parameter.expression.empty() && parameter.code != "_id" && parameter.code != "_lastUpdated" &&
         parameter.type != SearchType::kSpecial;
}

Result<Extractions> compile(std::string_view type) {
  Extractions extractions;
  for (auto const* parameter : fhir::search_parameters_of(type)) {
    if (!has_rows(*parameter)) continue;
    auto extraction = compile(type, *parameter);
    if (!extraction.has_value())
      return fail(ErrorKind::kBug, "a search parameter's expression does not compile");
    extractions.push_back(std::move(*extraction));
  }
  return extractions;
}

/// Compiled once for each type, when it is first met.
class Compiled {
 public:
  Result<std::shared_ptr<Extractions const>> of(std::string_view type) {
    MutexLock const lock(mutex_);
    if (auto const found = by_type_.find(type); found != by_type_.end()) return found->second;
    auto made = std::make_shared<Extractions const>(TACENDA_TRY(compile(type)));
    by_type_.emplace(type, made);
    return made;
  }

 private:
  Mutex mutex_;
  // shared: an extraction under way keeps its own
  std::map<std::string, std::shared_ptr<Extractions const>, std::less<>> by_type_ TACENDA_GUARDED_BY(mutex_);
};

Compiled& compiled() {
  static Compiled all;
  return all;
}

/// System values, which expressions such as `deceased.exists() and deceased != false` give, as JSON.
std::optional<std::pair<Json, std::string_view>> json_of(Item const& item) {
  switch (item.kind()) {
    case Item::Kind::kBoolean:
      return std::pair(Json::boolean(item.as_boolean()), std::string_view("boolean"));
    case Item::Kind::kInteger:
      return std::pair(Json::number(item.as_integer()), std::string_view("integer"));
    case Item::Kind::kString:
      return std::pair(Json::string(item.as_string()), std::string_view("string"));
    default:
      break;
  }
  auto const text = item.to_text();
  if (!text) return std::nullopt;
  return std::pair(Json::string(*text), std::string_view("string"));
}

void add_item(std::uint32_t parameter, SearchType type, Item const& item, ParameterFacts const& facts,
              std::vector<Term>& terms) {
  if (item.is_element()) return add_terms(parameter, type, {item.value(), item.type_name()}, facts, terms);
  if (auto const value = json_of(item))
    add_terms(parameter, type, {&value->first, value->second}, facts, terms);
}

/// Terms that may be a part of a composite.
bool is_part(Term const& term) {
  auto const section = static_cast<Section>(term.bytes.front());
  return section != Section::kSystem && section != Section::kDisplay &&
         section != Section::kTypedIdentifier && section != Section::kPresent &&
         section != Section::kLaterWord && section != Section::kCanonicalUrl;
}

void combine(std::vector<std::vector<Term>> const& parts, std::size_t index, std::vector<std::string>& chosen,
             std::uint32_t parameter, std::size_t& left, std::vector<Term>& terms) {
  if (index == parts.size()) {
    if (left > 0) terms.push_back({parameter, composite_bytes(chosen), {}});
    left -= left > 0 ? 1 : 0;
    return;
  }
  for (auto const& part : parts[index]) {
    if (left == 0) return;
    chosen.push_back(part.bytes);
    combine(parts, index + 1, chosen, parameter, left, terms);
    chosen.pop_back();
  }
}

void add_composite(Extraction const& extraction, Item const& focus, std::vector<Term>& terms) {
  std::vector<std::vector<Term>> parts;
  for (auto const& part : extraction.parts) {
    auto const items = part.expression.evaluate({}, focus);
    if (!items.has_value()) return;
    std::vector<Term> found;
    for (auto const& item : *items) add_item(extraction.parameter, part.type, item, {}, found);
    std::erase_if(found, [](Term const& term) { return !is_part(term); });
    settle(found);
    if (found.empty()) return;
    parts.push_back(std::move(found));
  }
  std::vector<std::string> chosen;
  std::size_t left = kCombinations;
  combine(parts, 0, chosen, extraction.parameter, left, terms);
}

/// The contained resource that a reference leads to; nullptr: it leads elsewhere.
Json const* contained_by(Json const& resource, Item const& item) {
  Json const* value = item.value();
  auto const link = value == nullptr ? std::string_view() : value->text_of("reference");
  auto const* list = resource.find("contained");
  if (!link.starts_with('#') || link.size() < 2 || list == nullptr) return nullptr;
  for (auto const& contained : list->items()) {
    if (contained.text_of("id") == link.substr(1)) return &contained;
  }
  return nullptr;
}

}  // namespace

Extractor::Extractor(fhir::SearchParameters parameters) : parameters_(std::move(parameters)) {
  for (auto const type : fhir::resource_types()) {
    numbers_.insert(number_of_type(type));
    for (auto const* parameter : fhir::search_parameters_of(type))
      numbers_.insert(number_of(type, *parameter));
    for (auto const& [parameter, is_ready] : parameters_.defined_for(type)) {
      auto extraction = compile(type, *parameter);
      if (!extraction.has_value()) continue;
      numbers_.insert(extraction->parameter);
      if (!is_ready) awaited_.insert(extraction->parameter);
      extraction->held = parameter;
      defined_[std::string(type)].push_back(std::move(*extraction));
    }
  }
}

Extractor::~Extractor() = default;

/// What chains look for in a contained resource (R4 search.html#contained: "a chained condition will be
/// evaluated inside contained resources").
Result<void> Extractor::add_contained(std::uint32_t parameter, Json const& contained,
                                      std::vector<Term>& terms) const {
  terms.push_back({parameter, contained_bytes(number_of_type(contained.text_of("resourceType")), {}), {}});
  for (auto& term : TACENDA_TRY(terms_of(contained))) {
    terms.push_back({parameter, contained_bytes(term.parameter, term.bytes), std::move(term.value)});
  }
  return {};
}

Result<void> Extractor::each(Json const& resource, Visit const& visit) const {
  auto const type = resource.text_of("resourceType");
  auto const own = TACENDA_TRY(compiled().of(type));
  Item const focus = fhirpath::item_of(resource);
  auto const look = [&](Extraction const& extraction) -> Result<void> {
    fhirpath::Context context;
    if (extraction.held) context.limits.steps = kDefinedSteps;
    auto const items = extraction.expression.evaluate(context, focus);
    if (!items.has_value()) return {};
    return visit(extraction, *items);
  };
  for (auto const& extraction : *own) TACENDA_TRY_VOID(look(extraction));
  if (auto const found = defined_.find(type); found != defined_.end()) {
    for (auto const& extraction : found->second) TACENDA_TRY_VOID(look(extraction));
  }
  return {};
}

Result<std::vector<std::vector<Term>>> Extractor::contained_terms_of(Json const& resource,
                                                                     std::uint32_t parameter,
                                                                     std::string_view type) const {
  std::vector<std::vector<Term>> found;
  TACENDA_TRY_VOID(each(resource, [&](Extraction const& extraction, auto const& items) -> Result<void> {
    if (extraction.parameter != parameter) return {};
    for (auto const& item : items) {
      auto const* contained = contained_by(resource, item);
      if (contained == nullptr || contained->text_of("resourceType") != type) continue;
      found.push_back(TACENDA_TRY(terms_of(*contained)));
    }
    return {};
  }));
  return found;
}

Result<std::vector<Term>> Extractor::terms_of(Json const& resource) const {
  std::vector<Term> terms;
  TACENDA_TRY_VOID(each(resource, [&](Extraction const& extraction, auto const& items) -> Result<void> {
    auto const before = terms.size();
    for (auto const& item : items) {
      if (extraction.held && terms.size() - before > kDefinedTerms) break;
      if (extraction.type == SearchType::kComposite) {
        add_composite(extraction, item, terms);
        continue;
      }
      add_item(extraction.parameter, extraction.type, item, extraction.facts, terms);
      if (extraction.type != SearchType::kReference) continue;
      if (auto const* contained = contained_by(resource, item))
        TACENDA_TRY_VOID(add_contained(extraction.parameter, *contained, terms));
    }
    return {};
  }));
  settle(terms);
  return terms;
}

bool Extractor::is_awaited(Term const& term) const {
  if (awaited_.contains(term.parameter)) return true;
  if (term.bytes.empty() || static_cast<Section>(term.bytes.front()) != Section::kContained) return false;
  ByteReader reader(as_bytes(std::string_view(term.bytes).substr(1)));
  auto const inner = reader.u32();
  return inner.has_value() && awaited_.contains(*inner);
}

bool Extractor::awaits_of(std::string_view type) const {
  auto const found = defined_.find(type);
  return found != defined_.end() && std::ranges::any_of(found->second, [&](Extraction const& extraction) {
           return awaited_.contains(extraction.parameter);
         });
}

Digest reading_of_r4() {
  Bytes all;
  ByteWriter writer(all);
  for (auto const type : fhir::resource_types()) {
    for (auto const* parameter : fhir::search_parameters_of(type)) {
      if (has_rows(*parameter)) writer.u32(number_of(type, *parameter));
    }
  }
  return vault::digest(all);
}

Result<void> check_expressions(fhir::ParameterDefinition const& definition) {
  auto const check = [](std::string_view expression) -> Result<void> {
    if (Expression::compile(expression).has_value()) return {};
    return fail(ErrorKind::kUnprocessable, "the expression of a search parameter is not FHIRPath");
  };
  TACENDA_TRY_VOID(check(definition.expression));
  for (auto const& component : definition.components) TACENDA_TRY_VOID(check(component.expression));
  return {};
}

}  // namespace tacenda::records
