#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "core/error.hpp"
#include "core/limits.hpp"

namespace tacenda::codec {

struct XmlAttribute {
  std::string_view space;  // URI of its namespace; empty: none
  std::string_view name;   // without its prefix
  std::string_view value;  // references resolved, normalised as XML 1.0 section 3.3.3 says
};

struct XmlTag {
  std::string_view space;
  std::string_view name;
  std::span<XmlAttribute const> attributes;  // in document order; no declarations of namespaces
  std::size_t begin = 0;                     // of its '<' in the text
};

/// Hears what a text holds, in document order. Views live for the call. False ends the reading.
class XmlEvents {
 public:
  virtual ~XmlEvents() = default;
  virtual bool open(XmlTag const& tag) = 0;
  /// Of one run of characters there may be several calls. CDATA is text.
  virtual bool text(std::string_view text) = 0;
  /// `end` is the position behind the element.
  virtual bool close(std::size_t end) = 0;
};

enum class XmlForm : std::uint8_t {
  kDocument,  // a byte-order mark and an XML declaration may stand first
  kFragment,  // one element that can be put into another document as it stands
};

struct XmlLimits {
  std::size_t depth = limits::kXmlDepth;
  std::size_t size_bytes = limits::kBundleBodyBytes;
  std::size_t attributes = 256;       // of one element
  std::size_t namespace_bytes = 256;  // of one URI: a long one would be copied for each prefixed name
  std::size_t prefixes = 100'000;     // declarations of prefixes in the whole text; each is kept to its end
};

/// Reads one well-formed text of XML 1.0 with namespaces in UTF-8. Comments are passed over. Refused are what
/// a record never needs and an attack does: a document type (and so every entity but XML's five), processing
/// instructions, another encoding.
/// Errors: kInvalid (not well-formed, refused, depth, attributes, namespaces, prefixes), kTooLarge (size),
/// kUnavailable (no memory). When `events` ended the reading: none. Source: XML 1.0 (5th edition), Namespaces
/// in XML 1.0.
Result<void> scan_xml(std::string_view text, XmlForm form, XmlLimits const& limits, XmlEvents& events);

}  // namespace tacenda::codec
