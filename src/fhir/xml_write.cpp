#include <algorithm>
#include <vector>

#include "core/process.hpp"
#include "fhir/elements.hpp"
#include "fhir/internal/xhtml.hpp"
#include "fhir/xml.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

/// What a document says of one element: `name`, `_name`, or both.
struct Said {
  Element const* element;
  Json const* value = nullptr;
  Json const* extensions = nullptr;
};

/// Writes what StructureCheck has passed: every name is known, every value has its shape. The depth of the
/// recursion is the document's, which the check bounds.
class Writer {
 public:
  explicit Writer(std::string& out) : out_(out) {}

  void resource(Json const& json, std::string_view space) {
    std::string_view const type = json.text_of("resourceType");
    Node const* node = find_resource_node(type);
    TACENDA_ASSERT(node != nullptr);
    out_.append("<").append(type);
    if (!space.empty()) out_.append(" xmlns=\"").append(space).append("\"");
    content(*node, json, type);
  }

 private:
  /// The members by the order of the definition. Two names of one element stand beside each other.
  static std::vector<Said> in_order(Node const& node, Json const& json) {
    std::vector<Said> all;
    all.reserve(json.members().size());
    for (auto const& member : json.members()) {
      bool const sibling = member.name.starts_with('_');
      Element const* element = find_element(node, std::string_view(member.name).substr(sibling ? 1 : 0));
      if (element == nullptr) continue;  // resourceType
      all.push_back(sibling ? Said{element, nullptr, &member.value} : Said{element, &member.value, nullptr});
    }
    std::ranges::sort(all, std::ranges::less{}, &Said::element);
    std::size_t kept = 0;
    for (auto const& said : all) {
      if (kept > 0 && all[kept - 1].element == said.element) {
        if (said.value != nullptr) all[kept - 1].value = said.value;
        if (said.extensions != nullptr) all[kept - 1].extensions = said.extensions;
      } else {
        all[kept++] = said;
      }
    }
    all.resize(kept);
    return all;
  }

  static bool is_attribute(Element const& element) {
    return element.has(Element::kAttribute) && element.type_code() != TypeCode::kXhtml;
  }

  void attribute(std::string_view name, std::string_view value) {
    out_.append(" ").append(name).append("=\"");
    append_xml_text(value, out_);
    out_.append("\"");
  }

  /// What follows the name of the tag `name`: attributes, elements, the end.
  void content(Node const& node, Json const& json, std::string_view name) {
    auto const all = in_order(node, json);
    bool closed = true;
    for (auto const& said : all) {
      if (is_attribute(*said.element))
        attribute(name_of(*said.element), said.value->as_string());
      else
        closed = false;
    }
    if (closed) {
      out_.append("/>");
      return;
    }
    out_.push_back('>');
    for (auto const& said : all) {
      if (!is_attribute(*said.element)) element(said);
    }
    out_.append("</").append(name).append(">");
  }

  void element(Said const& said) {
    if (!said.element->has(Element::kRepeats)) return item(*said.element, said.value, said.extensions);
    std::size_t const values = said.value == nullptr ? 0 : said.value->items().size();
    std::size_t const extensions = said.extensions == nullptr ? 0 : said.extensions->items().size();
    for (std::size_t i = 0; i < std::max(values, extensions); ++i) {
      item(*said.element, i < values ? &said.value->items()[i] : nullptr,
           i < extensions ? &said.extensions->items()[i] : nullptr);
    }
  }

  void item(Element const& element, Json const* value, Json const* extensions) {
    std::string_view const name = name_of(element);
    if (element.type_code() == TypeCode::kXhtml) return narrative(value->as_string());
    out_.append("<").append(name);
    if (element.is_primitive()) {
      primitive(name, value, extensions);
    } else if (element.type_code() == TypeCode::kResource) {
      out_.push_back('>');
      resource(*value, {});
      out_.append("</").append(name).append(">");
    } else {
      content(node_of(element.type_code()), *value, name);
    }
  }

  void primitive(std::string_view name, Json const* value, Json const* extensions) {
    if (value != nullptr && !value->is_null()) {
      attribute("value", value->is_string()    ? value->as_string()
                         : value->is_boolean() ? (value->as_boolean() ? "true" : "false")
                                               : value->number_text());
    }
    static Json const nothing = Json::object();
    bool const extended = extensions != nullptr && extensions->is_object();
    content(node_of(TypeCode::kElement), extended ? *extensions : nothing, name);
  }

  /// The text came from outside, perhaps in JSON, where nobody has read it as XML: written unseen it could
  /// end the narrative and go on as elements of the record.
  void narrative(std::string_view text) {
    if (is_narrative(text)) {
      out_.append(text);
      return;
    }
    out_.append("<div xmlns=\"").append(kXhtmlSpace).append("\">");
    append_xml_text(text, out_);
    out_.append("</div>");
  }

  std::string& out_;  // the caller's, outlives this
};

}  // namespace

std::string write_xml(Resource const& resource) {
  std::string out(R"(<?xml version="1.0" encoding="UTF-8"?>)");  // xml.html: "optional but recommended"
  Writer(out).resource(resource.json(), kFhirSpace);
  return out;
}

}  // namespace tacenda::fhir
