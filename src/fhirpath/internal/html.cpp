#include "fhirpath/internal/html.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <vector>

namespace tacenda::fhirpath {
namespace {

// R4 narrative.html: chapters 7 to 11 (but section 4 of chapter 9) and 15 of HTML 4.0, <a>, <img>, style.
constexpr std::array<std::string_view, 53> kElements{
    "a",       "abbr",  "acronym", "address", "b",        "bdo",    "big",    "blockquote", "br",
    "caption", "cite",  "code",    "col",     "colgroup", "dd",     "del",    "dfn",        "div",
    "dl",      "dt",    "em",      "h1",      "h2",       "h3",     "h4",     "h5",         "h6",
    "hr",      "i",     "img",     "ins",     "kbd",      "li",     "ol",     "p",          "pre",
    "q",       "s",     "samp",    "small",   "span",     "strike", "strong", "sub",        "sup",
    "table",   "tbody", "td",      "tfoot",   "th",       "thead",  "tr",     "tt"};
constexpr std::array<std::string_view, 3> kMoreElements{"u", "ul", "var"};
constexpr std::array<std::string_view, 45> kAttributes{
    "abbr",        "accesskey",   "align",      "alt",      "axis",    "bgcolor",  "border", "cellhalign",
    "cellpadding", "cellspacing", "cellvalign", "char",     "charoff", "charset",  "cite",   "class",
    "color",       "cols",        "colspan",    "compact",  "coords",  "datetime", "dir",    "frame",
    "headers",     "height",      "href",       "hreflang", "hspace",  "id",       "lang",   "longdesc",
    "name",        "noshade",     "nowrap",     "rel",      "rev",     "rowspan",  "rules",  "scope",
    "shape",       "size",        "span",       "src",      "start"};
constexpr std::array<std::string_view, 11> kMoreAttributes{"style", "summary",  "tabindex", "title",
                                                           "type",  "valign",   "value",    "vspace",
                                                           "width", "xml:lang", "xmlns"};
constexpr std::size_t kDepthMax = 256;

template <std::size_t N>
bool is_one_of(std::array<std::string_view, N> const& names, std::string_view name) {
  return std::ranges::find(names, name) != names.end();
}

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ':' || c == '-' ||
         c == '_' || c == '.';
}

/// Reads one element with all within it.
class Checker {
 public:
  explicit Checker(std::string_view text) : rest_(text) {}

  bool run() {
    skip_blanks();
    if (!rest_.starts_with("<div")) return false;
    do {
      if (!next()) return false;
    } while (!open_.empty());
    skip_blanks();
    return rest_.empty() && has_content_;
  }

 private:
  bool next() {
    if (rest_.empty()) return false;
    if (rest_.starts_with("<!--")) return skip_to("-->");
    if (rest_.starts_with("<![CDATA[")) return skip_to("]]>");
    if (rest_.starts_with("</")) return close();
    if (rest_.starts_with('<')) return open();
    return text();
  }

  bool skip_to(std::string_view mark) {
    std::size_t const at = rest_.find(mark);
    if (at == std::string_view::npos) return false;
    rest_.remove_prefix(at + mark.size());
    return true;
  }

  bool text() {
    std::size_t const end = std::min(rest_.find('<'), rest_.size());
    std::string_view const part = rest_.substr(0, end);
    has_content_ = has_content_ || !std::ranges::all_of(part, is_blank);
    rest_.remove_prefix(end);
    return are_references(part);
  }

  /// Every & begins a reference.
  static bool are_references(std::string_view part) {
    for (std::size_t at = part.find('&'); at != std::string_view::npos; at = part.find('&', at + 1)) {
      std::size_t const end = part.substr(0, at + 40).find(';', at);
      if (end == std::string_view::npos || end == at + 1) return false;
    }
    return true;
  }

  std::string_view name() {
    auto const end = std::ranges::find_if_not(rest_, is_name_character);
    auto const taken = rest_.substr(0, static_cast<std::size_t>(end - rest_.begin()));
    rest_.remove_prefix(taken.size());
    return taken;
  }

  void skip_blanks() {
    while (!rest_.empty() && is_blank(rest_.front())) rest_.remove_prefix(1);
  }

  bool take(std::string_view mark) {
    if (!rest_.starts_with(mark)) return false;
    rest_.remove_prefix(mark.size());
    return true;
  }

  bool open() {
    rest_.remove_prefix(1);
    std::string_view const element = name();
    if (!is_one_of(kElements, element) && !is_one_of(kMoreElements, element)) return false;
    has_content_ = has_content_ || element == "img";
    for (;;) {
      skip_blanks();
      if (take("/>")) return true;
      if (take(">")) break;
      if (!attribute()) return false;
    }
    if (open_.size() >= kDepthMax) return false;
    open_.push_back(element);
    return true;
  }

  bool attribute() {
    std::string_view const attribute_name = name();
    if (!is_one_of(kAttributes, attribute_name) && !is_one_of(kMoreAttributes, attribute_name)) return false;
    skip_blanks();
    if (!take("=")) return false;
    skip_blanks();
    if (rest_.empty() || (rest_.front() != '"' && rest_.front() != '\'')) return false;
    std::size_t const end = rest_.find(rest_.front(), 1);
    if (end == std::string_view::npos) return false;
    std::string_view const value = rest_.substr(1, end - 1);
    rest_.remove_prefix(end + 1);
    return !value.contains('<') && are_references(value);
  }

  bool close() {
    rest_.remove_prefix(2);
    std::string_view const element = name();
    skip_blanks();
    if (open_.empty() || open_.back() != element || !take(">")) return false;
    open_.pop_back();
    return true;
  }

  std::string_view rest_;
  std::vector<std::string_view> open_;
  bool has_content_ = false;
};

}  // namespace

bool is_narrative(std::string_view xhtml) {
  return Checker(xhtml).run();
}

}  // namespace tacenda::fhirpath
