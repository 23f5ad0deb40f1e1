#include <array>
#include <string>
#include <vector>

#include "fhir/reference.hpp"
#include "fhirpath/internal/evaluator.hpp"
#include "fhirpath/internal/functions.hpp"
#include "fhirpath/internal/html.hpp"

// What R4 adds to FHIRPath: fhirpath.html, "Additional functions".

namespace tacenda::fhirpath {
namespace {

using codec::Json;
using fhir::TypeCode;

Result<void> extension(Call& call) {
  auto const url = TACENDA_TRY(call.text_argument(0));
  if (!url) return call.give_nothing();
  auto& stack = call.evaluator.stack();
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    std::size_t kept = stack.size();
    TACENDA_TRY_VOID(call.evaluator.push_member(item, "extension"));
    for (std::size_t at = kept; at < stack.size(); ++at) {
      Json const* value = stack[at].value();
      if (value == nullptr || value->text_of("url") != *url->text()) continue;
      if (kept != at) stack[kept] = stack[at];
      ++kept;
    }
    call.evaluator.drop(kept);
  }
  return call.give_from(call.end);
}

bool has_value_of(Item const& item) {
  return !item.is_element() || (item.is_primitive() && item.value() != nullptr);
}

Result<void> has_value(Call& call) {
  return call.give_boolean(call.count() == 1 && has_value_of(call.input().front()));
}

Result<void> get_value(Call& call) {
  if (call.count() != 1 || !has_value_of(call.input().front())) return call.give_nothing();
  return call.give(call.input().front().to_system());
}

/// The text that leads to a resource: of a Reference, a canonical or another string.
std::optional<std::string_view> reference_text(Item const& item) {
  if (item.is_element() && item.type() == TypeCode::kReference && item.value() != nullptr) {
    std::string_view const text = item.value()->text_of("reference");
    return text.empty() ? std::nullopt : std::optional(text);
  }
  return item.text();
}

/// "#p1" in the resource that contains; "#" is that resource itself.
std::optional<Item> contained_of(Item const& item, std::string_view text) {
  Json const* container = item.resource();
  if (container == nullptr) return std::nullopt;
  std::string_view const id = text.substr(1);
  if (id.empty()) return item_of(*container);
  Json const* contained = container->find("contained");
  if (contained == nullptr) return std::nullopt;
  for (Json const& resource : contained->items()) {
    if (resource.text_of("id") != id) continue;
    Item const found = item_of(resource);
    return Item::element(&resource, nullptr, found.type(), container);
  }
  return std::nullopt;
}

std::optional<TypeCode> resource_type(std::string_view name) {
  fhir::Node const* node = fhir::find_resource_node(name);
  return node == nullptr ? std::nullopt : std::optional(type_of_node(*node));
}

/// The type in "Patient/1", "https://host/fhir/Patient/1/_history/2" and "Patient?identifier=..."; else what
/// Reference.type says.
std::optional<TypeCode> type_of_reference(Item const& item, std::string_view text) {
  auto const parsed = fhir::parse_reference(text);
  if (!parsed.type.empty()) return resource_type(parsed.type);
  if (parsed.kind == fhir::ReferenceKind::kAbsolute) {
    std::string_view path = text.substr(0, text.find_first_of("?#|"));
    if (auto const history = path.rfind("/_history/"); history != std::string_view::npos)
      path = path.substr(0, history);
    std::size_t const id = path.rfind('/');
    if (id != std::string_view::npos && id > 0) {
      std::size_t const type = path.rfind('/', id - 1);
      if (auto const found = resource_type(path.substr(type + 1, id - type - 1))) return found;
    }
  }
  if (item.type() != TypeCode::kReference || item.value() == nullptr) return std::nullopt;
  return resource_type(item.value()->text_of("type"));
}

std::optional<Item> resolved(Call const& call, Item const& item) {
  auto const text = reference_text(item);
  bool const type_only = call.node.type_only;
  if (text && text->starts_with('#')) return contained_of(item, *text);
  if (type_only) {
    if (auto const type = type_of_reference(item, text.value_or(""))) {
      return Item::element(nullptr, nullptr, *type, nullptr);  // only its type is asked for
    }
  }
  auto const& resolve = call.evaluator.context().resolve;
  if (!text || !resolve) return std::nullopt;
  Json const* resource = resolve(*text);
  return resource == nullptr ? std::nullopt : std::optional(item_of(*resource));
}

Result<void> resolve(Call& call) {
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    TACENDA_TRY_VOID(call.evaluator.budget().spend(4));
    if (auto const found = resolved(call, item)) TACENDA_TRY_VOID(call.evaluator.push(*found));
  }
  return call.give_from(call.end);
}

/// Gives the input on when it has no modifier extension but those of the arguments.
Result<void> check_modifiers(Call& call) {
  std::vector<Item> known;
  for (std::size_t i = 0; i < call.node.count; ++i) {
    if (auto const url = TACENDA_TRY(call.text_argument(i))) known.push_back(*url);
  }
  for (std::size_t i = 0; i < call.count(); ++i) {
    Item const item = call.input()[i];
    std::size_t const start = call.evaluator.stack().size();
    TACENDA_TRY_VOID(call.evaluator.push_member(item, "modifierExtension"));
    for (Item const& found : call.evaluator.from(start)) {
      std::string_view const url = found.value() == nullptr ? "" : found.value()->text_of("url");
      bool allowed = false;
      for (Item const& other : known) allowed = allowed || *other.text() == url;
      if (!allowed) return fail(ErrorKind::kInvalid, "a modifier extension that is not known");
    }
    call.evaluator.drop(start);
  }
  return {};
}

Result<void> give_answer(Call& call, Result<std::optional<bool>> const& answer) {
  if (!answer) return std::unexpected(answer.error());
  return *answer ? call.give_boolean(**answer) : call.give_nothing();
}

Result<void> conforms_to(Call& call) {
  constexpr std::string_view kBase = "http://hl7.org/fhir/StructureDefinition/";
  auto const item = TACENDA_TRY(call.one());
  auto const url = TACENDA_TRY(call.text_argument(0));
  if (!item || !url) return call.give_nothing();
  auto const& hook = call.evaluator.context().conforms_to;
  if (hook) return give_answer(call, hook(*url->text(), *item));
  if (url->text()->starts_with(kBase)) {
    auto const type = find_fhir_type(url->text()->substr(kBase.size()));
    if (type) return call.give_boolean(item->is_element() && is_subtype(item->type(), *type));
  }
  return fail(ErrorKind::kUnsupported, "a profile that is not known here");
}

Result<void> member_of(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  auto const url = TACENDA_TRY(call.text_argument(0));
  if (!item || !url) return call.give_nothing();
  auto const& hook = call.evaluator.context().member_of;
  if (!hook) return fail(ErrorKind::kUnsupported, "memberOf() needs value sets, which are not known here");
  return give_answer(call, hook(*url->text(), *item));
}

template <bool kInputIsGeneral>
Result<void> subsumption(Call& call) {
  auto const item = TACENDA_TRY(call.one());
  auto const other = TACENDA_TRY(call.argument(0));
  if (!item || !other) return call.give_nothing();
  auto const& hook = call.evaluator.context().subsumes;
  if (!hook) return fail(ErrorKind::kUnsupported, "subsumes() needs code systems, which are not known here");
  return give_answer(call, kInputIsGeneral ? hook(*item, *other) : hook(*other, *item));
}

Result<void> html_checks(Call& call) {
  auto const item = TACENDA_TRY(call.one_text());
  if (!item) return call.give_nothing();
  TACENDA_TRY_VOID(call.evaluator.budget().spend_text(item->text()->size()));
  return call.give_boolean(is_narrative(*item->text()));
}

constexpr auto kNone = FunctionRow::kNone;

constexpr std::array kFunctions{
    FunctionRow{"extension", 1, 1, kNone, extension},
    FunctionRow{"hasValue", 0, 0, kNone, has_value},
    FunctionRow{"getValue", 0, 0, kNone, get_value},
    FunctionRow{"resolve", 0, 0, FunctionRow::kResolves, resolve},
    FunctionRow{"checkModifiers", 0, 32, kNone, check_modifiers},
    FunctionRow{"conformsTo", 1, 1, kNone, conforms_to},
    FunctionRow{"memberOf", 1, 1, kNone, member_of},
    FunctionRow{"subsumes", 1, 1, kNone, subsumption<true>},
    FunctionRow{"subsumedBy", 1, 1, kNone, subsumption<false>},
    FunctionRow{"htmlChecks", 0, 0, kNone, html_checks},
};

}  // namespace

std::span<FunctionRow const> fhir_functions() {
  return kFunctions;
}

}  // namespace tacenda::fhirpath
