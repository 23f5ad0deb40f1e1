#include "authorization/scopes.hpp"

#include <algorithm>
#include <optional>

#include "core/application_limits.hpp"
#include "core/limits.hpp"

namespace tacenda::authorization {
namespace {

using codec::Scope;
using codec::ScopeLevel;

/// nullopt: nothing is allowed by both.
std::optional<Scope> common(Scope const& a, Scope const& b) {
  if (a.level != b.level) return std::nullopt;
  if (a.level == ScopeLevel::kNone) return a.word == b.word ? std::optional(a) : std::nullopt;
  if (a.type != b.type && a.type != "*" && b.type != "*") return std::nullopt;
  Scope both = a.type == "*" ? b : a;
  both.verbs = static_cast<std::uint8_t>(a.verbs & b.verbs);
  if (both.verbs == 0) return std::nullopt;
  both.constraints = a.constraints;
  if (a.constraints.empty()) {
    both.constraints = b.constraints;
  } else if (!b.constraints.empty() && a.constraints != b.constraints) {
    both.constraints.append("&").append(b.constraints);
  }
  return both;
}

}  // namespace

std::vector<Scope> common_scopes(std::vector<Scope> const& a, std::vector<Scope> const& b) {
  std::vector<Scope> both;
  for (auto const& one : a) {
    for (auto const& other : b) {
      if (auto found = common(one, other)) both.push_back(std::move(*found));
    }
  }
  both = codec::normal_scopes(std::move(both));
  if (both.size() > limits::kGrantedScopes) both.resize(limits::kGrantedScopes);
  return both;
}

bool reach_records(std::vector<Scope> const& scopes) {
  return std::ranges::any_of(scopes, [](Scope const& scope) { return scope.level != ScopeLevel::kNone; });
}

}  // namespace tacenda::authorization
