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
  std::string name;
  std::vector<Token> tokens;
};

/// All must hold.
using Criteria = std::vector<Criterion>;

/// Parses "identifier=http://a|1,http://a|2&_id=3", percent escapes and the escapes \, \| \$ \\ of R4
/// search.html#escaping included. Errors: kInvalid (empty, a parameter without a value, a broken escape).
Result<Criteria> parse_criteria(std::string_view query);

}  // namespace tacenda::fhir
