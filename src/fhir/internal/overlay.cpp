#include "fhir/internal/overlay.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string_view>
#include <utility>

namespace tacenda::fhir {
namespace {

using codec::Json;

/// A cardinality; nullopt for "*" and for what is none, which the reader of the element refuses.
std::optional<std::uint32_t> bound_in(Json const& value) {
  std::string_view text;
  if (value.is_number()) text = value.number_text();
  if (value.is_string()) text = value.as_string();
  std::uint32_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

void lay_min(Json& base, Json const& said) {
  Json const* old = base.find("min");
  auto const before = old == nullptr ? std::nullopt : bound_in(*old);
  auto const now = bound_in(said);
  if (!before || !now || *now > *before) base.set("min", said);
}

void lay_max(Json& base, Json const& said) {
  Json const* old = base.find("max");
  auto const before = old == nullptr ? std::nullopt : bound_in(*old);
  auto const now = bound_in(said);
  bool const is_any = said.is_string() && said.as_string() == "*";
  if (before && ((now && *now > *before) || is_any)) return;
  base.set("max", said);
}

/// Values of one kind exclude each other: fixedUri goes when fixedCode comes.
bool lay_value(Json& base, Json::Member const& said) {
  for (std::string_view const kind : {"fixed", "pattern", "minValue", "maxValue"}) {
    if (!said.name.starts_with(kind)) continue;
    std::erase_if(base.members(), [&](Json::Member const& each) { return each.name.starts_with(kind); });
    base.set(said.name, said.value);
    return true;
  }
  return false;
}

std::size_t strength_of(Json const& binding) {
  constexpr std::array<std::string_view, 4> kStrengths = {"required", "extensible", "preferred", "example"};
  return static_cast<std::size_t>(std::ranges::find(kStrengths, binding.text_of("strength")) -
                                  kStrengths.begin());
}

void lay_binding(Json& base, Json const& said) {
  Json const* old = base.find("binding");
  if (old == nullptr || strength_of(said) <= strength_of(*old)) base.set("binding", said);
}

void lay_constraints(Json& base, Json const& said) {
  Json const* old = base.find("constraint");
  Json list = old == nullptr || !old->is_array() ? Json::array() : *old;
  std::set<std::pair<std::string_view, std::string_view>> known;
  if (old != nullptr) {
    for (auto const& each : old->items()) known.emplace(each.text_of("key"), each.text_of("expression"));
  }
  for (auto const& each : said.items()) {
    if (known.emplace(each.text_of("key"), each.text_of("expression")).second) list.push(each);
  }
  base.set("constraint", std::move(list));
}

/// A type that is named again without its profiles keeps those of the base. Each is looked for once: of types
/// with one code the first is the one that holds.
void lay_types(Json& base, Json const& said) {
  Json types = said;
  std::map<std::string_view, Json const*> before;
  if (Json const* old = base.find("type")) {
    for (auto const& each : old->items()) before.emplace(each.text_of("code"), &each);
  }
  for (std::size_t i = 0; i < said.items().size(); ++i) {
    auto const at = before.find(said.items()[i].text_of("code"));
    if (at == before.end() || !said.items()[i].is_object()) continue;
    for (std::string_view const name : {"profile", "targetProfile"}) {
      Json const* list = at->second->find(name);
      if (list != nullptr && said.items()[i].find(name) == nullptr) types.items()[i].set(name, *list);
    }
    before.erase(at);
  }
  base.set("type", std::move(types));
}

void lay_slicing(Json& base, Json const& said) {
  Json* old = base.find("slicing");
  if (old == nullptr || !old->is_object()) {
    base.set("slicing", said);
    return;
  }
  bool const is_closed = old->text_of("rules") == "closed";
  for (auto const& member : said.members()) old->set(member.name, member.value);
  if (is_closed) old->set("rules", Json::string("closed"));
}

}  // namespace

Json laid_over(Json base, Json const& said) {
  for (auto const& member : said.members()) {
    if (lay_value(base, member)) continue;
    if (member.name == "min") {
      lay_min(base, member.value);
    } else if (member.name == "max") {
      lay_max(base, member.value);
    } else if (member.name == "binding") {
      lay_binding(base, member.value);
    } else if (member.name == "constraint") {
      lay_constraints(base, member.value);
    } else if (member.name == "type") {
      lay_types(base, member.value);
    } else if (member.name == "slicing") {
      lay_slicing(base, member.value);
    } else {
      base.set(member.name, member.value);
    }
  }
  return base;
}

}  // namespace tacenda::fhir
