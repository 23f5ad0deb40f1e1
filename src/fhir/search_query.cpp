#include "fhir/search_query.hpp"

#include <algorithm>
#include <charconv>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "fhir/internal/search_value.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

struct NamedModifier {
  std::string_view name;
  Modifier modifier;
};
constexpr NamedModifier kModifiers[] = {
    {"missing", Modifier::kMissing},   {"exact", Modifier::kExact},
    {"contains", Modifier::kContains}, {"not", Modifier::kNot},
    {"text", Modifier::kText},         {"in", Modifier::kIn},
    {"not-in", Modifier::kNotIn},      {"below", Modifier::kBelow},
    {"above", Modifier::kAbove},       {"identifier", Modifier::kIdentifier},
    {"of-type", Modifier::kOfType},
};

bool serves(SearchType type, Modifier modifier) {
  switch (modifier) {
    case Modifier::kNone:
    case Modifier::kMissing:
      return true;
    case Modifier::kExact:
    case Modifier::kContains:
      return type == SearchType::kString;
    case Modifier::kNot:
    case Modifier::kText:
    case Modifier::kIn:
    case Modifier::kNotIn:
    case Modifier::kOfType:
      return type == SearchType::kToken;
    case Modifier::kBelow:
    case Modifier::kAbove:
      return type == SearchType::kUri || type == SearchType::kToken || type == SearchType::kReference;
    case Modifier::kIdentifier:
      return type == SearchType::kReference;
  }
  return false;
}

/// `head:rest`; the rest is empty when there is no colon.
std::pair<std::string_view, std::string_view> cut(std::string_view text, char at) {
  auto const place = text.find(at);
  if (place == std::string_view::npos) return {text, {}};
  return {text.substr(0, place), text.substr(place + 1)};
}

class Parser {
 public:
  explicit Parser(SearchParameters const& known) : known_(known) {}

  /// Errors: kNotSupported is what R4 lets a lenient server leave out.
  Result<SearchCriterion> condition(std::string_view type, std::string_view name, std::string_view value,
                                    std::size_t depth) {
    if (depth > limits::kSearchDepth) return fail(ErrorKind::kTooLarge, "a search is chained too deep");
    if (++conditions_ > limits::kSearchConditions) {
      return fail(ErrorKind::kTooLarge, "a search has too many conditions");
    }
    if (name.starts_with("_has:")) return reverse_chain(name.substr(5), value, depth);
    if (name == "_list") return list(value);
    auto const dot = name.find('.');
    if (dot != std::string_view::npos) {
      return chain(type, name.substr(0, dot), name.substr(dot + 1), value, depth);
    }
    return plain(type, name, value);
  }

 private:
  Result<ParameterHandle> parameter_of(std::string_view type, std::string_view code) const {
    auto parameter = known_.find(type, code);
    if (parameter == nullptr && known_.is_awaited(type, code)) {
      return fail(ErrorKind::kNotSupported, "this search parameter is being indexed and cannot be asked yet");
    }
    if (parameter == nullptr) return fail(ErrorKind::kNotSupported, "there is no such search parameter");
    if (parameter->expression.empty() || parameter->type == SearchType::kSpecial) {
      return fail(ErrorKind::kNotSupported, "this search parameter is not supported");
    }
    return parameter;
  }

  Result<SearchCriterion> list(std::string_view value) {
    SearchCriterion criterion;
    criterion.kind = SearchCriterion::Kind::kList;
    for (auto const piece : split_escaped(value, ',')) {
      SearchValue id;
      id.text = TACENDA_TRY(unescape(piece));
      criterion.values.push_back(std::move(id));
    }
    return criterion;
  }

  Result<SearchCriterion> reverse_chain(std::string_view rest, std::string_view value, std::size_t depth) {
    auto const [source, after] = cut(rest, ':');
    auto const [code, name] = cut(after, ':');
    if (!is_resource_type(source) || name.empty()) {
      return fail(ErrorKind::kInvalid, "_has is written _has:Type:reference:parameter");
    }
    SearchCriterion criterion;
    criterion.kind = SearchCriterion::Kind::kHas;
    criterion.parameter = TACENDA_TRY(parameter_of(source, code));
    if (criterion.parameter->type != SearchType::kReference) {
      return fail(ErrorKind::kInvalid, "_has names a parameter that is no reference");
    }
    auto linked = TACENDA_TRY(condition(source, name, value, depth + 1));
    criterion.links.emplace_back(source, std::make_unique<SearchCriterion>(std::move(linked)));
    return criterion;
  }

  Result<SearchCriterion> chain(std::string_view type, std::string_view head, std::string_view rest,
                                std::string_view value, std::size_t depth) {
    auto const [code, target] = cut(head, ':');
    SearchCriterion criterion;
    criterion.kind = SearchCriterion::Kind::kChain;
    criterion.parameter = TACENDA_TRY(parameter_of(type, code));
    if (criterion.parameter->type != SearchType::kReference) {
      return fail(ErrorKind::kInvalid, "a chain goes through a parameter that is no reference");
    }
    std::vector<std::string_view> targets;
    if (!target.empty()) {
      if (!is_resource_type(target)) return fail(ErrorKind::kInvalid, "a chain names no resource type");
      targets.push_back(target);
    } else if (criterion.parameter->targets.empty()) {
      targets.assign(resource_types().begin(), resource_types().end());
    } else {
      targets.assign(criterion.parameter->targets.begin(), criterion.parameter->targets.end());
    }
    std::optional<Error> first;
    for (auto const each : targets) {
      auto linked = condition(each, rest, value, depth + 1);
      if (linked.has_value()) {
        criterion.links.emplace_back(each, std::make_unique<SearchCriterion>(std::move(*linked)));
      } else if (linked.error().kind() != ErrorKind::kNotSupported) {
        return std::unexpected(linked.error());
      } else if (!first) {
        first = linked.error();
      }
    }
    if (criterion.links.empty()) return std::unexpected(*first);
    return criterion;
  }

  Result<SearchCriterion> plain(std::string_view type, std::string_view name, std::string_view value) {
    auto const [code, suffix] = cut(name, ':');
    SearchCriterion criterion;
    criterion.parameter = TACENDA_TRY(parameter_of(type, code));
    std::string_view target;
    if (!suffix.empty()) {
      auto const known = std::ranges::find(kModifiers, suffix, &NamedModifier::name);
      if (known != std::end(kModifiers)) {
        criterion.modifier = known->modifier;
      } else if (criterion.parameter->type == SearchType::kReference && is_resource_type(suffix)) {
        target = suffix;
      } else {
        // R4 search.html#modifiers: never left out, or the search would find what nobody asked for.
        return fail(ErrorKind::kInvalid, "there is no such modifier of this search parameter");
      }
    }
    if (!serves(criterion.parameter->type, criterion.modifier)) {
      return fail(ErrorKind::kInvalid, "this modifier is not for this kind of search parameter");
    }
    if (criterion.modifier == Modifier::kMissing) {
      if (value != "true" && value != "false") return fail(ErrorKind::kInvalid, ":missing is true or false");
      criterion.missing = value == "true";
      return criterion;
    }
    for (auto const piece : split_escaped(value, ',')) {
      if (++values_ > limits::kSearchValues)
        return fail(ErrorKind::kTooLarge, "a search has too many values");
      auto parsed = TACENDA_TRY(
          parse_value(*criterion.parameter, criterion.parameter->type, criterion.modifier, piece));
      if (!target.empty() && !parsed.text.contains('/'))
        parsed.text = std::string(target) + "/" + parsed.text;
      criterion.values.push_back(std::move(parsed));
    }
    return criterion;
  }

  SearchParameters const& known_;
  std::size_t conditions_ = 0;
  std::size_t values_ = 0;
};

Result<void> parse_count(SearchQuery& query, std::string_view value) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (end != value.data() + value.size() || value.empty()) {
    return fail(ErrorKind::kInvalid, "_count is not a number");
  }
  // More than any page holds is a wish that the page's limit answers.
  query.count =
      error == std::errc() ? std::min<std::uint64_t>(number, limits::kPageSizeMax) : limits::kPageSizeMax;
  return {};
}

Result<void> parse_sort(SearchParameters const& known, SearchQuery& query, std::string_view value) {
  for (auto piece : split_escaped(value, ',')) {
    if (query.sort.size() == limits::kSearchSortKeys) {
      return fail(ErrorKind::kTooLarge, "a search has too many sort keys");
    }
    SortKey key;
    if (piece.starts_with('-')) {
      key.descending = true;
      piece.remove_prefix(1);
    }
    key.parameter = known.find(query.type, piece);
    if (key.parameter == nullptr || key.parameter->expression.empty() ||
        key.parameter->type == SearchType::kComposite || key.parameter->type == SearchType::kSpecial) {
      return fail(ErrorKind::kNotSupported, "_sort names no parameter that can be sorted by");
    }
    query.sort.push_back(key);
  }
  return {};
}

Result<void> parse_include(SearchParameters const& known, SearchQuery& query, std::string_view name,
                           std::string_view value) {
  if (query.includes.size() == limits::kSearchIncludes) {
    return fail(ErrorKind::kTooLarge, "a search has too many includes");
  }
  auto const [kind, modifier] = cut(name, ':');
  Include include;
  include.reverse = kind == "_revinclude";
  // ":recurse" is what R3 called it.
  include.iterate = modifier == "iterate" || modifier == "recurse";
  if (!modifier.empty() && !include.iterate)
    return fail(ErrorKind::kNotSupported, "there is no such modifier");
  auto const [source, after] = cut(value, ':');
  auto const [code, target] = cut(after, ':');
  if (source == "*" && !include.reverse) {
    query.includes.push_back(std::move(include));
    return {};
  }
  if (!is_resource_type(source)) return fail(ErrorKind::kInvalid, "an include names no resource type");
  include.source = source;
  if (!target.empty() && !is_resource_type(target)) {
    return fail(ErrorKind::kInvalid, "an include names no resource type");
  }
  include.target = target;
  if (code != "*") {
    include.parameter = known.find(source, code);
    if (include.parameter == nullptr || include.parameter->type != SearchType::kReference) {
      return fail(ErrorKind::kNotSupported, "an include names no reference parameter");
    }
  }
  query.includes.push_back(std::move(include));
  return {};
}

Result<void> parse_choice(SearchQuery& query, std::string_view name, std::string_view value) {
  if (name == "_total") {
    if (value == "none")
      query.total = Total::kNone;
    else if (value == "estimate")
      query.total = Total::kEstimate;
    else if (value == "accurate")
      query.total = Total::kAccurate;
    else
      return fail(ErrorKind::kInvalid, "_total is none, estimate or accurate");
    return {};
  }
  if (value == "true")
    query.summary = Summary::kTrue;
  else if (value == "false")
    query.summary = Summary::kFalse;
  else if (value == "text")
    query.summary = Summary::kText;
  else if (value == "data")
    query.summary = Summary::kData;
  else if (value == "count")
    query.summary = Summary::kCount;
  else
    return fail(ErrorKind::kInvalid, "_summary is true, false, text, data or count");
  return {};
}

Result<void> parse_elements(SearchQuery& query, std::string_view value) {
  for (auto const piece : split_escaped(value, ',')) {
    if (!piece.empty()) query.elements.emplace_back(piece);
  }
  return {};
}

/// nullopt: no parameter of the result.
std::optional<Result<void>> parse_result_parameter(SearchParameters const& known, SearchQuery& query,
                                                   std::string_view name, std::string_view value) {
  if (name == "_count") return parse_count(query, value);
  if (name == "_sort") return parse_sort(known, query, value);
  if (name == "_total" || name == "_summary") return parse_choice(query, name, value);
  if (name == "_elements") return parse_elements(query, value);
  auto const kind = cut(name, ':').first;
  if (kind == "_include" || kind == "_revinclude") return parse_include(known, query, name, value);
  if (name == "_format" || name == "_pretty" || name == "_type") return Result<void>();
  if (name == "_page") {
    query.page = value;
    return Result<void>();
  }
  if (name == "explain") {
    query.explain = value == "true";
    return Result<void>();
  }
  return std::nullopt;
}

}  // namespace

Result<SearchQuery> parse_search(SearchParameters const& known, std::string_view type,
                                 std::vector<std::pair<std::string, std::string>> const& parameters,
                                 Handling handling) {
  SearchQuery query;
  query.type = type;
  Parser parser(known);
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    auto const& [name, value] = parameters[i];
    Result<void> parsed;
    if (auto shape = parse_result_parameter(known, query, name, value)) {
      parsed = std::move(*shape);
    } else if (auto criterion = parser.condition(type, name, value, 0); criterion.has_value()) {
      query.criteria.push_back(std::move(*criterion));
    } else {
      parsed = std::unexpected(criterion.error());
    }
    if (parsed.has_value()) continue;
    if (parsed.error().kind() != ErrorKind::kNotSupported || handling == Handling::kStrict) {
      return std::unexpected(parsed.error());
    }
    query.ignored.push_back({i, parsed.error()});
  }
  return query;
}

std::span<std::string_view const> types_of_bare_ids(SearchParameter const& parameter) {
  // Within a Bundle anything may stand where the definition names one type.
  if (parameter.targets.empty() || parameter.base == "Bundle") return resource_types();
  return parameter.targets;
}

bool is_hierarchy(SearchCriterion const& criterion) {
  return criterion.kind == SearchCriterion::Kind::kValue &&
         criterion.parameter->type == SearchType::kReference &&
         (criterion.modifier == Modifier::kBelow || criterion.modifier == Modifier::kAbove);
}

Result<SearchCriterion> compartment_criterion(std::string_view owner, std::string_view id,
                                              std::string_view type) {
  SearchCriterion criterion;
  criterion.kind = SearchCriterion::Kind::kCompartment;
  criterion.compartment = compartment_links(owner, type);
  if (criterion.compartment.parameters.empty() && !criterion.compartment.owner) {
    return fail(ErrorKind::kInvalid, "no resource of this type is in such a compartment");
  }
  SearchValue place;
  place.text = std::string(owner).append("/").append(id);
  criterion.values.push_back(std::move(place));
  return criterion;
}

Result<std::vector<SearchCriterion>> parse_criteria(SearchParameters const& known, std::string_view type,
                                                    std::string_view query) {
  if (query.size() > limits::kUriBytes) return fail(ErrorKind::kTooLarge, "the criteria are too long");
  if (query.starts_with('?')) query.remove_prefix(1);
  Parser parser(known);
  std::vector<SearchCriterion> criteria;
  for (auto& [name, value] : TACENDA_TRY(codec::parse_query(query))) {
    if (name == "_format" || name == "_pretty") continue;
    criteria.push_back(TACENDA_TRY(parser.condition(type, name, value, 0)));
  }
  if (criteria.empty()) return fail(ErrorKind::kInvalid, "the criteria are empty");
  return criteria;
}

}  // namespace tacenda::fhir
