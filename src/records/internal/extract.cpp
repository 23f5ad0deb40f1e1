#include "records/internal/extract.hpp"

#include <map>
#include <memory>
#include <span>
#include <string>

#include "core/mutex.hpp"
#include "fhirpath/expression.hpp"
#include "records/internal/element_terms.hpp"

namespace tacenda::records {
namespace {

using codec::Json;
using fhir::SearchType;
using fhirpath::Expression;
using fhirpath::Item;

// Combinations of parts that one focus of a composite may have.
constexpr std::size_t kCombinations = 1'024;

struct Part {
  SearchType type;
  Expression expression;
};

struct Extraction {
  std::uint32_t parameter = 0;
  SearchType type = SearchType::kToken;
  Expression expression;
  std::vector<Part> parts;
  ParameterFacts facts;
};

using Extractions = std::vector<Extraction>;

Result<Extractions> compile(std::string_view type) {
  Extractions extractions;
  for (auto const* parameter : fhir::search_parameters_of(type)) {
    // These two are known without a row.
    if (parameter->expression.empty() || parameter->code == "_id" || parameter->code == "_lastUpdated")
      continue;
    if (parameter->type == SearchType::kSpecial) continue;
    auto expression = Expression::compile(parameter->expression);
    if (!expression.has_value())
      return fail(ErrorKind::kBug, "a search parameter's expression does not compile");
    Extraction extraction{number_of(type, *parameter), parameter->type, std::move(*expression), {}, {}};
    extraction.facts = {parameter->systems, parameter->targets,
                        parameter->expression.ends_with(".name.family")};
    for (auto const& component : parameter->components) {
      auto part = Expression::compile(component.expression);
      if (!part.has_value()) return fail(ErrorKind::kBug, "a search parameter's expression does not compile");
      extraction.parts.push_back({component.type, std::move(*part)});
    }
    extractions.push_back(std::move(extraction));
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

/// What chains look for in a contained resource (R4 search.html#contained: "a chained condition will be
/// evaluated inside contained resources").
Result<void> add_contained(Json const& resource, std::uint32_t parameter, Item const& item,
                           std::vector<Term>& terms) {
  auto const* contained = contained_by(resource, item);
  if (contained == nullptr) return {};
  terms.push_back({parameter, contained_bytes(number_of_type(contained->text_of("resourceType")), {}), {}});
  for (auto& term : TACENDA_TRY(terms_of(*contained))) {
    terms.push_back({parameter, contained_bytes(term.parameter, term.bytes), std::move(term.value)});
  }
  return {};
}

}  // namespace

Result<std::vector<std::vector<Term>>> contained_terms_of(Json const& resource, std::uint32_t parameter,
                                                          std::string_view type) {
  auto const extractions = TACENDA_TRY(compiled().of(resource.text_of("resourceType")));
  Item const focus = fhirpath::item_of(resource);
  std::vector<std::vector<Term>> found;
  for (auto const& extraction : *extractions) {
    if (extraction.parameter != parameter) continue;
    auto const items = extraction.expression.evaluate({}, focus);
    if (!items.has_value()) continue;
    for (auto const& item : *items) {
      auto const* contained = contained_by(resource, item);
      if (contained == nullptr || contained->text_of("resourceType") != type) continue;
      found.push_back(TACENDA_TRY(terms_of(*contained)));
    }
  }
  return found;
}

Result<std::vector<Term>> terms_of(Json const& resource) {
  auto const extractions = TACENDA_TRY(compiled().of(resource.text_of("resourceType")));
  Item const focus = fhirpath::item_of(resource);
  std::vector<Term> terms;
  for (auto const& extraction : *extractions) {
    auto const items = extraction.expression.evaluate({}, focus);
    if (!items.has_value()) continue;
    for (auto const& item : *items) {
      if (extraction.type == SearchType::kComposite) {
        add_composite(extraction, item, terms);
      } else {
        add_item(extraction.parameter, extraction.type, item, extraction.facts, terms);
        if (extraction.type == SearchType::kReference) {
          TACENDA_TRY_VOID(add_contained(resource, extraction.parameter, item, terms));
        }
      }
    }
  }
  settle(terms);
  return terms;
}

}  // namespace tacenda::records
