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

bool is_prefix_without_case(std::string_view prefix, std::string_view text) {
  auto const lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; };
  return text.size() >= prefix.size() &&
         std::ranges::equal(prefix, text.substr(0, prefix.size()), {}, lower, lower);
}

/// An http or https URL: who serves it, which is written without case, and what he is asked for.
struct Url {
  std::string_view host;  // and port, but none that its scheme implies
  std::string_view path;  // and what follows it
};
std::optional<Url> parse_url(std::string_view text) {
  bool const is_secure = is_prefix_without_case("https://", text);
  if (!is_secure && !is_prefix_without_case("http://", text)) return std::nullopt;
  text.remove_prefix(text.find("//") + 2);
  auto const end = std::min(text.find_first_of("/?#"), text.size());
  Url url{text.substr(0, end), text.substr(end)};
  std::string_view const port = is_secure ? ":443" : ":80";
  if (url.host.ends_with(port)) url.host.remove_suffix(port.size());
  return url;
}

/// What follows the base URL, with the mark that ends it, empty for the base itself; nullopt when the URL
/// does not lie below it. Which of the two schemes was written makes no difference.
std::optional<std::string_view> below(std::string_view base_url, Url const& url) {
  auto base = parse_url(base_url);
  if (!base || base->host.size() != url.host.size() || !is_prefix_without_case(base->host, url.host))
    return std::nullopt;
  while (base->path.ends_with('/')) base->path.remove_suffix(1);
  if (!url.path.starts_with(base->path)) return std::nullopt;
  auto const rest = url.path.substr(base->path.size());
  if (!rest.empty() && rest.find_first_of("/?#") != 0) return std::nullopt;
  return rest;
}

ParsedReference parse_absolute(std::string_view text, std::span<std::string const> base_urls) {
  auto const url = parse_url(text);
  if (!url) return of_kind(ReferenceKind::kAbsolute);
  bool is_own = false;
  for (auto const& base : base_urls) {
    auto const rest = below(base, *url);
    if (!rest) continue;
    if (rest->starts_with('/')) {
      if (auto const local = parse_relative(rest->substr(1))) return *local;
    }
    is_own = true;
  }
  return of_kind(is_own ? ReferenceKind::kOther : ReferenceKind::kAbsolute);
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
  return parse_absolute(text, base_urls);
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

void for_each_own_reference(Json const& resource, std::function<void(std::string_view text)> const& visit) {
  auto const visit_leaf = [&](Leaf<Json const> const& leaf) {
    if (is_reference(leaf) && leaf.value.is_string()) visit(leaf.value.as_string());
  };
  Walk<Json const, decltype(visit_leaf), false>(visit_leaf).resource(resource, nullptr);
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
