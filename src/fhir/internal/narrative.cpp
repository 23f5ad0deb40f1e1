#include "fhir/internal/narrative.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tacenda::fhir {
namespace {

constexpr auto kEntities = std::to_array<std::pair<std::string_view, char>>(
    {{"&amp;", '&'}, {"&lt;", '<'}, {"&gt;", '>'}, {"&quot;", '"'}, {"&apos;", '\''}, {"&#39;", '\''}});

std::string unescape(std::string_view text) {
  std::string plain;
  while (!text.empty()) {
    auto const entity =
        std::ranges::find_if(kEntities, [&](auto const& row) { return text.starts_with(row.first); });
    bool const found = entity != kEntities.end();
    plain.push_back(found ? entity->second : text.front());
    text.remove_prefix(found ? entity->first.size() : 1);
  }
  return plain;
}

void append_escaped(std::string_view plain, std::string& out) {
  for (char const c : plain) {
    auto const entity = std::ranges::find(kEntities, c, [](auto const& row) { return row.second; });
    if (entity != kEntities.end()) {
      out.append(entity->first);
    } else {
      out.push_back(c);
    }
  }
}

/// Position behind the `mark` at or after `at`; the end of the text when there is none.
std::size_t behind(std::string_view text, std::string_view mark, std::size_t at) {
  auto const found = text.find(mark, at);
  return found == std::string_view::npos ? text.size() : found + mark.size();
}

constexpr std::string_view kBlanks = " \t\r\n";

std::size_t skip_blanks(std::string_view text, std::size_t at) {
  return std::min(text.find_first_not_of(kBlanks, at), text.size());
}

struct Attribute {
  std::string_view name;
  std::size_t begin = 0;  // of the value, without its quotes
  std::size_t end = 0;
};

/// The attribute at `at`, which is moved behind it; nullopt when there is none: the tag ends, or is broken.
std::optional<Attribute> take_attribute(std::string_view text, std::size_t& at) {
  at = skip_blanks(text, at);
  std::size_t const name_end = std::min(text.find_first_of(" \t\r\n=/>", at), text.size());
  Attribute attribute{text.substr(at, name_end - at)};
  if (attribute.name.empty()) return std::nullopt;
  std::size_t const equals = skip_blanks(text, name_end);
  if (equals >= text.size() || text[equals] != '=') return std::nullopt;
  std::size_t const quote = skip_blanks(text, equals + 1);
  if (quote >= text.size() || (text[quote] != '"' && text[quote] != '\'')) return std::nullopt;
  attribute.begin = quote + 1;
  attribute.end = text.find(text[quote], attribute.begin);
  if (attribute.end == std::string_view::npos) return std::nullopt;
  at = attribute.end + 1;
  return attribute;
}

}  // namespace

std::optional<std::string> rewrite_narrative(
    std::string_view xhtml, std::function<std::optional<std::string>(std::string_view)> const& resolve) {
  std::string out;
  std::size_t copied = 0;
  for (std::size_t at = 0; (at = xhtml.find('<', at)) != std::string_view::npos;) {
    std::string_view const tag = xhtml.substr(at);
    if (tag.starts_with("<!--")) {
      at = behind(xhtml, "-->", at + 4);
      continue;
    }
    if (tag.starts_with("<![CDATA[")) {
      at = behind(xhtml, "]]>", at);
      continue;
    }
    std::size_t const name_end = std::min(xhtml.find_first_of(" \t\r\n/>", at + 1), xhtml.size());
    std::string_view const name = xhtml.substr(at + 1, name_end - at - 1);
    std::string_view const wanted = name == "a" ? "href" : name == "img" ? "src" : "";
    at = name_end;
    while (auto const attribute = take_attribute(xhtml, at)) {
      if (wanted.empty() || attribute->name != wanted) continue;
      auto const link = unescape(xhtml.substr(attribute->begin, attribute->end - attribute->begin));
      if (link.empty() || link.starts_with('#')) continue;
      auto const place = resolve(link);
      if (!place) continue;
      out.append(xhtml.substr(copied, attribute->begin - copied));
      append_escaped(*place, out);
      copied = attribute->end;
    }
  }
  if (copied == 0) return std::nullopt;
  out.append(xhtml.substr(copied));
  return out;
}

}  // namespace tacenda::fhir
