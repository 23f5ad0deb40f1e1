#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/error.hpp"
#include "fhir/search_parameters.hpp"

namespace tacenda::fhir {

/// Source: R4 search.html#prefix.
enum class Prefix : std::uint8_t { kEq, kNe, kGt, kLt, kGe, kLe, kSa, kEb, kAp };

/// Source: R4 search.html#modifiers. `:[type]` of a reference narrows the text of its values instead.
enum class Modifier : std::uint8_t {
  kNone,
  kMissing,
  kExact,
  kContains,
  kNot,
  kText,
  kIn,
  kNotIn,
  kBelow,
  kAbove,
  kIdentifier,
  kOfType,
};

/// One alternative of a parameter, taken apart as its type wants it; escapes resolved.
struct SearchValue {
  Prefix prefix = Prefix::kEq;
  /// The string, number, date, URI, reference or code. Empty only in `system|`.
  std::string text;
  /// Of a token: nullopt any, empty none. Of a quantity: nullopt any.
  std::optional<std::string> system;
  std::string unit;                // of a quantity: code or unit; empty: any
  std::string identifier;          // of `:of-type`: the value behind system|code
  std::vector<SearchValue> parts;  // of a composite, in the order of its components
};

/// One condition of a search. All conditions of a query must hold; the values of one are alternatives.
struct SearchCriterion {
  enum class Kind : std::uint8_t {
    kValue,        // parameter, modifier, values
    kChain,        // parameter is a reference; one of `links` holds for what it leads to
    kHas,          // a resource of links[0].type holds, and refers here by `parameter` (which is that type's)
    kList,         // _list: a member of the List with the id in values
    kCompartment,  // refers by one of `compartment` to the place in values[0], or is it itself
  };
  Kind kind = Kind::kValue;
  ParameterHandle parameter;
  Modifier modifier = Modifier::kNone;
  bool missing = false;     // the value of :missing
  bool or_missing = false;  // of a date: what has none answers as well (no query says so; $everything does)
  std::vector<SearchValue> values;
  std::vector<std::pair<std::string, std::unique_ptr<SearchCriterion>>> links;  // by resource type
  CompartmentLinks compartment;
};

/// The types that a value of a reference parameter may mean when it names none: 42 instead of Patient/42.
std::span<std::string_view const> types_of_bare_ids(SearchParameter const& parameter);

/// :below or :above of a reference: it looks at what other resources are part of, too.
bool is_hierarchy(SearchCriterion const& criterion);

/// One parameter that the server does not know or cannot serve, and that was left out (R4
/// search.html#errors): its place in the query, and why.
struct IgnoredParameter {
  std::size_t index;
  Error reason;
};

struct SortKey {
  ParameterHandle parameter;
  bool descending = false;
};

/// `_include=Observation:subject:Patient`, and the same of `_revinclude`.
struct Include {
  std::string source;         // the type whose reference is followed; empty: any (`*`)
  ParameterHandle parameter;  // nullptr: every reference parameter of the source
  std::string target;         // empty: any
  bool reverse = false;
  bool iterate = false;
};

enum class Total : std::uint8_t { kUnsaid, kNone, kEstimate, kAccurate };
enum class Summary : std::uint8_t { kFalse, kTrue, kText, kData, kCount };

/// A search of one type.
struct SearchQuery {
  std::string type;
  std::vector<SearchCriterion> criteria;
  std::vector<SortKey> sort;
  std::vector<Include> includes;
  std::optional<std::size_t> count;  // as asked; 0 means the same as _summary=count
  Total total = Total::kUnsaid;
  Summary summary = Summary::kFalse;
  std::vector<std::string> elements;
  std::string page;      // sealed token
  bool explain = false;  // administrators only
  std::vector<IgnoredParameter> ignored;
};

enum class Handling : std::uint8_t { kLenient, kStrict };

/// Parses the parameters of a search of one type: decoded names and values, in their order. `_type` is the
/// caller's. What the server does not know or serve is left out under kLenient, with its place in `ignored`,
/// and refused under kStrict: a parameter that is not `known`, with a modifier or without; a sort key, an
/// include or a modifier of an include. Refused always is a modifier that a known parameter cannot have, and
/// a value that it cannot take: without them the search would find what nobody asked for. Errors: kInvalid,
/// kNotSupported (strict only), kTooLarge (limits::kSearch*). Source: R4 search.html.
Result<SearchQuery> parse_search(SearchParameters const& known, std::string_view type,
                                 std::vector<std::pair<std::string, std::string>> const& parameters,
                                 Handling handling);

/// The criterion that a compartment search adds: resources of `type` in the compartment of owner/id. Errors:
/// kInvalid (no resource of that type is in such a compartment).
Result<SearchCriterion> compartment_criterion(std::string_view owner, std::string_view id,
                                              std::string_view type);

/// Parses the criteria of a conditional interaction or reference, "identifier=http://a|1&birthdate=2000",
/// with or without a question mark before them, percent escapes included. What tells the form of a result is
/// no criterion, but for
/// `_format` and `_pretty`, which are passed over. Errors: kInvalid (also: none), kNotSupported, kTooLarge
/// (more than limits::kUriBytes: criteria are the query of a URL, wherever they stand).
Result<std::vector<SearchCriterion>> parse_criteria(SearchParameters const& known, std::string_view type,
                                                    std::string_view query);

}  // namespace tacenda::fhir
