#include "records/internal/extract.hpp"

#include <algorithm>
#include <set>
#include <span>

#include "core/mutex.hpp"
#include "fhir/types.hpp"
#include "fhirpath/expression.hpp"
#include "records/indexer.hpp"
#include "records/internal/element_terms.hpp"
#include "records/internal/facts.hpp"
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
  bool only_inside = false;    // of resources in others: what these are known by without a row
};

namespace {

// Combinations of parts that one focus of a composite may have.
constexpr std::size_t kCombinations = 1'024;
// What one defined parameter may cost in one resource, the parts of a composite and all; beyond that it finds
// nothing more there.
constexpr std::int64_t kDefinedSteps = 50'000;
// What one defined parameter may find in one resource; what it finds beyond is left out.
constexpr Extractor::Room kDefinedRoom{10'000, std::size_t{256} << 10U};
// What all of R4's own may find in one: more than 50 values of each element that 16 MB hold.
constexpr Extractor::Room kWholeRoom{500'000, std::size_t{64} << 20U};

using Extraction = Extractor::Extraction;
using Extractions = std::vector<Extraction>;

Result<Extraction> compile(std::string_view type, fhir::SearchParameter const& parameter) {
  auto expression = TACENDA_TRY(Expression::compile(parameter.expression));
  Extraction extraction{number_of(type, parameter), parameter.type, std::move(expression), {}, {}, {}, false};
  extraction.facts = {parameter.systems, parameter.targets, parameter.expression.ends_with(".name.family")};
  for (auto const& component : parameter.components) {
    extraction.parts.push_back({component.type, TACENDA_TRY(Expression::compile(component.expression))});
  }
  return extraction;
}

/// Known without a row, but of resources that lie in others.
bool is_only_inside(fhir::SearchParameter const& parameter) {
  return parameter.code == "_id" || parameter.code == "_lastUpdated";
}

bool is_extracted(fhir::SearchParameter const& parameter) {
  return !parameter.expression.empty() && parameter.type != SearchType::kSpecial;
}

Result<Extractions> compile(std::string_view type) {
  Extractions extractions;
  for (auto const* parameter : fhir::search_parameters_of(type)) {
    if (!is_extracted(*parameter)) continue;
    auto extraction = compile(type, *parameter);
    if (!extraction.has_value())
      return fail(ErrorKind::kBug, "a search parameter's expression does not compile");
    extraction->only_inside = is_only_inside(*parameter);
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

/// Adds the combinations of the parts behind `chosen`, as far as there is room; the first beyond it is added
/// too, so that it can be told.
void combine(std::vector<std::vector<Term>> const& parts, std::vector<std::string>& chosen,
             std::uint32_t parameter, Extractor::Room& room, std::vector<Term>& terms) {
  if (chosen.size() == parts.size()) {
    terms.push_back({parameter, composite_bytes(chosen), {}});
    --room.terms;
    room.bytes -= std::min(room.bytes, terms.back().bytes.size());
    return;
  }
  for (auto const& part : parts[chosen.size()]) {
    if (room.terms == 0 || room.bytes == 0) return;
    chosen.push_back(part.bytes);
    combine(parts, chosen, parameter, room, terms);
    chosen.pop_back();
  }
}

void add_composite(Extraction const& extraction, fhirpath::Context const& context, Item const& focus,
                   Extractor::Room room, std::vector<Term>& terms) {
  std::vector<std::vector<Term>> parts;
  for (auto const& part : extraction.parts) {
    auto const items = part.expression.evaluate(context, focus);
    if (!items.has_value()) return;
    std::vector<Term> found;
    for (auto const& item : *items) add_item(extraction.parameter, part.type, item, {}, found);
    std::erase_if(found, [](Term const& term) { return !is_part(term); });
    settle(found);
    if (found.empty()) return;
    parts.push_back(std::move(found));
  }
  std::vector<std::string> chosen;
  room.terms = kCombinations;
  combine(parts, chosen, extraction.parameter, room, terms);
}

/// The contained resource that a reference leads to, or the one within a Bundle that stands for a reference
/// (Bundle-composition: "access to search its contents"); nullptr: it leads elsewhere.
Json const* contained_by(Json const& resource, Item const& item) {
  Json const* value = item.value();
  if (value != nullptr && !value->text_of("resourceType").empty()) return value;
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

/// One resource's terms on their way. Owner: one thread.
class Extractor::Finding {
 public:
  Finding(Extractor const& extractor, Json const& resource, bool is_contained)
      : extractor_(extractor), resource_(resource), is_contained_(is_contained) {}

  Result<void> look(Extraction const& extraction, fhirpath::Context const& context,
                    fhirpath::Collection const& items) {
    Room left = extraction.held ? kDefinedRoom : room_;
    std::set<Json const*> met;  // many references may lead to one contained resource
    for (auto const& item : items) {
      auto const before = terms_.size();
      if (extraction.type == SearchType::kComposite) {
        add_composite(extraction, context, item, left, terms_);
      } else {
        add_item(extraction.parameter, extraction.type, item, extraction.facts, terms_);
        if (auto const* contained = followed(extraction, item);
            contained != nullptr && met.insert(contained).second)
          TACENDA_TRY_VOID(add_contained(extraction.parameter, *contained));
      }
      if (take(before, left)) continue;
      terms_.resize(before);
      is_cut_ = is_cut_ || !extraction.held;
      break;
    }
    if (!extraction.held) room_ = left;
    return {};
  }

  bool is_cut() const { return is_cut_; }
  std::vector<Term> take() {
    settle(terms_);
    return std::move(terms_);
  }

 private:
  /// False: the terms behind `before` are more than there is room for.
  bool take(std::size_t before, Room& left) const {
    for (std::size_t i = before; i < terms_.size(); ++i) {
      std::size_t const bytes = terms_[i].bytes.size() + terms_[i].value.size();
      if (left.terms == 0 || left.bytes < bytes) return false;
      --left.terms;
      left.bytes -= bytes;
    }
    return true;
  }

  /// A contained resource contains none (R4 dom-2).
  Json const* followed(Extraction const& extraction, Item const& item) const {
    if (is_contained_ || extraction.type != SearchType::kReference) return nullptr;
    return contained_by(resource_, item);
  }

  /// What chains look for in a contained resource (R4 search.html#contained: "a chained condition will be
  /// evaluated inside contained resources").
  Result<void> add_contained(std::uint32_t parameter, Json const& contained) {
    auto known = contained_.find(&contained);
    if (known == contained_.end()) {
      auto found = TACENDA_TRY(extractor_.find(contained, true));
      is_cut_ = is_cut_ || found.is_cut;
      known = contained_.emplace(&contained, std::move(found.terms)).first;
    }
    terms_.push_back({parameter, contained_bytes(number_of_type(contained.text_of("resourceType")), {}), {}});
    for (auto const& term : known->second)
      terms_.push_back({parameter, contained_bytes(term.parameter, term.bytes), term.value});
    return {};
  }

  Extractor const& extractor_;
  Json const& resource_;
  bool is_contained_;
  Room room_ = kWholeRoom;
  bool is_cut_ = false;
  std::vector<Term> terms_;
  std::map<Json const*, std::vector<Term>> contained_;
};

Result<void> Extractor::each(Json const& resource, bool is_contained, Visit const& visit) const {
  auto const type = resource.text_of("resourceType");
  auto const own = TACENDA_TRY(compiled().of(type));
  Item const focus = fhirpath::item_of(resource);
  auto const look = [&](Extraction const& extraction) -> Result<void> {
    fhirpath::Context context;
    std::int64_t steps = kDefinedSteps;
    if (extraction.held) {
      context.limits.steps = kDefinedSteps;
      context.steps_left = &steps;
    }
    auto const items = extraction.expression.evaluate(context, focus);
    if (!items.has_value()) return {};
    return visit(extraction, context, *items);
  };
  for (auto const& extraction : *own) {
    if (is_contained || !extraction.only_inside) TACENDA_TRY_VOID(look(extraction));
  }
  if (auto const found = defined_.find(type); found != defined_.end()) {
    for (auto const& extraction : found->second) TACENDA_TRY_VOID(look(extraction));
  }
  return {};
}

Result<std::vector<std::vector<Term>>> Extractor::contained_terms_of(Json const& resource,
                                                                     std::uint32_t parameter,
                                                                     std::string_view type) const {
  std::vector<std::vector<Term>> found;
  std::set<Json const*> met;
  TACENDA_TRY_VOID(each(resource, false,
                        [&](Extraction const& extraction, auto const&, auto const& items) -> Result<void> {
                          if (extraction.parameter != parameter) return {};
                          for (auto const& item : items) {
                            auto const* contained = contained_by(resource, item);
                            if (contained == nullptr || contained->text_of("resourceType") != type) continue;
                            if (met.insert(contained).second) found.push_back(TACENDA_TRY(find(*contained, true)).terms);
                          }
                          return {};
                        }));
  return found;
}

Result<Extractor::Found> Extractor::find(Json const& resource, bool is_contained) const {
  Finding finding(*this, resource, is_contained);
  TACENDA_TRY_VOID(
      each(resource, is_contained, [&](Extraction const& extraction, auto const& context, auto const& items) {
        return finding.look(extraction, context, items);
      }));
  return Found{finding.take(), finding.is_cut()};
}

Result<std::vector<Term>> Extractor::terms_of(Json const& resource) const {
  return TACENDA_TRY(find(resource, false)).terms;
}

Result<std::vector<Term>> Extractor::terms_to_write(Json const& resource) const {
  auto found = TACENDA_TRY(find(resource, false));
  if (found.is_cut)
    return fail(ErrorKind::kTooLarge, "the resource has more values to search by than one may");
  return std::move(found.terms);
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
  writer.u8(kFactsFormat);
  for (auto const type : fhir::resource_types()) {
    for (auto const* parameter : fhir::search_parameters_of(type)) {
      if (is_extracted(*parameter)) writer.u32(number_of(type, *parameter));
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
