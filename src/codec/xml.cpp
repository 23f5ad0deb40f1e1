#include "codec/xml.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <optional>
#include <vector>

#include <expat.h>

#include "codec/text.hpp"

namespace tacenda::codec {
namespace {

// Between the URI and the name of what expat tells; no character of XML, so that no document can forge it.
constexpr char kSeparator = '\f';
constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

struct FreeParser {
  void operator()(XML_Parser parser) const { XML_ParserFree(parser); }
};
using Parser = std::unique_ptr<XML_ParserStruct, FreeParser>;

bool is_utf8_name(std::string_view name) {
  return std::ranges::equal(name, std::string_view("utf-8"),
                            [](char a, char b) { return (a >= 'A' && a <= 'Z' ? a + ('a' - 'A') : a) == b; });
}

Error error_of(XML_Error code) {
  switch (code) {
    case XML_ERROR_NO_MEMORY:
      return {ErrorKind::kUnavailable, "no memory for the XML text"};
    case XML_ERROR_UNDEFINED_ENTITY:
      return {ErrorKind::kInvalid, "the XML text has an entity that is none of XML's own five"};
    case XML_ERROR_DUPLICATE_ATTRIBUTE:
      return {ErrorKind::kInvalid, "an XML element has the same attribute twice"};
    case XML_ERROR_UNBOUND_PREFIX:
      return {ErrorKind::kInvalid, "a prefix of the XML text stands for no namespace"};
    case XML_ERROR_UNKNOWN_ENCODING:
    case XML_ERROR_INCORRECT_ENCODING:
      return {ErrorKind::kInvalid, "the XML text is not UTF-8"};
    default:
      return {ErrorKind::kInvalid, "the XML text is not well-formed"};
  }
}

/// Between expat's callbacks, which are C, and XmlEvents. No exception may pass through expat: there is none
/// but bad_alloc, which ends the process.
class Scan {
 public:
  Scan(XML_Parser parser, XmlForm form, XmlLimits const& limits, XmlEvents& events)
      : parser_(parser), form_(form), limits_(limits), events_(events) {
    XML_SetUserData(parser, this);
    XML_SetElementHandler(parser, on_open, on_close);
    XML_SetCharacterDataHandler(parser, on_text);
    XML_SetXmlDeclHandler(parser, on_declaration);
    XML_SetStartDoctypeDeclHandler(parser, on_document_type);
    XML_SetProcessingInstructionHandler(parser, on_instruction);
    XML_SetStartNamespaceDeclHandler(parser, on_namespace);
  }

  Result<void> run(std::string_view text, std::size_t skipped) {
    skipped_ = skipped;
    auto const status = XML_Parse(parser_, text.data(), static_cast<int>(text.size()), XML_TRUE);
    if (error_) return std::unexpected(*error_);
    if (ended_ || status == XML_STATUS_OK) return {};
    return std::unexpected(error_of(XML_GetErrorCode(parser_)));
  }

 private:
  static Scan& of(void* self) { return *static_cast<Scan*>(self); }

  static void on_open(void* self, XML_Char const* name, XML_Char const** attributes) noexcept {
    of(self).open(name, attributes);
  }
  static void on_close(void* self, XML_Char const* /*name*/) noexcept { of(self).close(); }
  static void on_text(void* self, XML_Char const* text, int size) noexcept {
    Scan& scan = of(self);
    if (!scan.ended_ && !scan.events_.text({text, static_cast<std::size_t>(size)})) scan.end();
  }
  static void on_declaration(void* self, XML_Char const* version, XML_Char const* encoding,
                             int /*standalone*/) noexcept {
    of(self).declaration(version, encoding);
  }
  static void on_document_type(void* self, XML_Char const* /*name*/, XML_Char const* /*system*/,
                               XML_Char const* /*public_id*/, int /*internal*/) noexcept {
    of(self).refuse("the XML text has a document type");
  }
  static void on_instruction(void* self, XML_Char const* /*target*/, XML_Char const* /*data*/) noexcept {
    of(self).refuse("the XML text has a processing instruction");
  }
  static void on_namespace(void* self, XML_Char const* prefix, XML_Char const* uri) noexcept {
    Scan& scan = of(self);
    if (prefix != nullptr && ++scan.prefixes_ > scan.limits_.prefixes) {
      scan.refuse("the XML text declares too many prefixes");
    } else if (uri != nullptr && std::string_view(uri).size() > scan.limits_.namespace_bytes) {
      scan.refuse("the XML text has a namespace that is too long");
    }
  }

  void end() {
    ended_ = true;
    XML_StopParser(parser_, XML_FALSE);
  }

  void refuse(Literal text) {
    if (ended_) return;  // expat may tell one thing more
    error_ = Error(ErrorKind::kInvalid, text);
    end();
  }

  void declaration(XML_Char const* version, XML_Char const* encoding) {
    if (form_ == XmlForm::kFragment) return refuse("an XML declaration stands inside a document");
    if (version != nullptr && std::string_view(version) != "1.0")
      return refuse("the XML text is not XML 1.0");
    if (encoding != nullptr && !is_utf8_name(encoding)) refuse("the XML text is not UTF-8");
  }

  /// "uri\fname", or "name".
  static void split(std::string_view whole, std::string_view& space, std::string_view& name) {
    auto const at = whole.find(kSeparator);
    if (at == std::string_view::npos) {
      name = whole;
      return;
    }
    space = whole.substr(0, at);
    name = whole.substr(at + 1);
  }

  void open(XML_Char const* name, XML_Char const** attributes) {
    if (ended_) return;
    if (++depth_ > limits_.depth) return refuse("the XML text is too deep");
    XmlTag tag;
    tag.begin = skipped_ + static_cast<std::size_t>(XML_GetCurrentByteIndex(parser_));
    split(name, tag.space, tag.name);
    attributes_.clear();
    for (; *attributes != nullptr; attributes += 2) {
      if (attributes_.size() == limits_.attributes) return refuse("an XML element has too many attributes");
      XmlAttribute& attribute = attributes_.emplace_back();
      split(attributes[0], attribute.space, attribute.name);
      attribute.value = attributes[1];
    }
    tag.attributes = attributes_;
    if (!events_.open(tag)) end();
  }

  void close() {
    if (ended_) return;
    --depth_;
    // Of <a/> expat tells the end with its position behind it and a length of zero.
    auto const at = XML_GetCurrentByteIndex(parser_) + XML_GetCurrentByteCount(parser_);
    if (!events_.close(skipped_ + static_cast<std::size_t>(at))) end();
  }

  XML_Parser parser_;  // the caller's, as limits_ and events_: outlive this
  XmlForm form_;
  XmlLimits const& limits_;
  XmlEvents& events_;
  std::vector<XmlAttribute> attributes_;
  std::size_t depth_ = 0;
  std::size_t prefixes_ = 0;
  std::size_t skipped_ = 0;
  bool ended_ = false;
  std::optional<Error> error_;
};

}  // namespace

Result<void> scan_xml(std::string_view text, XmlForm form, XmlLimits const& limits, XmlEvents& events) {
  if (text.size() > limits.size_bytes || text.size() > std::numeric_limits<int>::max()) {
    return fail(ErrorKind::kTooLarge, "the XML text is too large");
  }
  std::size_t skipped = 0;
  if (form == XmlForm::kDocument) {
    if (text.starts_with(kByteOrderMark)) skipped = kByteOrderMark.size();
  } else if (auto const first = text.find_first_not_of(" \t\r\n");
             first == std::string_view::npos || text[first] != '<') {
    return fail(ErrorKind::kInvalid, "the XML text is not well-formed");
  }
  // Whatever encoding is asked of it, expat takes a text for UTF-16 by its first bytes.
  if (text.find('\0') != std::string_view::npos || !is_utf8(text)) {
    return fail(ErrorKind::kInvalid, "the XML text is not UTF-8");
  }
  Parser const parser(XML_ParserCreateNS("UTF-8", kSeparator));
  if (parser == nullptr) return fail(ErrorKind::kUnavailable, "no memory for the XML text");
  return Scan(parser.get(), form, limits, events).run(text.substr(skipped), skipped);
}

}  // namespace tacenda::codec
