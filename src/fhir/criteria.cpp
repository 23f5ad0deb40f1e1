#include "fhir/criteria.hpp"

#include <utility>

#include "codec/text.hpp"
#include "core/limits.hpp"

namespace tacenda::fhir {
namespace {

Result<std::vector<Token>> parse_tokens(std::string_view value) {
  std::vector<Token> tokens(1);
  for (std::size_t i = 0; i < value.size(); ++i) {
    Token& token = tokens.back();
    char const c = value[i];
    if (c == '\\') {
      if (i + 1 == value.size() || !std::string_view("\\,|$").contains(value[i + 1])) {
        return fail(ErrorKind::kInvalid, "the criteria have a broken escape");
      }
      token.code.push_back(value[++i]);
    } else if (c == ',') {
      tokens.emplace_back();
    } else if (c == '|' && !token.system) {
      token.system = std::exchange(token.code, {});
    } else {
      // A second bar belongs to the code: clients that do not escape it mean it so.
      token.code.push_back(c);
    }
  }
  for (auto const& token : tokens) {
    if (token.code.empty() && (!token.system || token.system->empty())) {
      return fail(ErrorKind::kInvalid, "the criteria have an empty value");
    }
  }
  return tokens;
}

}  // namespace

Result<Criteria> parse_criteria(std::string_view query) {
  if (query.size() > limits::kUriBytes) return fail(ErrorKind::kTooLarge, "the criteria are too long");
  if (query.starts_with('?')) query.remove_prefix(1);
  Criteria criteria;
  for (auto& [name, value] : TACENDA_TRY(codec::parse_query(query))) {
    if (name.empty()) return fail(ErrorKind::kInvalid, "the criteria have a parameter without a name");
    auto tokens = TACENDA_TRY(parse_tokens(value));
    criteria.push_back({std::move(name), std::move(tokens), std::move(value)});
  }
  if (criteria.empty()) return fail(ErrorKind::kInvalid, "the criteria are empty");
  return criteria;
}

}  // namespace tacenda::fhir
