#include "authorization/scopes.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {
namespace {

using codec::Scope;
using codec::ScopeLevel;

/// Takes the next `name=value` from the front of constraints, all of which must hold.
std::string_view next_condition(std::string_view& constraints) {
  auto const end = constraints.find('&');
  auto const condition = constraints.substr(0, end);
  constraints.remove_prefix(end == std::string_view::npos ? constraints.size() : end + 1);
  return condition;
}

bool has_condition(std::string_view constraints, std::string_view wanted) {
  while (!constraints.empty()) {
    if (next_condition(constraints) == wanted) return true;
  }
  return false;
}

bool has_all(std::string_view constraints, std::string_view wanted) {
  while (!wanted.empty()) {
    if (!has_condition(constraints, next_condition(wanted))) return false;
  }
  return true;
}

/// Does `wide` reach all that `narrow` reaches, whatever is stored?
bool covers(Scope const& wide, Scope const& narrow) {
  if (wide.level != narrow.level) return false;
  if (wide.level == ScopeLevel::kNone) return wide.word == narrow.word;
  if (wide.type != "*" && wide.type != narrow.type) return false;
  if ((narrow.verbs & ~wide.verbs) != 0) return false;
  return has_all(narrow.constraints, wide.constraints);
}

/// nullopt: nothing is allowed by both.
std::optional<Scope> common(Scope const& a, Scope const& b) {
  if (covers(b, a)) return a;
  if (covers(a, b)) return b;
  if (a.level != b.level || a.level == ScopeLevel::kNone) return std::nullopt;
  if (a.type != b.type && a.type != "*" && b.type != "*") return std::nullopt;
  Scope both = a.type == "*" ? b : a;
  both.verbs = static_cast<std::uint8_t>(a.verbs & b.verbs);
  if (both.verbs == 0) return std::nullopt;
  both.constraints = a.constraints;
  for (std::string_view rest = b.constraints; !rest.empty();) {
    auto const condition = next_condition(rest);
    if (has_condition(a.constraints, condition)) continue;
    if (!both.constraints.empty()) both.constraints.push_back('&');
    both.constraints.append(condition);
  }
  return both;
}

/// Without what another one of them reaches as well; at most limits::kGrantedScopes. The wider a scope, the
/// fewer its conditions: those come first, so that what is left out beyond the limit is the narrowest.
std::vector<Scope> without_covered(std::vector<Scope> scopes) {
  std::ranges::sort(scopes, {}, [](Scope const& scope) {
    auto const ands = std::ranges::count(scope.constraints, '&');
    return std::tuple(scope.constraints.empty() ? 0 : 1 + ands, std::string_view(scope.constraints));
  });
  std::vector<Scope> kept;
  for (auto& scope : scopes) {
    if (kept.size() == limits::kGrantedScopes) break;
    if (std::ranges::any_of(kept, [&](Scope const& each) { return covers(each, scope); })) continue;
    std::erase_if(kept, [&](Scope const& each) { return covers(scope, each); });
    kept.push_back(std::move(scope));
  }
  return kept;
}

}  // namespace

std::vector<Scope> common_scopes(std::vector<Scope> const& a, std::vector<Scope> const& b) {
  std::vector<Scope> both;
  for (auto const& one : a) {
    // One that is covered is granted as it is: what it shares with others is less.
    if (std::ranges::any_of(b, [&](Scope const& other) { return covers(other, one); })) {
      both.push_back(one);
      continue;
    }
    for (auto const& other : b) {
      if (auto found = common(one, other)) both.push_back(std::move(*found));
    }
  }
  // Joined first: what two cover with their verbs together is covered, too.
  return codec::normal_scopes(without_covered(codec::normal_scopes(std::move(both))));
}

bool reach_records(std::vector<Scope> const& scopes) {
  return std::ranges::any_of(scopes, [](Scope const& scope) { return scope.level != ScopeLevel::kNone; });
}

}  // namespace tacenda::authorization
