#include "api/internal/format.hpp"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "api/internal/exchange.hpp"
#include "api/outcome.hpp"
#include "codec/field_text.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "core/log.hpp"
#include "fhir/resource.hpp"
#include "fhir/xml.hpp"

namespace tacenda::api {
namespace {

using fhir::Format;

constexpr auto kNames = std::to_array<std::pair<std::string_view, Format>>({
    {"application/fhir+json", Format::kJson},
    {"application/json", Format::kJson},
    {"text/json", Format::kJson},
    {"json", Format::kJson},
    {"application/fhir+xml", Format::kXml},
    {"application/xml", Format::kXml},
    {"text/xml", Format::kXml},
    {"xml", Format::kXml},
});

constexpr std::string_view kJsonContentType = "application/fhir+json; charset=utf-8";
constexpr std::string_view kXmlContentType = "application/fhir+xml; charset=utf-8";

using codec::equal_ignoring_case;
using codec::trim;

/// The piece before `mark`, which is cut off `rest` with it.
std::string_view take_until(std::string_view& rest, char mark) {
  auto const at = rest.find(mark);
  auto const piece = rest.substr(0, at);
  rest.remove_prefix(at == std::string_view::npos ? rest.size() : at + 1);
  return trim(piece);
}

/// The value of a parameter of "a=1; b=2", without its quotes; empty when it is not there.
std::string_view parameter_of(std::string_view parameters, std::string_view name) {
  while (!parameters.empty()) {
    auto value = take_until(parameters, ';');
    if (!equal_ignoring_case(take_until(value, '='), name)) continue;
    value = trim(value);
    if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
    return value;
  }
  return {};
}

std::optional<Format> format_named(std::string_view name) {
  for (auto const& [known, format] : kNames) {
    if (equal_ignoring_case(name, known)) return format;
  }
  return std::nullopt;
}

/// "0.8" in thousandths; 1000 when there is none, and 0 when it is no qvalue.
unsigned quality_of(std::string_view parameters) {
  auto const text = parameter_of(parameters, "q");
  if (text.empty()) return 1000;
  if (text.size() > 5 || (text.size() > 1 && text[1] != '.')) return 0;
  unsigned value = 0;
  for (std::size_t i = 0, weight = 1000; i < text.size(); ++i) {
    if (i == 1) continue;
    if (text[i] < '0' || text[i] > '9') return 0;
    value += static_cast<unsigned>(text[i] - '0') * static_cast<unsigned>(weight);
    weight /= 10;
  }
  return std::min(value, 1000U);
}

/// What Accept says of one format: the most specific range decides (RFC 9110 section 12.5.1).
struct Wanted {
  unsigned specificity = 0;  // 0: not named, 1: */*, 2: application/* or text/*, 3: by its name
  unsigned quality = 0;
  std::size_t place = 0;

  void consider(unsigned by_specificity, unsigned by_quality, std::size_t at) {
    bool const better = by_specificity == specificity && by_quality > quality;
    if (by_specificity > specificity || better) *this = {by_specificity, by_quality, at};
  }
  /// Of two that are wanted alike, the one that was named, and first.
  bool is_before(Wanted const& other) const {
    if (quality != other.quality) return quality > other.quality;
    if (specificity != other.specificity) return specificity > other.specificity;
    return place < other.place;
  }
};

std::optional<Format> accepted(net::Request const& request) {
  Wanted json;
  Wanted xml;
  std::size_t place = 0;
  for (auto const& field : request.headers) {
    if (field.name != "accept") continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      auto parameters = take_until(rest, ',');
      if (parameters.empty()) continue;
      ++place;
      auto const type = take_until(parameters, ';');
      auto const quality = quality_of(parameters);
      auto const named = format_named(type);
      unsigned const wildcard = type == "*/*" ? 1 : type == "application/*" || type == "text/*" ? 2 : 0;
      if (wildcard > 0) {
        json.consider(wildcard, quality, place);
        xml.consider(wildcard, quality, place);
      } else if (named) {
        (*named == Format::kJson ? json : xml).consider(3, quality, place);
      }
    }
  }
  if (place == 0) return Format::kJson;
  if (json.quality == 0 && xml.quality == 0) return std::nullopt;
  return xml.is_before(json) ? Format::kXml : Format::kJson;
}

/// The parameter _format of a query or a form. A '+' that a client forgot to escape has become a blank.
std::optional<std::string> format_parameter_in(std::string_view text) {
  if (!text.contains("_format")) return std::nullopt;
  auto const query = codec::parse_query(text);
  if (!query.has_value()) return std::nullopt;
  for (auto const& [name, value] : *query) {
    if (name != "_format") continue;
    std::string asked = value;
    std::ranges::replace(asked, ' ', '+');
    return asked;
  }
  return std::nullopt;
}

/// "In the case of POST, the parameters can be in the URL or in the body" (R4 http.html#search).
std::optional<std::string> format_parameter(net::Request const& request) {
  auto asked = format_parameter_in(request.query);
  if (!asked && request.method == "POST" && sends_form(request)) asked = format_parameter_in(request.body);
  return asked;
}

Result<std::string> xml_of(std::string_view text) {
  // Resources of the depth that is allowed stand inside the entries of a Bundle, and that in one of a batch.
  constexpr std::size_t kBundleDepth = 16;
  auto const resource = TACENDA_TRY(fhir::Resource::parse(
      TACENDA_TRY(codec::parse_json(text, {.depth = limits::kJsonDepth + kBundleDepth}))));
  return fhir::write_xml(resource);
}

/// What was done is done and recorded; only its answer is refused.
void refuse_answer(Error const& error, net::Response& response) {
  Error const told = error.kind() == ErrorKind::kTooLarge
                         ? Error(ErrorKind::kTooLarge,
                                 "the request is done, but the answer is too large to be written in XML: ask "
                                 "for less at once, or for JSON")
                         : Error(ErrorKind::kBug, "an answer is no resource of R4");
  response.status = told.kind() == ErrorKind::kTooLarge ? 406 : status_of(told);
  response.headers.clear();
  response.headers.push_back({"content-type", std::string(kXmlContentType)});
  response.body = *xml_of(outcome_json(told));
  if (told.kind() == ErrorKind::kBug) log(LogLevel::kError, told);
}

}  // namespace

std::optional<Format> answer_format_of(net::Request const& request) {
  auto const asked = format_parameter(request);
  if (!asked) return accepted(request);
  std::string_view rest = *asked;
  return format_named(take_until(rest, ';'));
}

std::optional<Format> body_format_of(net::Request const& request) {
  auto const field = request.header("content-type");
  if (!field) return std::nullopt;
  std::string_view parameters = *field;
  auto const type = take_until(parameters, ';');
  auto const charset = parameter_of(parameters, "charset");
  if (!type.contains('/') || (!charset.empty() && !equal_ignoring_case(charset, "utf-8")))
    return std::nullopt;
  return format_named(type);
}

std::string format_parameter_of(net::Request const& request) {
  auto const format = format_parameter(request) ? answer_format_of(request) : std::nullopt;
  if (!format) return {};
  return *format == Format::kXml ? "&_format=xml" : "&_format=json";
}

void put_into(Format format, net::Response& response) {
  if (format == Format::kJson) return;
  auto const field = std::ranges::find(response.headers, "content-type", &net::Header::name);
  if (field == response.headers.end() || field->value != kJsonContentType) return;
  if (!response.body.empty()) {
    auto xml = xml_of(response.body);
    if (!xml.has_value()) return refuse_answer(xml.error(), response);
    response.body = std::move(*xml);
  }
  field->value = kXmlContentType;
}

}  // namespace tacenda::api
