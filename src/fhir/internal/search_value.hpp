#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/search_query.hpp"

namespace tacenda::fhir {

/// The pieces between unescaped `separator`s; escapes stay (R4 search.html#escaping).
std::vector<std::string_view> split_escaped(std::string_view text, char separator);
/// Without the escapes \, \| \$ \\. Errors: kInvalid (a broken escape).
Result<std::string> unescape(std::string_view text);

/// One alternative of a parameter of `type`, as it stands between commas. Errors: kInvalid.
Result<SearchValue> parse_value(SearchParameter const& parameter, SearchType type, Modifier modifier,
                                std::string_view text);

}  // namespace tacenda::fhir
