#include "codec/scope.hpp"

#include <algorithm>
#include <array>
#include <tuple>
#include <utility>

namespace tacenda::codec {
namespace {

constexpr auto kLevels = std::to_array<std::pair<std::string_view, ScopeLevel>>({
    {"patient/", ScopeLevel::kPatient},
    {"user/", ScopeLevel::kUser},
    {"system/", ScopeLevel::kSystem},
});
constexpr std::string_view kLetters = "cruds";  // letter i is bit i
constexpr std::size_t kTypeBytesMax = 64;

std::unexpected<Error> refused() {
  return fail(ErrorKind::kInvalid, "a scope is none that SMART defines");
}

/// RFC 6749 section 3.3: scope-token = 1*( %x21 / %x23-5B / %x5D-7E ).
bool is_token(std::string_view text) {
  return !text.empty() &&
         std::ranges::all_of(text, [](char c) { return c > 0x20 && c < 0x7f && c != '"' && c != '\\'; });
}

bool is_type(std::string_view text) {
  if (text == "*") return true;
  auto const letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  return !text.empty() && text.size() <= kTypeBytesMax && text.front() >= 'A' && text.front() <= 'Z' &&
         std::ranges::all_of(text, letter);
}

/// Bits of "rs", which must be in the order of kLetters, or of version 1. 0: none of these.
std::uint8_t verbs_of(std::string_view text) {
  if (text == "read") return verbs_of("rs");
  if (text == "write") return verbs_of("cud");
  if (text == "*") return verbs_of("cruds");
  std::uint8_t verbs = 0;
  std::size_t next = 0;
  for (char const letter : text) {
    auto const at = kLetters.find(letter, next);
    if (at == std::string_view::npos) return 0;
    verbs = static_cast<std::uint8_t>(verbs | 1U << at);
    next = at + 1;
  }
  return verbs;
}

bool is_version_1(std::string_view verbs) {
  return verbs == "read" || verbs == "write" || verbs == "*";
}

/// `name=value` pairs, none empty.
bool are_constraints(std::string_view text) {
  while (true) {
    auto const end = text.find('&');
    auto const pair = text.substr(0, end);
    auto const equals = pair.find('=');
    if (equals == 0 || equals == std::string_view::npos || equals + 1 == pair.size()) return false;
    if (end == std::string_view::npos) return true;
    text.remove_prefix(end + 1);
  }
}

Result<Scope> parse_scope(std::string_view text) {
  if (!is_token(text)) return refused();
  Scope scope;
  auto const level =
      std::ranges::find_if(kLevels, [&](auto const& entry) { return text.starts_with(entry.first); });
  if (level == kLevels.end()) {
    scope.word = text;
    return scope;
  }
  scope.level = level->second;
  text.remove_prefix(level->first.size());
  auto const question = text.find('?');
  bool const has_constraints = question != std::string_view::npos;
  if (has_constraints) scope.constraints = text.substr(question + 1);
  text = text.substr(0, question);
  auto const dot = text.find('.');
  if (dot == std::string_view::npos || !is_type(text.substr(0, dot))) return refused();
  scope.type = text.substr(0, dot);
  auto const verbs = text.substr(dot + 1);
  scope.verbs = verbs_of(verbs);
  if (scope.verbs == 0) return refused();
  // Constraints came with version 2.
  if (has_constraints && (is_version_1(verbs) || !are_constraints(scope.constraints))) return refused();
  return scope;
}

}  // namespace

std::vector<Scope> normal_scopes(std::vector<Scope> scopes) {
  auto const key = [](Scope const& scope) {
    return std::tie(scope.level, scope.word, scope.type, scope.constraints);
  };
  std::ranges::sort(scopes, [&](Scope const& a, Scope const& b) { return key(a) < key(b); });
  std::vector<Scope> joined;
  for (auto& scope : scopes) {
    if (!joined.empty() && key(joined.back()) == key(scope)) {
      joined.back().verbs = static_cast<std::uint8_t>(joined.back().verbs | scope.verbs);
    } else {
      joined.push_back(std::move(scope));
    }
  }
  return joined;
}

Result<std::vector<Scope>> parse_scopes(std::string_view text) {
  if (text.size() > kScopeBytesMax) return fail(ErrorKind::kTooLarge, "a list of scopes is too long");
  std::vector<Scope> scopes;
  while (!text.empty()) {
    auto const end = text.find(' ');
    scopes.push_back(TACENDA_TRY(parse_scope(text.substr(0, end))));
    if (scopes.size() > kScopesMax) return fail(ErrorKind::kTooLarge, "a list has too many scopes");
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
    if (text.empty()) return refused();  // a space behind the last
  }
  return normal_scopes(std::move(scopes));
}

std::string write_scope(Scope const& scope) {
  if (scope.level == ScopeLevel::kNone) return scope.word;
  std::string text;
  for (auto const& [prefix, level] : kLevels) {
    if (level == scope.level) text = prefix;
  }
  text.append(scope.type).push_back('.');
  for (std::size_t i = 0; i < kLetters.size(); ++i) {
    if ((scope.verbs >> i & 1U) != 0) text.push_back(kLetters[i]);
  }
  if (!scope.constraints.empty()) text.append("?").append(scope.constraints);
  return text;
}

std::string write_scopes(std::vector<Scope> const& scopes) {
  std::string text;
  for (auto const& scope : scopes) {
    if (!text.empty()) text.push_back(' ');
    text.append(write_scope(scope));
  }
  return text;
}

bool has_word(std::vector<Scope> const& scopes, std::string_view word) {
  return std::ranges::any_of(
      scopes, [&](Scope const& scope) { return scope.level == ScopeLevel::kNone && scope.word == word; });
}

}  // namespace tacenda::codec
