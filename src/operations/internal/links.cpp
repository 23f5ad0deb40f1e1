#include "operations/internal/links.hpp"

#include <set>

#include "fhir/criteria.hpp"
#include "fhir/identifiers.hpp"
#include "fhir/types.hpp"

namespace tacenda::operations {

Result<void> Links::add_pending(std::string_view type, std::string_view id, fhir::Resource const& resource) {
  written_.emplace(std::string(type) + "/" + std::string(id), true);
  for (auto& [system, value] : TACENDA_TRY(fhir::identifiers_of(resource))) {
    pending_[std::string(type)].emplace(std::move(value), std::pair(std::move(system), std::string(id)));
  }
  return {};
}

Result<std::string> Links::resolve(std::string_view conditional) {
  if (auto const found = resolved_.find(std::string(conditional)); found != resolved_.end())
    return found->second;
  auto const question = conditional.find('?');
  std::string const type(conditional.substr(0, question));
  if (!fhir::is_resource_type(type))
    return fail(ErrorKind::kInvalid, "a conditional reference names no resource type");
  auto const criteria = TACENDA_TRY(fhir::parse_criteria(conditional.substr(question + 1)));

  std::set<std::string> matches;
  auto const permit = context_.services.gate.authorize(context_.principal, Action::kRead, type);
  // Who may create but not read may still link to what he can name exactly (M3: the loader).
  auto const creator = context_.services.gate.authorize(context_.principal, Action::kCreate, type);
  if (!permit.has_value() && !creator.has_value()) return std::unexpected(permit.error());
  for (auto& id :
       TACENDA_TRY(transaction_.match(permit.has_value() ? *permit : *creator, type, criteria, 2))) {
    // What is written here is judged by its new identifiers, below.
    if (!written_.contains(std::string(type).append("/").append(id))) matches.insert(std::move(id));
  }
  if (criteria.size() == 1 && criteria.front().name == "identifier") {
    auto const of_type = pending_.find(type);
    for (auto const& token : criteria.front().tokens) {
      if (of_type == pending_.end()) break;
      auto const [begin, end] = of_type->second.equal_range(token.code);
      for (auto it = begin; it != end; ++it) {
        if (!token.system || *token.system == it->second.first) matches.insert(it->second.second);
      }
    }
  }
  if (matches.empty()) return fail(ErrorKind::kPrecondition, "a conditional reference matches no resource");
  if (matches.size() > 1)
    return fail(ErrorKind::kPrecondition, "a conditional reference matches several resources");
  std::string place = type + "/" + *matches.begin();
  resolved_.emplace(conditional, place);
  return place;
}

Result<void> Links::rewrite(fhir::Resource& resource) {
  std::optional<Error> failed;
  TACENDA_TRY_VOID(fhir::rewrite_links(
      resource, [&](std::string_view link, fhir::LinkKind kind) -> std::optional<std::string> {
        if (failed) return std::nullopt;
        if (auto const found = places_.find(std::string(link)); found != places_.end()) return found->second;
        if (kind != fhir::LinkKind::kReference) return std::nullopt;
        if (link.starts_with("urn:uuid:") || link.starts_with("urn:oid:")) {
          failed = Error(ErrorKind::kInvalid, "a reference names an entry that the bundle does not have");
        } else if (link.contains('?') && !link.substr(0, link.find('?')).contains("://")) {
          // Behind the question mark the URL of an identifier's system may stand unescaped.
          auto place = resolve(link);
          if (place.has_value()) return std::move(*place);
          failed = place.error();
        }
        return std::nullopt;
      }));
  if (failed) return std::unexpected(*failed);
  return {};
}

}  // namespace tacenda::operations
