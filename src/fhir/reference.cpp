#include "fhir/reference.hpp"

#include <algorithm>

#include "fhir/internal/narrative.hpp"
#include "fhir/internal/primitive.hpp"
#include "fhir/internal/walk.hpp"
#include "fhir/types.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

/// A UUID may come in capitals from others (RFC 9562 section 4); only elements of type uuid may not.
bool is_any_uuid_urn(std::string_view text) {
  constexpr std::size_t kPrefix = std::string_view("urn:uuid:").size();
  std::string lower(text);
  if (lower.size() < kPrefix) return false;
  std::ranges::transform(lower.begin() + kPrefix, lower.end(), lower.begin() + kPrefix, [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c + ('a' - 'A')) : c;
  });
  return is_uuid_urn(lower);
}

ParsedReference of_kind(ReferenceKind kind) {
  ParsedReference reference;
  reference.kind = kind;
  return reference;
}

/// `Type/id` or `Type/id/_history/version`.
std::optional<ParsedReference> parse_relative(std::string_view text) {
  constexpr std::string_view kHistory = "/_history/";
  ParsedReference reference = of_kind(ReferenceKind::kLocal);
  auto const slash = text.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  reference.type = text.substr(0, slash);
  reference.id = text.substr(slash + 1);
  if (auto const history = reference.id.find(kHistory); history != std::string_view::npos) {
    reference.version = reference.id.substr(history + kHistory.size());
    reference.id = reference.id.substr(0, history);
    if (!is_id(reference.version)) return std::nullopt;
  }
  if (!is_resource_type(reference.type) || !is_id(reference.id)) return std::nullopt;
  return reference;
}

/// What follows the base URL and its slash; nullopt when the text does not lie below it.
std::optional<std::string_view> below(std::string_view base, std::string_view text) {
  while (base.ends_with('/')) base.remove_suffix(1);
  if (base.empty() || !text.starts_with(base)) return std::nullopt;
  text.remove_prefix(base.size());
  if (!text.starts_with('/')) return std::nullopt;
  return text.substr(1);
}

ParsedReference parse_url(std::string_view text, std::span<std::string const> base_urls) {
  for (auto const& base : base_urls) {
    auto const rest = below(base, text);
    if (!rest) continue;
    if (auto const local = parse_relative(*rest)) return *local;
  }
  return of_kind(ReferenceKind::kAbsolute);
}

bool is_link_type(TypeCode type) {
  return type == TypeCode::kUri || type == TypeCode::kUrl || type == TypeCode::kOid ||
         type == TypeCode::kUuid;
}

/// True when a leaf is Reference.reference.
template <typename JsonLike>
bool is_reference(Leaf<JsonLike> const& leaf) {
  return leaf.holder != nullptr && leaf.holder->type_code() == TypeCode::kReference &&
         name_of(leaf.element) == "reference";
}

bool is_sound_link(std::string_view text) {
  return !text.empty() &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) <= ' '; });
}

}  // namespace

ParsedReference parse_reference(std::string_view text, std::span<std::string const> base_urls) {
  if (text.starts_with('#')) {
    if (text.size() > 1 && !is_id(text.substr(1))) return {};
    ParsedReference reference = of_kind(ReferenceKind::kContained);
    reference.id = text.substr(1);
    return reference;
  }
  if (text.starts_with("urn:uuid:")) {
    return of_kind(is_any_uuid_urn(text) ? ReferenceKind::kUuid : ReferenceKind::kOther);
  }
  if (text.starts_with("urn:oid:")) {
    return of_kind(is_oid_urn(text) ? ReferenceKind::kOid : ReferenceKind::kOther);
  }
  if (auto const question = text.find('?'); question != std::string_view::npos) {
    ParsedReference reference = of_kind(ReferenceKind::kConditional);
    reference.type = text.substr(0, question);
    reference.criteria = text.substr(question + 1);
    if (is_resource_type(reference.type) && !reference.criteria.empty()) return reference;
  }
  if (auto const relative = parse_relative(text)) return *relative;
  // RFC 3986 section 3.1: a scheme, then a colon.
  auto const colon =
      text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-.");
  if (colon == std::string_view::npos || colon == 0 || text[colon] != ':' || !is_sound_link(text)) return {};
  return parse_url(text, base_urls);
}

std::optional<LocalReference> parse_local_reference(std::string_view text) {
  auto const reference = parse_relative(text);
  if (!reference) return std::nullopt;
  return LocalReference{reference->type, reference->id};
}

void for_each_reference(Resource const& resource, std::function<void(FoundReference const&)> const& visit) {
  auto const visit_leaf = [&](Leaf<Json const> const& leaf) {
    if (!is_reference(leaf) || !leaf.value.is_string()) return;
    visit({leaf.value.as_string(), leaf.place.path(), *leaf.holder});
  };
  Walk<Json const, decltype(visit_leaf)>(visit_leaf).resource(resource.json(), nullptr);
}

Result<void> rewrite_links(
    Resource& resource,
    std::function<std::optional<std::string>(std::string_view link, LinkKind kind)> const& resolve) {
  bool sound = true;
  auto const visit_leaf = [&](Leaf<Json> const& leaf) {
    if (!leaf.value.is_string()) return;
    TypeCode const type = leaf.element.type_code();
    if (type == TypeCode::kXhtml) {
      auto const changed = rewrite_narrative(
          leaf.value.as_string(), [&](std::string_view link) { return resolve(link, LinkKind::kUri); });
      if (changed) leaf.value = Json::string(*changed);
      return;
    }
    bool const reference = is_reference(leaf);
    // Extension.url is the only uri that is an attribute in XML.
    if (!reference && (!is_link_type(type) || leaf.element.has(Element::kAttribute))) return;
    auto const place = resolve(leaf.value.as_string(), reference ? LinkKind::kReference : LinkKind::kUri);
    if (!place) return;
    if (!is_sound_link(*place)) {
      sound = false;
    } else {
      leaf.value = Json::string(*place);
    }
  };
  Walk<Json, decltype(visit_leaf)>(visit_leaf).resource(resource.json_, nullptr);
  if (!sound) return fail(ErrorKind::kInvalid, "a link leads to an empty text, or one with white space");
  return {};
}

}  // namespace tacenda::fhir
