#include <algorithm>
#include <utility>
#include <vector>

#include "codec/xml.hpp"
#include "fhir/elements.hpp"
#include "fhir/internal/xhtml.hpp"
#include "fhir/xml.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using codec::XmlAttribute;
using codec::XmlTag;

constexpr std::string_view kInstanceSpace = "http://www.w3.org/2001/XMLSchema-instance";

bool is_attribute(Element const& element) {
  return element.has(Element::kAttribute) && element.type_code() != TypeCode::kXhtml;
}

/// The value of a primitive as JSON; what has not the form of its type stays a text, which StructureCheck
/// then refuses with its path.
Json value_of(TypeCode type, std::string_view text) {
  switch (type) {
    case TypeCode::kBoolean:
      if (text == "true" || text == "false") return Json::boolean(text == "true");
      break;
    case TypeCode::kDecimal:
    case TypeCode::kInteger:
    case TypeCode::kUnsignedInt:
    case TypeCode::kPositiveInt:
      if (auto number = Json::number_text(text); number.has_value()) return std::move(*number);
      break;
    default:
      break;
  }
  return Json::string(text);
}

/// The items of one element that were read so far: repeated elements stand side by side.
struct Run {
  Element const* element = nullptr;
  std::vector<Json> values;
  std::vector<Json> extensions;  // as long as `values`; null where there are none
  bool has_value = false;
  bool has_extensions = false;
};

/// One open element.
struct Frame {
  Element const* element = nullptr;  // nullptr: a resource
  Node const* node = nullptr;        // what may stand in it; nullptr: one resource
  Element const* last = nullptr;     // the child that stood last
  std::size_t index = 0;             // among the items of its run
  std::size_t json_depth = 1;        // objects and arrays around the value, and the object that it is
  Json value;                        // of a primitive, or the resource that it wraps
  Json object = Json::object();
  Run run;
  bool has_text = false;  // and was told so

  bool is_wrapper() const { return node == nullptr; }

  bool is_primitive() const { return element != nullptr && element->is_primitive(); }
  /// The depth of what stands in it: the extensions of a primitive are in an object beside it.
  std::size_t inner_depth() const { return json_depth + (is_primitive() ? 1 : 0); }
  bool is_empty() const {
    return (is_wrapper() || is_primitive()) && value.is_null() && object.members().empty() &&
           run.element == nullptr;
  }

  /// Puts the run's members into the object.
  void flush() {
    if (run.element == nullptr) return;
    std::string const name(name_of(*run.element));
    bool const repeats = run.element->has(Element::kRepeats);
    auto const put = [&](std::string member, std::vector<Json>& items) {
      Json whole = repeats ? Json::array() : std::move(items.front());
      if (repeats) whole.items() = std::move(items);
      object.members().push_back({std::move(member), std::move(whole)});
    };
    if (run.has_value) put(name, run.values);
    if (run.has_extensions) put("_" + name, run.extensions);
    run = Run();
  }

  void take(Element const& child, Json plain, Json extensions) {
    if (run.element != &child) {
      flush();
      run.element = &child;
    }
    run.has_value = run.has_value || !plain.is_null();
    run.has_extensions = run.has_extensions || !extensions.is_null();
    run.values.push_back(std::move(plain));
    run.extensions.push_back(std::move(extensions));
  }
};

class Reader final : public codec::XmlEvents {
 public:
  Reader(std::string_view text, std::size_t size_bytes_max) : text_(text), size_bytes_max_(size_bytes_max) {}

  bool open(XmlTag const& tag) override {
    if (narrative_depth_ > 0) {
      open_in_narrative(tag);
    } else if (passed_over_ > 0) {
      ++passed_over_;
    } else {
      open_element(tag);
    }
    return !issues_.full() && !over_limit_;
  }

  bool text(std::string_view text) override {
    if (narrative_depth_ > 0 || passed_over_ > 0) return true;
    bool const blank =
        std::ranges::all_of(text, [](char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; });
    // Of one text expat makes several; one report is enough.
    if (!blank && !std::exchange(frames_.back().has_text, true)) {
      add("text stands between the elements: a value is an attribute");
    }
    return !issues_.full() && !over_limit_;
  }

  bool close(std::size_t end) override {
    if (passed_over_ > 0) {
      --passed_over_;
    } else if (narrative_depth_ > 0) {
      if (--narrative_depth_ == 0) close_narrative(end);
    } else {
      close_element();
    }
    return !issues_.full() && !over_limit_;
  }

  /// What has been read, when the scan went well.
  Checked<Json> finish(Result<void> const& scanned) && {
    if (!scanned.has_value()) issues_.add(scanned.error(), path());
    if (!issues_.empty()) return std::unexpected(std::move(issues_));
    return std::move(root_);
  }

 private:
  /// "Patient.contained[0].name[1]"
  std::string path() const {
    std::string path;
    for (auto const& frame : frames_) {
      if (frame.element == nullptr) {
        if (path.empty()) path = path_of(*frame.node);
        continue;
      }
      path.append(".").append(definition_name_of(*frame.element));
      if (frame.element->has(Element::kRepeats)) {
        path.append("[").append(std::to_string(frame.index)).append("]");
      }
    }
    return path;
  }

  void add(Literal text, IssueKind kind = IssueKind::kStructure) { issues_.add(kind, text, path()); }

  void pass_over(Literal why) {
    add(why);
    passed_over_ = 1;
  }

  void open_element(XmlTag const& tag) {
    if (frames_.empty() || frames_.back().is_wrapper()) return open_resource(tag);
    Frame& parent = frames_.back();
    Element const* element = find_element(*parent.node, tag.name);
    bool const narrative = element != nullptr && element->type_code() == TypeCode::kXhtml;
    if (tag.space != (narrative ? kXhtmlSpace : kFhirSpace)) {
      return pass_over("an element is not in the namespace of its definition");
    }
    if (element == nullptr || is_attribute(*element)) return pass_over("an element is not one of this type");
    if (!follows(parent, *element)) return;
    if (narrative) {
      narrative_ = element;
      narrative_begin_ = tag.begin;
      narrative_depth_ = 1;
      return;
    }
    Frame frame;
    frame.element = element;
    frame.index = parent.run.element == element ? parent.run.values.size() : 0;
    frame.json_depth = parent.inner_depth() + (element->has(Element::kRepeats) ? 1 : 0);
    if (element->is_primitive()) {
      frame.node = &node_of(TypeCode::kElement);
    } else if (element->type_code() != TypeCode::kResource) {
      frame.node = &node_of(element->type_code());
      ++frame.json_depth;
    }
    enter(std::move(frame), tag);
  }

  /// xml.html: "Elements must always appear in the order documented". So whatever is repeated stands side by
  /// side.
  bool follows(Frame const& parent, Element const& element) {
    Element const* last = parent.last;
    if (last == nullptr || element.slot > last->slot) return true;
    if (&element == last && element.has(Element::kRepeats)) return true;
    if (&element == last) {
      pass_over("an element that stands once is repeated");
    } else if (element.slot == last->slot) {
      pass_over("an element has two types at once");
    } else {
      pass_over("an element is out of the order of its definition");
    }
    return false;
  }

  void open_resource(XmlTag const& tag) {
    bool const root = frames_.empty();
    Node const* node = find_resource_node(tag.name);
    if (tag.space != kFhirSpace) return pass_over("a resource is not in the namespace of FHIR");
    if (node == nullptr) return pass_over("an element names no resource type of FHIR R4");
    if (!root && !frames_.back().value.is_null()) {
      return pass_over("an element holds more than one resource");
    }
    Frame frame;
    frame.node = node;
    frame.json_depth = root ? 1 : frames_.back().json_depth + 1;
    frame.object.members().push_back({"resourceType", Json::string(tag.name)});
    enter(std::move(frame), tag);
  }

  void enter(Frame frame, XmlTag const& tag) {
    if (!frames_.empty()) frames_.back().last = frame.element;
    bool const root = frames_.empty();
    frames_.push_back(std::move(frame));
    Frame& own = frames_.back();
    if (own.json_depth > limits::kJsonDepth) return refuse_depth();
    for (auto const& attribute : tag.attributes) read_attribute(own, attribute, root);
  }

  /// As deep a document could be read back from XML and not from JSON, which is what is kept.
  void refuse_depth() {
    over_limit_ = true;
    add("the document is too deep");
  }

  /// Counts a text as it will stand in JSON, where its quotes and line ends are two bytes: the document must
  /// not be too large there either. Its names are about as long in both.
  bool fits(std::string_view text) {
    auto const escaped = std::ranges::count_if(
        text, [](char c) { return c == '"' || c == '\\' || static_cast<unsigned char>(c) < 0x20; });
    json_bytes_ += text.size() + static_cast<std::size_t>(escaped);
    if (text.size() <= limits::kJsonStringBytes && json_bytes_ <= size_bytes_max_) return true;
    over_limit_ = true;
    add("the document is too large", IssueKind::kTooLong);
    return false;
  }

  void read_attribute(Frame& frame, XmlAttribute const& attribute, bool root) {
    if (root && attribute.space == kInstanceSpace && attribute.name == "schemaLocation") return;
    if (!fits(attribute.value)) return;
    if (attribute.space.empty() && frame.is_primitive() && attribute.name == "value") {
      frame.value = value_of(frame.element->type_code(), attribute.value);
      return;
    }
    Element const* element = frame.is_wrapper() ? nullptr : find_element(*frame.node, attribute.name);
    if (!attribute.space.empty() || element == nullptr || !is_attribute(*element)) {
      return add("an attribute is not one of this type");
    }
    if (frame.inner_depth() > limits::kJsonDepth) return refuse_depth();
    frame.object.members().push_back({std::string(attribute.name), Json::string(attribute.value)});
  }

  void close_element() {
    Frame& closing = frames_.back();
    if (closing.is_empty()) {
      add(closing.is_wrapper() ? Literal("an element holds no resource")
                               : Literal("an element has neither a value nor extensions"));
    }
    closing.flush();
    Frame frame = std::move(closing);
    frames_.pop_back();
    if (frames_.empty()) {
      root_ = std::move(frame.object);
      return;
    }
    Frame& parent = frames_.back();
    if (frame.element == nullptr) {
      parent.value = std::move(frame.object);
      return;
    }
    bool const empty = frame.object.members().empty();
    if (frame.is_wrapper() || frame.is_primitive()) {
      parent.take(*frame.element, std::move(frame.value), empty ? Json() : std::move(frame.object));
    } else {
      parent.take(*frame.element, std::move(frame.object), Json());
    }
  }

  void open_in_narrative(XmlTag const& tag) {
    ++narrative_depth_;
    if (tag.space != kXhtmlSpace) add("a narrative has an element that is none of XHTML");
  }

  /// In JSON the div stands alone: it must say its namespace itself.
  void close_narrative(std::size_t end) {
    std::string_view const raw = text_.substr(narrative_begin_, end - narrative_begin_);
    Frame& parent = frames_.back();
    parent.last = narrative_;
    if (!fits(raw)) return;
    if (is_narrative(raw)) return parent.take(*narrative_, Json::string(raw), Json());
    constexpr std::string_view kStart = "<div";
    if (raw.starts_with(kStart)) {
      std::string own = "<div xmlns=\"";
      own.append(kXhtmlSpace).append("\"").append(raw.substr(kStart.size()));
      if (is_narrative(own)) return parent.take(*narrative_, Json::string(own), Json());
    }
    add("a narrative is too deep, or its div does not declare XHTML as its default namespace");
  }

  std::string_view text_;  // the caller's, outlives this
  std::size_t size_bytes_max_;
  std::vector<Frame> frames_;
  Issues issues_;
  Json root_;
  std::size_t passed_over_ = 0;  // open elements below and with one that was refused
  Element const* narrative_ = nullptr;
  std::size_t narrative_begin_ = 0;
  std::size_t narrative_depth_ = 0;
  std::size_t json_bytes_ = 0;
  bool over_limit_ = false;
};

}  // namespace

Checked<Json> read_xml(std::string_view text, std::size_t size_bytes_max) {
  Reader reader(text, size_bytes_max);
  auto const scanned =
      codec::scan_xml(text, codec::XmlForm::kDocument, {.size_bytes = size_bytes_max}, reader);
  return std::move(reader).finish(scanned);
}

}  // namespace tacenda::fhir
