// Conditional criteria over the identifier index (R4 http.html#ccreate, #trules).
#include <algorithm>
#include <set>

#include "records/internal/keys.hpp"
#include "records/internal/row.hpp"
#include "records/transaction.hpp"

namespace tacenda::records {
namespace {

constexpr std::string_view kIdentifier = "identifier";

std::vector<std::string> intersect(std::vector<std::string> const& a, std::vector<std::string> const& b) {
  std::vector<std::string> both;
  std::ranges::set_intersection(a, b, std::back_inserter(both));
  return both;
}

bool names(fhir::Token const& token, std::pair<std::string, std::string> const& identifier) {
  return identifier.second == token.code && (!token.system || *token.system == identifier.first);
}

}  // namespace

Result<std::vector<std::string>> Transaction::find_identifier(std::string_view type,
                                                              fhir::Criterion const& criterion) {
  std::set<std::string> ids;
  // Values of one parameter separated by commas are alternatives.
  for (auto const& token : criterion.tokens) {
    if (token.code.empty()) return fail(ErrorKind::kInvalid, "an identifier criterion needs a value");
    set_.depends_on(view_.guard(criterion_guard(type, kIdentifier, token.code)));
    Bytes const prefix = token.system ? token_prefix(type, kIdentifier, token.code, *token.system)
                                      : token_value_prefix(type, kIdentifier, token.code);
    TACENDA_TRY_VOID(view_.scan(
        prefix, {}, storage::Direction::kForward,
        [&](ByteView key, ByteView) -> Result<bool> {
          ids.emplace(TACENDA_TRY(id_of_token_key(key, prefix.size())));
          return true;
        },
        &at_));
    for (auto const& [name, current] : loaded_) {
      auto const slash = name.find('/');
      if (std::string_view(name).substr(0, slash) != type || !current.own) continue;
      bool const matches =
          !current.deleted && std::ranges::any_of(current.identifiers, [&](auto const& identifier) {
            return names(token, identifier);
          });
      if (matches) ids.insert(name.substr(slash + 1));
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

Result<std::vector<std::string>> Transaction::match(Permit const& permit, std::string_view type,
                                                    fhir::Criteria const& criteria, std::size_t limit) {
  if (criteria.empty()) return fail(ErrorKind::kInvalid, "the criteria are empty");
  std::optional<std::vector<std::string>> candidates;
  for (auto const& criterion : criteria) {
    std::vector<std::string> ids;
    if (criterion.name == kIdentifier) {
      ids = TACENDA_TRY(find_identifier(type, criterion));
    } else if (criterion.name == "_id") {
      for (auto const& token : criterion.tokens) {
        if (ResourceId::parse(token.code).has_value()) ids.push_back(token.code);
      }
      std::ranges::sort(ids);
    } else {
      return fail(ErrorKind::kInvalid, "only identifier and _id can be used as criteria");
    }
    candidates = candidates ? intersect(*candidates, ids) : std::move(ids);
  }
  std::vector<std::string> matches;
  for (auto const& id : *candidates) {
    Current const* current = TACENDA_TRY(load(type, id));
    if (current->version == 0 || current->deleted) continue;
    if (!permit.judge({type, id, current->patients, current->version, false})) continue;
    bool living = true;
    // An own write may have changed the identifiers that the index still shows.
    for (auto const& criterion : criteria) {
      if (criterion.name != kIdentifier || !current->own) continue;
      living =
          living && std::ranges::any_of(criterion.tokens, [&](auto const& token) {
            return std::ranges::any_of(current->identifiers, [&](auto const& i) { return names(token, i); });
          });
    }
    if (living) matches.push_back(id);
    if (matches.size() >= limit) break;
  }
  return matches;
}

}  // namespace tacenda::records
