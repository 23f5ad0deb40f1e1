#include "operations/fhirpath_patch.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>

#include "core/limits.hpp"
#include "fhir/elements.hpp"
#include "fhirpath/expression.hpp"
#include "operations/internal/spot.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;
using fhirpath::Item;

constexpr std::size_t kOperations = 1'000;
constexpr std::size_t kWork = 50'000'000;    // values looked at, over all operations
constexpr std::int64_t kSteps = 20'000'000;  // of evaluation, over all operations
constexpr std::int64_t kStepsOfOne = 2'000'000;
constexpr std::string_view kValue = "value";

/// What a part holds: `value[x]`, or parts of its own for a type that has no value[x], or a resource.
struct Given {
  Json const* value = nullptr;
  Json const* shadow = nullptr;
  std::string_view type;  // as in value[x]: "HumanName", "String", or "Resource"
  Json const* parts = nullptr;
};

struct Operation {
  std::string_view type;
  std::string_view path;
  std::string_view name;
  std::optional<Given> value;
  std::optional<std::size_t> index;
  std::optional<std::size_t> source;
  std::optional<std::size_t> destination;
};

Given given_of(Json const& part) {
  Given given;
  for (auto const& member : part.members()) {
    std::string_view const name = member.name;
    if (name == "part") given.parts = &member.value;
    if (name == "resource") given = {&member.value, nullptr, "Resource", nullptr};
    if (name.starts_with(kValue)) {
      given.value = &member.value;
      given.type = name.substr(kValue.size());
    }
    if (name.starts_with('_') && name.substr(1).starts_with(kValue)) {
      given.shadow = &member.value;
      given.type = name.substr(1 + kValue.size());
    }
  }
  return given;
}

Result<std::string_view> text_in(Given const& given) {
  if (given.value == nullptr || !given.value->is_string())
    return fail(ErrorKind::kInvalid, "a part of a patch operation is no text");
  return given.value->as_string();
}

Result<std::size_t> number_in(Given const& given) {
  if (given.value == nullptr || !given.value->is_number())
    return fail(ErrorKind::kInvalid, "a part of a patch operation is no number");
  auto const text = given.value->number_text();
  std::size_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "a part of a patch operation is no index of a list");
  return number;
}

Result<Operation> parse_operation(Json const& parameter) {
  if (parameter.text_of("name") != "operation")
    return fail(ErrorKind::kInvalid, "a parameter of a FHIRPath Patch is no operation");
  Operation operation;
  Json const* parts = parameter.find("part");
  if (parts == nullptr) return fail(ErrorKind::kInvalid, "a patch operation has no parts");
  std::vector<std::string_view> seen;
  for (auto const& part : parts->items()) {
    auto const name = part.text_of("name");
    auto const given = given_of(part);
    if (std::ranges::find(seen, name) != seen.end())
      return fail(ErrorKind::kInvalid, "a patch operation has one part twice");
    seen.push_back(name);
    if (name == "type") {
      operation.type = TACENDA_TRY(text_in(given));
    } else if (name == "path") {
      operation.path = TACENDA_TRY(text_in(given));
    } else if (name == "name") {
      operation.name = TACENDA_TRY(text_in(given));
    } else if (name == "value") {
      operation.value = given;
    } else if (name == "index") {
      operation.index = TACENDA_TRY(number_in(given));
    } else if (name == "source") {
      operation.source = TACENDA_TRY(number_in(given));
    } else if (name == "destination") {
      operation.destination = TACENDA_TRY(number_in(given));
    } else {
      return fail(ErrorKind::kInvalid, "a patch operation has an unknown part");
    }
  }
  return operation;
}

std::size_t depth_of(Json const& value) {
  std::size_t deepest = 0;
  for (auto const& item : value.items()) deepest = std::max(deepest, depth_of(item));
  for (auto const& member : value.members()) deepest = std::max(deepest, depth_of(member.value));
  return deepest + (value.is_array() || value.is_object() ? 1 : 0);
}

/// The property of `node` that `name` means for a value of that type.
Result<fhir::Element const*> choose(fhir::Node const& node, std::string_view name, Given const& given) {
  if (auto const* exact = fhir::find_element(node, name)) return exact;
  for (auto const& element : fhir::elements_of(node)) {
    if (!element.has(fhir::Element::kChoice) || fhir::definition_name_of(element) != name) continue;
    if (fhir::name_of(element).substr(name.size()) == given.type) return &element;
  }
  return fail(ErrorKind::kUnprocessable, "the element of a patch has no such property, or not of this type");
}

/// Types that a Parameters resource can only give as a Quantity.
bool is_quantity(std::string_view type) {
  constexpr std::array kTypes{"Age", "Count", "Distance", "Duration", "MoneyQuantity", "SimpleQuantity"};
  return std::ranges::find(kTypes, type) != kTypes.end();
}

Result<Content> content_of(fhir::Element const& element, Given const& given);

/// Puts a value into an object that is made or added to.
Result<void> add_to(Json& object, fhir::Node const& node, std::string_view name, Given const& given) {
  auto const* element = TACENDA_TRY(choose(node, name, given));
  auto content = TACENDA_TRY(content_of(*element, given));
  auto const json_name = fhir::name_of(*element);
  if (element->has(fhir::Element::kRepeats)) {
    append(object, json_name, std::move(content));
    return {};
  }
  for (auto const& member : object.members()) {
    auto const* other =
        fhir::find_element(node, std::string_view(member.name).substr(member.name.starts_with('_') ? 1 : 0));
    if (other != nullptr && other->slot == element->slot)
      return fail(ErrorKind::kUnprocessable, "the property to add is there and does not repeat");
  }
  put_one(object, json_name, std::move(content));
  return {};
}

Result<Content> object_of_parts(fhir::Element const& element, Json const& parts) {
  fhir::Node const& node = fhir::node_of(element.type_code());
  Json object = Json::object();
  for (auto const& part : parts.items()) {
    TACENDA_TRY_VOID(add_to(object, node, part.text_of("name"), given_of(part)));
  }
  return Content{std::move(object), {}};
}

/// "The type of the value must be correct for the place at which it will be added/inserted." Among primitives
/// the check of the result judges: the code of an element may come as a string.
Result<Content> content_of(fhir::Element const& element, Given const& given) {
  constexpr Literal kWrong = "the value of a patch operation is of another type than its place";
  bool const is_resource = element.type_code() == fhir::TypeCode::kResource;
  if (given.parts != nullptr) {
    if (element.is_primitive() || is_resource || given.value != nullptr || given.shadow != nullptr)
      return fail(ErrorKind::kUnprocessable, kWrong);
    return object_of_parts(element, *given.parts);
  }
  if (given.value == nullptr && given.shadow == nullptr)
    return fail(ErrorKind::kInvalid, "a patch operation has no value");
  bool const is_complex = given.value != nullptr && given.value->is_object();
  if (element.is_primitive()) {
    if (is_complex) return fail(ErrorKind::kUnprocessable, kWrong);
  } else if (is_resource != (given.type == "Resource")) {
    return fail(ErrorKind::kUnprocessable, kWrong);
  } else if (!is_resource) {
    auto const type = fhir::path_of(fhir::node_of(element.type_code()));
    if (given.type != type && !(given.type == "Quantity" && is_quantity(type)))
      return fail(ErrorKind::kUnprocessable, kWrong);
  }
  Content content;
  if (given.value != nullptr) content.value = *given.value;
  if (given.shadow != nullptr) content.shadow = *given.shadow;
  return content;
}

/// One patch while its operations run.
class Run {
 public:
  Run(Json document, std::size_t operations) : document_(std::move(document)) {
    context_.limits.steps =
        std::min(kStepsOfOne, kSteps / static_cast<std::int64_t>(std::max<std::size_t>(operations, 1)));
  }

  Result<void> perform(Operation const& operation) {
    if (operation.path.empty()) return fail(ErrorKind::kInvalid, "a patch operation has no path");
    auto const items = TACENDA_TRY(evaluate(operation.path));
    if (operation.type == "add") return add(operation, items);
    if (operation.type == "insert") return insert(operation, items);
    if (operation.type == "delete") return remove(items);
    if (operation.type == "replace") return replace(operation, items);
    if (operation.type == "move") return move(operation, items);
    return fail(ErrorKind::kInvalid, "a patch operation is of an unknown type");
  }

  Json finish() {
    prune(document_);
    return std::move(document_);
  }

 private:
  Result<fhirpath::Collection> evaluate(std::string_view path) {
    auto const expression = fhirpath::Expression::compile(path);
    auto items = expression.has_value() ? expression->evaluate(context_, fhirpath::item_of(document_))
                                        : Result<fhirpath::Collection>(std::unexpected(expression.error()));
    if (items.has_value()) {
      // Values that the expression made are no elements: they must not outlive it.
      if (std::ranges::all_of(*items, &Item::is_element)) return items;
      return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives what is no element");
    }
    switch (items.error().kind()) {
      case ErrorKind::kUnsupported:
        return fail(ErrorKind::kNotSupported,
                    "the path of a patch operation uses what is not available there");
      case ErrorKind::kTooLarge:
        return fail(ErrorKind::kTooCostly, "the path of a patch operation costs too much");
      default:
        return items;
    }
  }

  Result<Spot> spot_of(Item const& item) {
    auto spot = find_spot(document_, item, work_);
    if (work_ > kWork) return fail(ErrorKind::kTooCostly, "the patch costs too much");
    if (!spot || spot->node == nullptr)
      return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives what cannot be changed");
    return std::move(*spot);
  }

  static Result<Item const*> only(fhirpath::Collection const& items) {
    if (items.empty()) return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives nothing");
    if (items.size() > 1)
      return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives several elements");
    return &items.front();
  }

  /// A value may be put at `depth` only when the document stays as shallow as what can be sent.
  static Result<void> check_depth(std::size_t depth, Given const& given) {
    std::size_t deepest = 0;
    for (auto const* each : {given.value, given.shadow, given.parts}) {
      if (each != nullptr) deepest = std::max(deepest, depth_of(*each));
    }
    if (depth + 2 + deepest > limits::kJsonDepth)
      return fail(ErrorKind::kTooLarge, "the patch would nest the resource too deeply");
    return {};
  }

  static Result<Given> value_of(Operation const& operation) {
    if (!operation.value) return fail(ErrorKind::kInvalid, "a patch operation has no value");
    return *operation.value;
  }

  Result<void> add(Operation const& operation, fhirpath::Collection const& items) {
    Item const& item = *TACENDA_TRY(only(items));
    auto const given = TACENDA_TRY(value_of(operation));
    if (operation.name.empty()) return fail(ErrorKind::kInvalid, "a patch operation has no name");
    if (item.value() == &document_) {
      TACENDA_TRY_VOID(check_depth(1, given));
      return add_to(document_, *item.node(), operation.name, given);
    }
    auto const spot = TACENDA_TRY(spot_of(item));
    TACENDA_TRY_VOID(check_depth(spot.depth + 2, given));
    if (!item.is_primitive()) {
      Json& property = *spot.parent->find(spot.name);
      return add_to(spot.index ? property.items()[*spot.index] : property, *item.node(), operation.name,
                    given);
    }
    // What a primitive has beside its value, id and extensions, stands in its shadow.
    return change(spot, [&](Content& content) {
      if (content.shadow.is_null()) content.shadow = Json::object();
      return add_to(content.shadow, *fhir::find_type_node("Element"), operation.name, given);
    });
  }

  /// Changes value and shadow of one element.
  template <typename Change>
  Result<void> change(Spot const& spot, Change change) {
    if (spot.index) {
      auto list = take_list(*spot.parent, spot.name);
      work_ += list.size();
      TACENDA_TRY_VOID(change(list[*spot.index]));
      put_list(*spot.parent, spot.name, std::move(list));
      return {};
    }
    Content content;
    std::string const shadow = "_" + spot.name;
    if (Json* value = spot.parent->find(spot.name)) content.value = std::move(*value);
    if (Json* value = spot.parent->find(shadow)) content.shadow = std::move(*value);
    TACENDA_TRY_VOID(change(content));
    put_one(*spot.parent, spot.name, std::move(content));
    return {};
  }

  Result<void> remove(fhirpath::Collection const& items) {
    if (items.empty()) return {};
    auto const spot = TACENDA_TRY(spot_of(*TACENDA_TRY(only(items))));
    if (!spot.index) {
      put_one(*spot.parent, spot.name, {});
      return {};
    }
    auto list = take_list(*spot.parent, spot.name);
    work_ += list.size();
    list.erase(list.begin() + static_cast<std::ptrdiff_t>(*spot.index));
    put_list(*spot.parent, spot.name, std::move(list));
    return {};
  }

  Result<void> replace(Operation const& operation, fhirpath::Collection const& items) {
    auto const spot = TACENDA_TRY(spot_of(*TACENDA_TRY(only(items))));
    auto const given = TACENDA_TRY(value_of(operation));
    TACENDA_TRY_VOID(check_depth(spot.depth, given));
    auto const* element = fhir::find_element(*spot.node, spot.name);
    if (element == nullptr)
      return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives what cannot be changed");
    if (element->has(fhir::Element::kChoice)) {
      element = TACENDA_TRY(choose(*spot.node, fhir::definition_name_of(*element), given));
    }
    auto content = TACENDA_TRY(content_of(*element, given));
    if (spot.name == fhir::name_of(*element)) {
      return change(spot, [&](Content& old) -> Result<void> {
        old = std::move(content);
        return {};
      });
    }
    put_one(*spot.parent, spot.name, {});
    put_one(*spot.parent, fhir::name_of(*element), std::move(content));
    return {};
  }

  /// The list that the path names, which must be all of it: what index would mean in a part of it is not
  /// said.
  Result<Spot> list_of(fhirpath::Collection const& items) {
    if (items.empty()) return fail(ErrorKind::kUnprocessable, "the path of a patch operation gives nothing");
    auto spot = TACENDA_TRY(spot_of(items.front()));
    Json const* values = spot.parent->find(spot.name);
    Json const* shadows = spot.parent->find("_" + spot.name);
    std::size_t const size = std::max(values == nullptr ? 0 : values->items().size(),
                                      shadows == nullptr ? 0 : shadows->items().size());
    bool const is_whole = spot.index && size == items.size();
    for (std::size_t i = 0; is_whole && i < size; ++i) {
      Json const* value = values != nullptr && i < values->items().size() ? &values->items()[i] : nullptr;
      Json const* shadow = shadows != nullptr && i < shadows->items().size() ? &shadows->items()[i] : nullptr;
      bool const is_same = (items[i].value() != nullptr && items[i].value() == value) ||
                           (items[i].shadow() != nullptr && items[i].shadow() == shadow);
      if (!is_same)
        return fail(ErrorKind::kUnprocessable, "the path of a patch operation names no whole list");
    }
    if (!is_whole)
      return fail(ErrorKind::kUnprocessable, "the path of a patch operation names no whole list");
    work_ += size;
    return spot;
  }

  Result<void> insert(Operation const& operation, fhirpath::Collection const& items) {
    auto const given = TACENDA_TRY(value_of(operation));
    if (!operation.index) return fail(ErrorKind::kInvalid, "an insertion has no index");
    auto const spot = TACENDA_TRY(list_of(items));
    if (*operation.index > items.size())
      return fail(ErrorKind::kUnprocessable, "the index of an insertion is beyond the list");
    TACENDA_TRY_VOID(check_depth(spot.depth, given));
    auto const* element = TACENDA_TRY(choose(*spot.node, spot.name, given));
    auto content = TACENDA_TRY(content_of(*element, given));
    auto list = take_list(*spot.parent, spot.name);
    list.insert(list.begin() + static_cast<std::ptrdiff_t>(*operation.index), std::move(content));
    put_list(*spot.parent, spot.name, std::move(list));
    return {};
  }

  Result<void> move(Operation const& operation, fhirpath::Collection const& items) {
    if (!operation.source || !operation.destination)
      return fail(ErrorKind::kInvalid, "a move has no source, or no destination");
    auto const spot = TACENDA_TRY(list_of(items));
    if (*operation.source >= items.size() || *operation.destination >= items.size())
      return fail(ErrorKind::kUnprocessable, "an index of a move is beyond the list");
    auto list = take_list(*spot.parent, spot.name);
    auto const from = list.begin() + static_cast<std::ptrdiff_t>(*operation.source);
    auto const to = list.begin() + static_cast<std::ptrdiff_t>(*operation.destination);
    if (from < to) {
      std::rotate(from, from + 1, to + 1);
    } else {
      std::rotate(to, from, from + 1);
    }
    put_list(*spot.parent, spot.name, std::move(list));
    return {};
  }

  Json document_;
  fhirpath::Context context_;
  std::size_t work_ = 0;
};

}  // namespace

Result<Json> apply_fhirpath_patch(Json const& resource, Json const& parameters) {
  Json const* list = parameters.find("parameter");
  std::size_t const count = list == nullptr ? 0 : list->items().size();
  if (count > kOperations) return fail(ErrorKind::kTooLarge, "the patch has too many operations");
  Run run(resource, count);
  for (std::size_t i = 0; i < count; ++i) {
    TACENDA_TRY_VOID(run.perform(TACENDA_TRY(parse_operation(list->items()[i]))));
  }
  return run.finish();
}

}  // namespace tacenda::operations
