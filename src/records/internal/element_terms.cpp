#include "records/internal/element_terms.hpp"

#include <algorithm>
#include <array>

#include "core/bytes.hpp"
#include "fhir/reference.hpp"

namespace tacenda::records {
namespace {

using codec::Json;
using fhir::SearchType;

bool is_one_of(std::string_view type, auto const& names) {
  return std::ranges::find(names, type) != std::ranges::end(names);
}

constexpr std::array<std::string_view, 2> kTextTypes = {"string", "markdown"};
constexpr std::array<std::string_view, 5> kUriTypes = {"uri", "url", "canonical", "oid", "uuid"};
constexpr std::array<std::string_view, 4> kNumberTypes = {"decimal", "integer", "positiveInt", "unsignedInt"};
constexpr std::array<std::string_view, 7> kQuantityTypes = {
    "Quantity", "Age", "Duration", "Count", "Distance", "SimpleQuantity", "MoneyQuantity"};

/// Appends to one list under one parameter.
class Adder {
 public:
  Adder(std::uint32_t parameter, ParameterFacts const& facts, std::vector<Term>& terms)
      : parameter_(parameter), facts_(facts), terms_(terms) {}

  void token(FoundElement const& element) {
    Json const& value = *element.value;
    if (element.type == "Coding") return coding(value);
    if (element.type == "CodeableConcept") {
      if (auto const* codings = value.find("coding")) {
        for (auto const& each : codings->items()) coding(each);
      }
      return display(value.text_of("text"));
    }
    if (element.type == "Identifier") return identifier(value);
    if (element.type == "ContactPoint") return plain(value.text_of("value"));
    if (value.is_boolean()) return plain(value.as_boolean() ? "true" : "false");
    if (!value.is_string()) return;
    if (element.type == "code") return bound_code(value.as_string(), facts_.systems);
    if (is_one_of(element.type, kTextTypes)) {
      if (!value.as_string().empty()) add(text_token_bytes(value.as_string()));
      return display(value.as_string());
    }
    plain(value.as_string());
  }

  void string(FoundElement const& element) {
    Json const& value = *element.value;
    if (value.is_string()) {
      if (facts_.finds_families) later_words(value.as_string());
      return text(value.as_string());
    }
    if (element.type == "HumanName") {
      later_words(value.text_of("family"));
      return texts(value, {"text", "family", "given", "prefix", "suffix"});
    }
    if (element.type == "Address") {
      texts(value, {"text", "line", "city", "district", "state", "postalCode", "country"});
    }
  }

  void reference(FoundElement const& element) {
    Json const& value = *element.value;
    if (value.is_string()) return canonical(value.as_string());
    if (auto const type = value.text_of("resourceType"); !type.empty()) {
      // A resource within a Bundle.
      return nested(type, value.text_of("id"));
    }
    if (element.type != "Reference") return;
    if (auto const target = value.text_of("reference"); !target.empty()) link(target);
    if (auto const* own = value.find("identifier"); own != nullptr && !own->text_of("value").empty()) {
      add(identifier_bytes(own->text_of("value"), own->text_of("system")));
    }
  }

  void uri(FoundElement const& element) {
    if (!element.value->is_string() || !is_one_of(element.type, kUriTypes)) return;
    auto const text = element.value->as_string();
    add(uri_bytes(text));
    auto const bar = text.find('|');
    if (element.type == "canonical" && bar != std::string_view::npos)
      add(canonical_url_bytes(text.substr(0, bar)));
  }

  void date(FoundElement const& element) {
    Json const& value = *element.value;
    if (value.is_string()) {
      auto range = fhir::parse_date_range(value.as_string());
      // R4 search.html#date: an instant has no width.
      if (range && element.type == "instant") range->high = range->low;
      if (range) add(date_bytes(*range));
      return;
    }
    if (element.type == "Period") {
      if (auto const range = period(value)) add(date_bytes(*range));
      return;
    }
    if (element.type == "Timing") timing(value);
  }

  void number(FoundElement const& element) {
    if (is_one_of(element.type, kNumberTypes) && element.value->is_number()) {
      auto const number = codec::Decimal::parse(element.value->number_text());
      if (number.has_value()) add(number_bytes({*number, *number}));
    }
  }

  void quantity(FoundElement const& element) {
    Json const& value = *element.value;
    if (element.type == "Range") {
      auto const span = range(value);
      Json const* side = value.find("low") != nullptr ? value.find("low") : value.find("high");
      if (side != nullptr && (span.low || span.high)) units(*side, span);
      return;
    }
    auto const* amount = value.find("value");
    if (amount == nullptr || !amount->is_number()) return;
    auto const number = codec::Decimal::parse(amount->number_text());
    if (!number.has_value()) return;
    if (element.type == "Money") {
      auto const currency = value.text_of("currency");
      add(quantity_bytes(currency, {*number, *number}));
      add(canonical_quantity_bytes(records::canonical("urn:iso:std:iso:4217", currency, {*number, *number})));
    } else if (is_one_of(element.type, kQuantityTypes)) {
      units(value, compared(*number, value.text_of("comparator")));
    }
  }

 private:
  void add(std::string bytes, std::string value = {}) {
    terms_.push_back({parameter_, std::move(bytes), std::move(value)});
  }

  void code(std::string_view text, std::string_view system) {
    if (!text.empty()) add(token_bytes(text, system));
    if (!system.empty()) add(system_bytes(system));
  }

  /// A token that has no place for a system.
  void plain(std::string_view text) {
    if (!text.empty()) add(token_bytes(text, kPlainToken));
  }

  void bound_code(std::string_view text, std::span<std::string_view const> systems) {
    if (systems.empty()) return plain(text);
    for (auto const system : systems) code(text, system);
  }

  /// "Quinones" finds the family name "Carreno Quinones" too (R4 search.html#string).
  void later_words(std::string_view family) {
    for (auto blank = family.find(' '); blank != std::string_view::npos;
         blank = family.find(' ', blank + 1)) {
      auto const rest = family.substr(blank + 1);
      auto const word = rest.substr(0, rest.find(' '));
      if (!word.empty()) add(later_word_bytes(word));
    }
  }

  void display(std::string_view text) {
    if (!text.empty()) add(display_bytes(text));
  }

  void coding(Json const& value) {
    code(value.text_of("code"), value.text_of("system"));
    display(value.text_of("display"));
  }

  void identifier(Json const& value) {
    auto const text = value.text_of("value");
    if (text.empty()) return;
    code(text, value.text_of("system"));
    auto const* type = value.find("type");
    if (type == nullptr) return;
    display(type->text_of("text"));
    auto const* codings = type->find("coding");
    if (codings == nullptr) return;
    for (auto const& each : codings->items()) {
      if (each.text_of("code").empty()) continue;
      add(typed_identifier_bytes(each.text_of("system"), each.text_of("code"), text));
    }
  }

  void text(std::string_view text) {
    if (text.empty()) return;
    add(string_bytes(text), listed(text));
  }

  /// One member of the list that a row's value is.
  static std::string listed(std::string_view text) {
    if (text.empty()) return {};
    Bytes value;
    ByteWriter(value).sized(text);
    return std::string(as_text(value));
  }

  void texts(Json const& value, std::initializer_list<std::string_view> names) {
    for (auto const name : names) {
      Json const* part = value.find(name);
      if (part == nullptr) continue;
      if (part->is_string()) text(part->as_string());
      for (auto const& each : part->items()) {
        if (each.is_string()) text(each.as_string());
      }
    }
  }

  /// A search by id alone looks at the types that the parameter leads to, and for others here.
  void stray(std::string_view type, std::string_view id) {
    if (!facts_.targets.empty() && !is_one_of(type, facts_.targets)) add(stray_reference_bytes(id));
  }

  void nested(std::string_view type, std::string_view id) {
    if (id.empty()) return;
    stray(type, id);
    add(nested_bytes(std::string(type).append("/").append(id)));
  }

  void link(std::string_view target) {
    auto const parsed = fhir::parse_reference(target);
    if (parsed.kind == fhir::ReferenceKind::kLocal) {
      stray(parsed.type, parsed.id);
      return add(reference_bytes(std::string(parsed.type) + "/" + std::string(parsed.id)),
                 listed(parsed.version));
    }
    if (parsed.kind != fhir::ReferenceKind::kContained) add(reference_bytes(target));
  }

  void canonical(std::string_view target) {
    auto const bar = target.rfind('|');
    add(canonical_bytes(target.substr(0, bar)),
        bar == std::string_view::npos ? std::string() : listed(target.substr(bar + 1)));
  }

  static std::optional<fhir::DateRange> period(Json const& value) {
    auto const start = fhir::parse_date_range(value.text_of("start"));
    auto const end = fhir::parse_date_range(value.text_of("end"));
    if (!start && !end) return std::nullopt;
    return fhir::DateRange{start ? start->low : fhir::kBeforeAllTime, end ? end->high : fhir::kAfterAllTime};
  }

  /// The outer bounds of what it says (R4 search.html#date).
  void timing(Json const& value) {
    std::optional<fhir::DateRange> all;
    auto const cover = [&](std::optional<fhir::DateRange> const& range) {
      if (!range) return;
      if (!all) all = range;
      all->low = std::min(all->low, range->low);
      all->high = std::max(all->high, range->high);
    };
    if (auto const* events = value.find("event")) {
      for (auto const& event : events->items()) {
        if (event.is_string()) cover(fhir::parse_date_range(event.as_string()));
      }
    }
    if (auto const* repeat = value.find("repeat")) {
      if (auto const* bounds = repeat->find("boundsPeriod")) cover(period(*bounds));
    }
    if (all) add(date_bytes(*all));
  }

  static std::optional<codec::Decimal> end_of(Json const* side) {
    Json const* amount = side == nullptr ? nullptr : side->find("value");
    if (amount == nullptr || !amount->is_number()) return std::nullopt;
    auto const number = codec::Decimal::parse(amount->number_text());
    return number.has_value() ? std::optional(*number) : std::nullopt;
  }

  static NumberSpan range(Json const& value) {
    return {end_of(value.find("low")), end_of(value.find("high"))};
  }

  /// "less than 5" is everything below five.
  static NumberSpan compared(codec::Decimal const& number, std::string_view comparator) {
    if (comparator.starts_with('<')) return {std::nullopt, number};
    if (comparator.starts_with('>')) return {number, std::nullopt};
    return {number, number};
  }

  void units(Json const& value, NumberSpan const& span) {
    auto const system = value.text_of("system");
    auto const own_code = value.text_of("code");
    auto const unit = value.text_of("unit");
    add(quantity_bytes(own_code, span));
    if (!unit.empty() && unit != own_code) add(quantity_bytes(unit, span));
    if (!system.empty() && !own_code.empty())
      add(canonical_quantity_bytes(records::canonical(system, own_code, span)));
  }

  std::uint32_t parameter_;
  ParameterFacts const& facts_;
  std::vector<Term>& terms_;
};

/// Whether a parameter of that kind says anything of an element of that type (R4 search.html, 3.1.1.9).
bool is_readable(SearchType kind, FoundElement const& element) {
  std::string_view const type = element.type;
  switch (kind) {
    case SearchType::kToken: {
      constexpr std::array<std::string_view, 7> kTypes = {
          "CodeableConcept", "Coding", "ContactPoint", "Identifier", "boolean", "code", "id"};
      return is_one_of(type, kTypes) || is_one_of(type, kTextTypes) || is_one_of(type, kUriTypes);
    }
    case SearchType::kString:
      return type == "Address" || type == "HumanName" || is_one_of(type, kTextTypes);
    case SearchType::kReference:
      return type == "Reference" || is_one_of(type, kUriTypes) ||
             element.value->find("resourceType") != nullptr;
    case SearchType::kUri:
      return is_one_of(type, kUriTypes);
    case SearchType::kDate: {
      constexpr std::array<std::string_view, 5> kTypes = {"date", "dateTime", "instant", "Period", "Timing"};
      return is_one_of(type, kTypes);
    }
    case SearchType::kNumber:
      return is_one_of(type, kNumberTypes);
    case SearchType::kQuantity:
      return type == "Money" || type == "Range" || is_one_of(type, kQuantityTypes);
    case SearchType::kComposite:
    case SearchType::kSpecial:
      break;
  }
  return false;
}

void add_by_kind(std::uint32_t parameter, SearchType kind, FoundElement const& element,
                 ParameterFacts const& facts, std::vector<Term>& terms) {
  Adder adder(parameter, facts, terms);
  switch (kind) {
    case SearchType::kToken:
      return adder.token(element);
    case SearchType::kString:
      return adder.string(element);
    case SearchType::kReference:
      return adder.reference(element);
    case SearchType::kUri:
      return adder.uri(element);
    case SearchType::kDate:
      return adder.date(element);
    case SearchType::kNumber:
      return adder.number(element);
    case SearchType::kQuantity:
      return adder.quantity(element);
    case SearchType::kComposite:
    case SearchType::kSpecial:
      return;  // made of parts; not indexed
  }
}

}  // namespace

void add_terms(std::uint32_t parameter, SearchType kind, FoundElement const& element,
               ParameterFacts const& facts, std::vector<Term>& terms) {
  if (element.value == nullptr || !is_readable(kind, element)) return;
  std::size_t const before = terms.size();
  add_by_kind(parameter, kind, element, facts, terms);
  if (terms.size() == before) terms.push_back({parameter, present_bytes(), {}});
}

void settle(std::vector<Term>& terms) {
  std::ranges::sort(terms);
  std::vector<Term> settled;
  settled.reserve(terms.size());
  for (auto& term : terms) {
    bool const again =
        !settled.empty() && settled.back().parameter == term.parameter && settled.back().bytes == term.bytes;
    if (!again) {
      settled.push_back(std::move(term));
    } else if (settled.back().value != term.value) {
      settled.back().value += term.value;  // one list of the texts or versions
    }
  }
  terms = std::move(settled);
}

}  // namespace tacenda::records
