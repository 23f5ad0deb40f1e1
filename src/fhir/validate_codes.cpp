#include "fhir/validate_codes.hpp"

#include <algorithm>

#include "fhir/generated/rule_tables.hpp"

namespace tacenda::fhir {
namespace {

using generated::kValueSetTables;

std::string_view text_of(std::uint16_t number) {
  std::size_t const start = kValueSetTables.text_starts[number];
  return {kValueSetTables.text + start, kValueSetTables.text_starts[number + std::size_t{1}] - start};
}

bool is_alphanumeric(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/// RFC 5646 section 2.1, as far as a grammar goes that knows no registry: subtags of 1 to 8 letters and
/// digits, the first of letters.
bool is_language_tag(std::string_view text) {
  bool first = true;
  for (;; first = false) {
    auto const end = std::min(text.find('-'), text.size());
    auto const subtag = text.substr(0, end);
    if (subtag.empty() || subtag.size() > 8 || !std::ranges::all_of(subtag, is_alphanumeric)) return false;
    if (first && std::ranges::any_of(subtag, [](char c) { return c >= '0' && c <= '9'; })) return false;
    if (end == text.size()) return true;
    text.remove_prefix(end + 1);
  }
}

bool is_restricted_name(std::string_view text) {
  constexpr std::string_view kOthers = "!#$&-^_.+";
  return !text.empty() && text.size() <= 127 && is_alphanumeric(text.front()) &&
         std::ranges::all_of(text, [&](char c) { return is_alphanumeric(c) || kOthers.contains(c); });
}

/// RFC 6838 section 4.2; what is behind a semicolon is the type's own.
bool is_media_type(std::string_view text) {
  text = text.substr(0, text.find(';'));
  auto const slash = text.find('/');
  return slash != std::string_view::npos && is_restricted_name(text.substr(0, slash)) &&
         is_restricted_name(text.substr(slash + 1));
}

/// Short for the media types of FHIR: CapabilityStatement.format, TestScript.setup.action.operation.accept.
bool is_format_name(std::string_view text) {
  return text == "xml" || text == "json" || text == "ttl";
}

Membership judged(bool is_member) {
  return is_member ? Membership::kIn : Membership::kOut;
}

Membership judge_by_grammar(std::string_view url, BoundCode const& code) {
  if (url == "http://hl7.org/fhir/ValueSet/all-languages") {
    return judged(code.system.value_or("urn:ietf:bcp:47") == "urn:ietf:bcp:47" && is_language_tag(code.code));
  }
  if (url == "http://hl7.org/fhir/ValueSet/mimetypes" || url == "http://www.rfc-editor.org/bcp/bcp13.txt") {
    return judged(code.system.value_or("urn:ietf:bcp:13") == "urn:ietf:bcp:13" &&
                  (is_media_type(code.code) || is_format_name(code.code)));
  }
  return Membership::kUnknown;
}

}  // namespace

std::string_view without_version(std::string_view canonical) {
  return canonical.substr(0, canonical.find('|'));
}

std::string_view base_value_set_url(std::uint16_t number) {
  return text_of(kValueSetTables.value_sets[number].url);
}

std::optional<std::uint16_t> find_base_value_set(std::string_view url) {
  url = without_version(url);
  auto const sets = kValueSetTables.value_sets;
  auto const at = std::ranges::lower_bound(
      sets, url, {}, [](generated::ValueSetRow const& row) { return text_of(row.url); });
  if (at == sets.end() || text_of(at->url) != url) return std::nullopt;
  return static_cast<std::uint16_t>(at - sets.begin());
}

Membership base_membership(std::uint16_t number, BoundCode const& code) {
  auto const& row = kValueSetTables.value_sets[number];
  if (row.code_count == 0) return judge_by_grammar(text_of(row.url), code);
  auto const codes = kValueSetTables.codes.subspan(row.first_code, row.code_count);
  auto const found = std::ranges::equal_range(
      codes, code.code, {}, [](generated::CodeRow const& each) { return text_of(each.code); });
  return judged(std::ranges::any_of(found, [&](generated::CodeRow const& each) {
    return !code.system.has_value() || text_of(each.system) == *code.system;
  }));
}

std::vector<BoundCode> base_codes(std::uint16_t number) {
  auto const& row = kValueSetTables.value_sets[number];
  std::vector<BoundCode> codes;
  for (auto const& each : kValueSetTables.codes.subspan(row.first_code, row.code_count)) {
    codes.push_back({text_of(each.system), text_of(each.code)});
  }
  return codes;
}

}  // namespace tacenda::fhir
