#include "fhir/internal/differential.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>

#include "fhir/internal/overlay.hpp"
#include "fhir/profile.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

/// One step of a path: "extension:race" of an id, "extension" of a path.
struct Step {
  std::string_view name;
  std::string_view slice;
};
using Steps = std::vector<Step>;

Steps steps_of(std::string_view text) {
  Steps steps;
  for (;;) {
    auto const dot = text.find('.');
    auto const part = text.substr(0, dot);
    auto const colon = part.find(':');
    steps.push_back({part.substr(0, colon),
                     colon == std::string_view::npos ? std::string_view() : part.substr(colon + 1)});
    if (dot == std::string_view::npos) return steps;
    text.remove_prefix(dot + 1);
  }
}

bool has_same_names(Steps const& a, Steps const& b) {
  return std::ranges::equal(a, b, {}, &Step::name, &Step::name);
}

/// An element with what stands below it. Of several with one name the first is what the others slice.
struct Branch {
  std::string path;
  std::string name;
  std::string slice;
  std::optional<Json> definition;  // nullopt: nothing is said of it
  bool is_said = false;            // by the differential, and not only implied
  bool is_of_base = false;         // the definition is that of the profile that this one is derived from
  bool is_short = false;           // of a choice: the differential named its types alone ("valueQuantity")
  std::vector<Json> offered;       // of such a choice: the types that the base allows
  std::vector<Branch> children;
};

Json slicing_by(std::string_view kind, std::string_view path, std::string_view rules) {
  Json discriminator = Json::object();
  discriminator.set("type", Json::string(kind));
  discriminator.set("path", Json::string(path));
  Json list = Json::array();
  list.push(std::move(discriminator));
  Json slicing = Json::object();
  slicing.set("discriminator", std::move(list));
  slicing.set("rules", Json::string(rules));
  return slicing;
}

class Tree {
 public:
  explicit Tree(Node const& type) : type_(type) {
    root_.path = path_of(type);
    root_.name = root_.path;
  }

  Result<void> add(Json const& definition) {
    auto const path = definition.text_of("path");
    auto const steps = steps_of(path);
    if (steps.front().name != root_.name)
      return fail(ErrorKind::kInvalid, "a differential names an element of another type");
    if (steps.size() > kProfileDepthMax)
      return fail(ErrorKind::kTooLarge, "a path of an ElementDefinition is too deep");
    auto const by_id = steps_of(definition.text_of("id"));
    // An id may be anything; as R4 advises, it says into which slice a path leads.
    bool const has_id = has_same_names(by_id, steps);
    Json own = definition;
    Branch* at = &root_;
    Node const* node = &type_;
    for (std::size_t i = 1; i < steps.size(); ++i) {
      bool const is_last = i + 1 == steps.size();
      Element const* element = node == nullptr ? nullptr : find_element(*node, steps[i].name);
      node = element == nullptr || element->is_primitive() ? nullptr : find_type_node_of(*element);
      if (element != nullptr && element->has(Element::kChoice)) {
        at = TACENDA_TRY(slice_of_type(*at, *element));
        if (is_last) name_slice(*at, own);
      } else if (is_last) {
        at = TACENDA_TRY(child(*at, {steps[i].name, definition.text_of("sliceName")}));
      } else {
        at = has_id ? TACENDA_TRY(child(*at, by_id[i])) : TACENDA_TRY(last_child(*at, steps[i].name));
      }
    }
    if (at->is_said) return fail(ErrorKind::kInvalid, "a differential names an element twice");
    at->is_said = true;
    at->definition = at->is_of_base ? laid_over(*std::move(at->definition), own) : std::move(own);
    return {};
  }

  /// What was added so far is the base of what comes. Recursion: kProfileDepthMax levels at most.
  void rebase() { rebase(root_); }

  /// "Questionnaire.item.item" has what "Questionnaire.item" has: what is said of the one holds for the
  /// other.
  Result<void> link_contents() {
    TypeCode code = TypeCode::kFirstNode;
    for (std::size_t i = 0; i < node_count(); ++i) {
      Node const& owner = node_of(code);
      code = static_cast<TypeCode>(static_cast<std::uint16_t>(code) + 1);
      if (&owner != &type_ && !is_backbone(owner)) continue;
      for (auto const& element : elements_of(owner)) {
        if (element.is_primitive() || element.type_code() == TypeCode::kResource) continue;
        Node const& content = node_of(element.type_code());
        std::string const path = std::string(path_of(owner)).append(".").append(definition_name_of(element));
        if (!is_backbone(content) || path == path_of(content)) continue;
        auto const* said = find(path_of(content));
        if (said == nullptr || said->children.empty()) continue;
        TACENDA_TRY_VOID(link(path, path_of(content)));
      }
    }
    return {};
  }

  Result<std::vector<Json>> take() && {
    std::vector<Json> elements;
    TACENDA_TRY_VOID(write(root_, elements));
    return elements;
  }

 private:
  static void rebase(Branch& branch) {
    branch.is_said = false;
    branch.is_short = false;
    branch.is_of_base = branch.definition.has_value();
    for (auto& each : branch.children) rebase(each);
  }

  bool is_backbone(Node const& node) const {
    auto const path = path_of(node);
    return path.size() > root_.path.size() && path.starts_with(root_.path) && path[root_.path.size()] == '.';
  }

  static Node const* find_type_node_of(Element const& element) {
    return element.type_code() == TypeCode::kResource ? nullptr : &node_of(element.type_code());
  }

  /// "valueQuantity" is short for the slice of that type of value[x], which then has no other type.
  Result<Branch*> slice_of_type(Branch& parent, Element const& element) {
    std::string const name = std::string(definition_name_of(element)) + "[x]";
    Branch& choice = *TACENDA_TRY(child(parent, {name, {}}));
    if (!choice.definition || (choice.is_of_base && !choice.is_said && !choice.is_short)) narrow(choice);
    auto const count = parent.children.size();
    Json* types = choice.definition->find("type");
    Json type = TACENDA_TRY(offered_type(choice, code_of_type(element)));
    if (types != nullptr && types->is_array() &&
        std::ranges::find(types->items(), type) == types->items().end())
      types->push(type);
    Branch& slice = *TACENDA_TRY(child(parent, {name, name_of(element)}));
    if (parent.children.size() == count || slice.definition) return &slice;
    slice.definition = implied(slice);
    Json only = Json::array();
    only.push(std::move(type));
    slice.definition->set("type", std::move(only));
    return &slice;
  }

  /// Takes all types from a choice; those that are named are put back.
  static void narrow(Branch& choice) {
    if (!choice.definition) choice.definition = implied(choice);
    Json const* types = choice.definition->find("type");
    choice.is_short = true;
    choice.offered = types == nullptr ? std::vector<Json>() : types->items();
    choice.definition->set("slicing", slicing_by("type", "$this", "closed"));
    choice.definition->set("type", Json::array());
  }

  /// A type of a choice with the profiles that the base asks for.
  static Result<Json> offered_type(Branch const& choice, std::string_view code) {
    for (auto const& each : choice.offered) {
      if (each.text_of("code") == code) return each;
    }
    if (!choice.offered.empty())
      return fail(ErrorKind::kInvalid, "a differential names a type that its base does not allow");
    Json type = Json::object();
    type.set("code", Json::string(code));
    return type;
  }

  /// "Quantity" of valueQuantity, "dateTime" of valueDateTime.
  static std::string code_of_type(Element const& element) {
    std::string code(name_of(element).substr(definition_name_of(element).size()));
    if (element.is_primitive()) code.front() = static_cast<char>(code.front() - 'A' + 'a');
    return code;
  }

  /// What was said of "valueQuantity" as of its slice.
  static void name_slice(Branch const& slice, Json& definition) {
    definition.set("path", Json::string(slice.path));
    definition.set("sliceName", Json::string(slice.slice));
    Json const* only = slice.definition ? slice.definition->find("type") : nullptr;
    if (definition.find("type") == nullptr && only != nullptr) definition.set("type", *only);
  }

  /// The element, or a new one.
  Result<Branch*> child(Branch& parent, Step const& step) {
    for (auto& each : parent.children) {
      if (each.name == step.name && each.slice == step.slice) return &each;
    }
    if (auto const slash = step.slice.rfind('/'); slash != std::string_view::npos) {
      TACENDA_TRY_VOID(child(parent, {step.name, step.slice.substr(0, slash)}));
    } else if (!step.slice.empty()) {
      TACENDA_TRY_VOID(child(parent, {step.name, {}}));
    }
    // A slice, and a slice of a slice, stands behind what it slices.
    auto const last =
        std::ranges::find(parent.children.rbegin(), parent.children.rend(), step.name, &Branch::name);
    auto const place = step.slice.empty() ? parent.children.end() : last.base();
    if (++count_ > kProfileElementsMax)
      return fail(ErrorKind::kTooLarge, "a StructureDefinition has too many elements");
    Branch made;
    made.path = parent.path + "." + std::string(step.name);
    made.name = step.name;
    made.slice = step.slice;
    return &*parent.children.insert(place, std::move(made));
  }

  /// Of a path without slices: into the one that was named last.
  Result<Branch*> last_child(Branch& parent, std::string_view name) {
    auto const last =
        std::ranges::find(parent.children.rbegin(), parent.children.rend(), name, &Branch::name);
    if (last != parent.children.rend()) return &*last;
    return child(parent, {name, {}});
  }

  /// The element at a path without slices; nullptr when nothing is said there.
  Branch* find(std::string_view path) {
    Branch* at = &root_;
    auto const steps = steps_of(path);
    for (std::size_t i = 1; i < steps.size() && at != nullptr; ++i) {
      auto const next = std::ranges::find(at->children, steps[i].name, &Branch::name);
      at = next == at->children.end() ? nullptr : &*next;
    }
    return at;
  }

  Result<void> link(std::string_view path, std::string_view content) {
    Branch* at = &root_;
    auto const steps = steps_of(path);
    for (std::size_t i = 1; i < steps.size(); ++i) at = TACENDA_TRY(child(*at, {steps[i].name, {}}));
    if (!at->children.empty())
      return fail(ErrorKind::kUnsupported, "a differential constrains the same content in two places");
    if (!at->definition) at->definition = implied(*at);
    at->definition->set("contentReference", Json::string("#" + std::string(content)));
    return {};
  }

  /// What the base slices itself need not be said: extensions by their url, a choice by its type.
  static Result<void> settle_slicing(Branch& sliced) {
    if (sliced.definition && sliced.definition->find("slicing") != nullptr) return {};
    bool const is_extension = sliced.name == "extension" || sliced.name == "modifierExtension";
    if (!sliced.slice.empty() || (!is_extension && !sliced.name.ends_with("[x]")))
      return fail(ErrorKind::kUnsupported, "a differential has a slice of what is not sliced");
    if (!sliced.definition) sliced.definition = implied(sliced);
    sliced.definition->set(
        "slicing", is_extension ? slicing_by("value", "url", "open") : slicing_by("type", "$this", "open"));
    return {};
  }

  /// The element that a slice is one of: that of its name, of "a/b" the slice "a".
  static Branch& sliced_by(Branch& parent, Branch const& slice) {
    auto const slash = slice.slice.rfind('/');
    auto const outer = slash == std::string::npos ? std::string() : slice.slice.substr(0, slash);
    auto const found = std::ranges::find_if(
        parent.children, [&](Branch const& each) { return each.name == slice.name && each.slice == outer; });
    return *found;  // `child` made it first
  }

  static Result<void> write(Branch& branch, std::vector<Json>& elements) {
    for (auto& each : branch.children) {
      if (!each.slice.empty()) TACENDA_TRY_VOID(settle_slicing(sliced_by(branch, each)));
    }
    elements.push_back(branch.definition ? std::move(*branch.definition) : implied(branch));
    elements.back().set("path", Json::string(branch.path));
    // Recursion: kProfileDepthMax levels at most.
    for (auto& each : branch.children) TACENDA_TRY_VOID(write(each, elements));
    return {};
  }

  static Json implied(Branch const& branch) {
    Json definition = Json::object();
    definition.set("path", Json::string(branch.path));
    if (!branch.slice.empty()) definition.set("sliceName", Json::string(branch.slice));
    return definition;
  }

  Branch root_;
  Node const& type_;
  std::size_t count_ = 0;
};

}  // namespace

Result<std::vector<Json>> elements_of_differential(std::vector<Json> const& differential, Node const& type,
                                                   std::vector<Json> const& base) {
  if (differential.size() > kProfileElementsMax || base.size() > kProfileElementsMax)
    return fail(ErrorKind::kTooLarge, "a StructureDefinition has too many elements");
  Tree tree(type);
  for (auto const& definition : base) TACENDA_TRY_VOID(tree.add(definition));
  tree.rebase();
  for (auto const& definition : differential) TACENDA_TRY_VOID(tree.add(definition));
  TACENDA_TRY_VOID(tree.link_contents());
  return std::move(tree).take();
}

}  // namespace tacenda::fhir
