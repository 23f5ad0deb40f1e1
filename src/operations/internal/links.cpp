#include "operations/internal/links.hpp"

#include <span>

#include "fhir/compartment.hpp"
#include "fhir/search_query.hpp"
#include "fhir/types.hpp"
#include "operations/internal/permits.hpp"

namespace tacenda::operations {

namespace {

/// `Type` of a conditional reference. Behind the question mark the URL of an identifier's system may stand
/// unescaped.
std::optional<std::string_view> asked_type(std::string_view link) {
  auto const question = link.find('?');
  if (question == std::string_view::npos) return std::nullopt;
  auto const type = link.substr(0, question);
  if (type.contains("://")) return std::nullopt;
  return type;
}

/// What is put together elsewhere, too, says by the fullUrl of its entries what its references mean.
bool has_entries(fhir::Resource const& resource) {
  return resource.type() == "Bundle" || resource.type() == "Parameters";
}

/// `Type/id` behind an address of this server; nullopt: the link leads elsewhere or is relative.
std::optional<std::string> local_part(std::string_view link, std::span<std::string const> addresses) {
  auto const parsed = fhir::parse_reference(link, addresses);
  if (parsed.kind != fhir::ReferenceKind::kLocal || parsed.type.data() == link.data()) return std::nullopt;
  return std::string(link.substr(static_cast<std::size_t>(parsed.type.data() - link.data())));
}

/// What looks like a reference to a record of this server and leads to none would say whose a record is, and
/// nobody would hear it. Definitions and the directory are nobody's, and may name what they like.
Result<void> check_references(fhir::Resource const& resource, std::span<std::string const> addresses) {
  if (fhir::is_of_nobody(resource.type())) return {};
  bool is_conditional = false;
  bool is_unknown = false;
  fhir::for_each_reference(resource, [&](fhir::FoundReference const& found) {
    auto const kind = fhir::parse_reference(found.text, addresses).kind;
    is_conditional = is_conditional || kind == fhir::ReferenceKind::kConditional;
    is_unknown = is_unknown || kind == fhir::ReferenceKind::kOther;
  });
  if (is_unknown)
    return fail(ErrorKind::kUnprocessable,
                "a reference is of no form that R4 knows: a record of this server is named as [type]/[id]");
  if (is_conditional)
    return fail(ErrorKind::kUnprocessable, "a conditional reference is resolved in a transaction alone");
  return {};
}

}  // namespace

Result<void> make_local(Context const& context, fhir::Resource& resource) {
  auto const addresses = own_addresses(context);
  if (!has_entries(resource)) {
    TACENDA_TRY_VOID(fhir::rewrite_links(
        resource, [&](std::string_view link, fhir::LinkKind kind) -> std::optional<std::string> {
          if (kind != fhir::LinkKind::kReference) return std::nullopt;
          return local_part(link, addresses);
        }));
  }
  return check_references(resource, addresses);
}

Links::Links(Context const& context, records::Transaction& transaction)
    : context_(context), transaction_(transaction), addresses_(own_addresses(context)) {}

void Links::note(fhir::Resource const& resource) {
  fhir::for_each_reference(resource, [&](fhir::FoundReference const& reference) {
    if (auto const type = asked_type(reference.text)) asked_.emplace(*type);
  });
}

Result<void> Links::add_pending(std::string_view type, std::string_view id, fhir::Resource const& resource) {
  if (!asked_.contains(type)) return {};
  return transaction_.expect(type, id, resource);
}

Result<std::string> Links::resolve(std::string_view conditional) {
  if (auto const found = resolved_.find(std::string(conditional)); found != resolved_.end())
    return found->second;
  auto const question = conditional.find('?');
  std::string const type(conditional.substr(0, question));
  if (!fhir::is_resource_type(type))
    return fail(ErrorKind::kInvalid, "a conditional reference names no resource type");
  auto const criteria = TACENDA_TRY(criteria_of(context_, type, conditional.substr(question + 1)));
  auto const reader = context_.services.gate.authorize(context_.principal, Action::kRead, type);
  // Who may create but not read may still link to what he can name exactly (M3: the loader).
  auto const creator = context_.services.gate.authorize(context_.principal, Action::kCreate, type);
  if (!reader.has_value() && !creator.has_value()) return std::unexpected(reader.error());
  TACENDA_TRY_VOID(check_criteria(reader, criteria));
  Permits permits(context_, type, reader.has_value() ? *reader : *creator);
  auto const matches = TACENDA_TRY(transaction_.match(permits.source(), type, criteria, 2));
  questions_.push_back(TACENDA_TRY(question_of(context_, audit::EventKind::kSearch, transaction_, type,
                                               conditional.substr(question + 1), matches)));
  if (matches.empty()) return fail(ErrorKind::kPrecondition, "a conditional reference matches no resource");
  if (matches.size() > 1)
    return fail(ErrorKind::kPrecondition, "a conditional reference matches several resources");
  std::string place = type + "/" + matches.front();
  resolved_.emplace(conditional, place);
  return place;
}

Result<void> Links::rewrite(fhir::Resource& resource) {
  std::optional<Error> failed;
  bool const is_placed = !has_entries(resource);
  TACENDA_TRY_VOID(fhir::rewrite_links(
      resource, [&](std::string_view link, fhir::LinkKind kind) -> std::optional<std::string> {
        if (failed) return std::nullopt;
        if (auto const found = places_.find(std::string(link)); found != places_.end()) return found->second;
        if (kind != fhir::LinkKind::kReference) return std::nullopt;
        if (is_placed) {
          if (auto local = local_part(link, addresses_)) return local;
        }
        if (link.starts_with("urn:uuid:") || link.starts_with("urn:oid:")) {
          failed = Error(ErrorKind::kInvalid, "a reference names an entry that the bundle does not have");
        } else if (asked_type(link)) {
          auto place = resolve(link);
          if (place.has_value()) return std::move(*place);
          failed = place.error();
        }
        return std::nullopt;
      }));
  if (failed) return std::unexpected(*failed);
  return check_references(resource, addresses_);
}

}  // namespace tacenda::operations
