#include "fhir/internal/xhtml.hpp"

#include "codec/xml.hpp"
#include "core/limits.hpp"

namespace tacenda::fhir {
namespace {

class NarrativeCheck final : public codec::XmlEvents {
 public:
  bool open(codec::XmlTag const& tag) override {
    fits_ = tag.space == kXhtmlSpace && (!first_ || tag.name == "div");
    first_ = false;
    return fits_;
  }
  bool text(std::string_view /*text*/) override { return true; }
  bool close(std::size_t /*end*/) override { return true; }

  bool fits() const { return fits_; }

 private:
  bool first_ = true;
  bool fits_ = false;
};

/// Length of the piece that cannot stand for itself at the start of `text`, and what stands in its place; 0
/// when it can.
std::size_t replaced(std::string_view text, std::string_view& by) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  switch (text.front()) {
    case '&':
      by = "&amp;";
      return 1;
    case '<':
      by = "&lt;";
      return 1;
    case '>':
      by = "&gt;";
      return 1;
    case '"':
      by = "&quot;";
      return 1;
    // A reader makes white space of an attribute into a blank, and the end of a line into \n.
    case '\t':
      by = "&#9;";
      return 1;
    case '\n':
      by = "&#10;";
      return 1;
    case '\r':
      by = "&#13;";
      return 1;
    case '\xEF':
      by = kReplacement;
      return text.starts_with("\xEF\xBF\xBE") || text.starts_with("\xEF\xBF\xBF") ? 3 : 0;
    default:
      by = kReplacement;
      return static_cast<unsigned char>(text.front()) < 0x20 ? 1 : 0;
  }
}

}  // namespace

bool is_narrative(std::string_view text) {
  NarrativeCheck check;
  return scan_xml(text, codec::XmlForm::kFragment, {.depth = limits::kNarrativeDepth}, check).has_value() &&
         check.fits();
}

void append_xml_text(std::string_view text, std::string& out) {
  std::size_t copied = 0;
  for (std::size_t at = 0; at < text.size();) {
    std::string_view by;
    std::size_t const size = replaced(text.substr(at), by);
    if (size == 0) {
      ++at;
      continue;
    }
    out.append(text.substr(copied, at - copied)).append(by);
    at += size;
    copied = at;
  }
  out.append(text.substr(copied));
}

}  // namespace tacenda::fhir
