#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"

namespace tacenda::fhir {

/// One alternative of a token parameter: `code`, `system|code`, `|code` (no system), `system|` (any code).
struct Token {
  std::optional<std::string> system;  // nullopt: any; empty: none
  std::string code;                   // empty: any
};

/// One search parameter of conditional criteria; its tokens are alternatives.
struct Criterion {
  std::string name;           // with its modifier, if it has one: "identifier:of-type"
  std::vector<Token> tokens;  // at least one; escapes resolved
  std::string value;          // as it came, escapes (\, \| \$) and commas included
};

/// All must hold.
using Criteria = std::vector<Criterion>;

/// Parses "identifier=http://a|1,http://a|2&_id=3", with or without a question mark before it, percent
/// escapes and the escapes \, \| \$ \\ of R4 search.html#escaping included. What a name means, and whether
/// its values are tokens at all, is the caller's question. Errors: kInvalid (empty, a parameter without a
/// name or value, a broken escape), kTooLarge (more than limits::kUriBytes: criteria are the query of a URL,
/// wherever they stand).
Result<Criteria> parse_criteria(std::string_view query);

}  // namespace tacenda::fhir
