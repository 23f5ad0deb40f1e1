#include "api/internal/binary.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "api/internal/format.hpp"
#include "api/internal/render.hpp"
#include "codec/field_text.hpp"
#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"

namespace tacenda::api {
namespace {

constexpr std::string_view kUnknownType = "application/octet-stream";

using codec::equal_ignoring_case;
using codec::media_type_of;
using codec::trim;

bool is_fhir_type(std::string_view type) {
  return equal_ignoring_case(type, "application/fhir+json") ||
         equal_ignoring_case(type, "application/fhir+xml");
}

/// May stand in a header field as it is: what a record holds must not end a line of an answer.
bool is_field_text(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
}

/// True when Accept or _format names the FHIR types, or JSON or XML that the content is not.
bool wants_resource(net::Request const& request, std::string_view content_type) {
  if (!format_parameter_of(request).empty()) return true;
  for (auto const& field : request.headers) {
    if (field.name != "accept") continue;
    std::string_view rest = field.value;
    while (!rest.empty()) {
      auto const comma = rest.find(',');
      auto const type = media_type_of(rest.substr(0, comma));
      if (is_fhir_type(type)) return true;
      bool const generic = std::ranges::any_of(
          std::to_array<std::string_view>({"application/json", "application/xml", "text/json", "text/xml"}),
          [&](auto const name) { return equal_ignoring_case(type, name); });
      if (generic) return !equal_ignoring_case(type, media_type_of(content_type));
      rest.remove_prefix(comma == std::string_view::npos ? rest.size() : comma + 1);
    }
  }
  return false;
}

struct Range {
  std::uint64_t first = 0;
  std::uint64_t size = 0;
};
enum class RangeAnswer : std::uint8_t { kWhole, kPart, kNone };

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t value = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

/// One range of bytes. Several, a unit that is not known and a form that is none are passed over, as RFC 9110
/// section 14.2 lets a server do; and so is a range under If-Range, whose strong comparison no weak ETag
/// passes.
RangeAnswer range_of(net::Request const& request, std::uint64_t size, Range& range) {
  auto const field = request.header("range");
  constexpr std::string_view kUnit = "bytes=";
  if (!field || !field->starts_with(kUnit) || request.header("if-range")) return RangeAnswer::kWhole;
  auto const spec = trim(field->substr(kUnit.size()));
  auto const dash = spec.find('-');
  if (dash == std::string_view::npos || spec.contains(',')) return RangeAnswer::kWhole;
  auto const from = number_of(spec.substr(0, dash));
  auto const to = number_of(spec.substr(dash + 1));
  bool const is_suffix = dash == 0;
  bool const is_open = dash + 1 == spec.size();
  if ((!from && !is_suffix) || (!to && !is_open) || (is_suffix && is_open)) return RangeAnswer::kWhole;
  if (is_suffix) {
    if (*to == 0 || size == 0) return RangeAnswer::kNone;
    range.size = std::min(*to, size);
    range.first = size - range.size;
    return RangeAnswer::kPart;
  }
  if (!is_open && *to < *from) return RangeAnswer::kWhole;
  if (*from >= size) return RangeAnswer::kNone;
  range.first = *from;
  range.size = is_open ? size - *from : std::min(*to - *from, size - *from - 1) + 1;
  return RangeAnswer::kPart;
}

}  // namespace

bool reads_binary(Interaction interaction, std::string_view type) {
  return type == "Binary" && (interaction == Interaction::kRead || interaction == Interaction::kVread);
}

bool writes_binary(Interaction interaction, std::string_view type) {
  return type == "Binary" && (interaction == Interaction::kCreate || interaction == Interaction::kUpdate);
}

bool sends_content(net::Request const& request) {
  auto const field = request.header("content-type");
  if (!field || !media_type_of(*field).contains('/') || is_fhir_type(media_type_of(*field))) return false;
  auto const format = body_format_of(request);
  if (!format) return true;
  // "the special case where the content is actually a Binary resource"
  auto const resource = fhir::parse_resource(request.body, *format);
  return !resource.has_value() || resource->type() != "Binary";
}

bool streams_content(net::Request const& head) {
  auto const type = head.header("content-type");
  if (!type || !media_type_of(*type).contains('/') || is_fhir_type(media_type_of(*type))) return false;
  if (body_format_of(head)) return false;
  auto const length = head.header("content-length");
  return !length || number_of(*length).value_or(0) > limits::kUploadHeldBytes;
}

namespace {

Result<fhir::Resource> binary_of(net::Request const& request, std::string_view id, ByteView data) {
  using codec::Json;
  auto const type = trim(request.header("content-type").value_or(std::string_view()));
  if (!is_field_text(type)) return fail(ErrorKind::kInvalid, "the content type is no media type");
  Json json = Json::object();
  json.set("resourceType", Json::string("Binary"));
  if (!id.empty()) json.set("id", Json::string(id));
  json.set("contentType", Json::string(type));
  if (auto const context = request.header("x-security-context")) {
    if (!is_field_text(*context)) return fail(ErrorKind::kInvalid, "X-Security-Context is no reference");
    Json reference = Json::object();
    reference.set("reference", Json::string(trim(*context)));
    json.set("securityContext", std::move(reference));
  }
  if (!data.empty()) json.set("data", Json::string(codec::base64_encode(data)));
  return fhir::Resource::parse(std::move(json));
}

}  // namespace

Result<fhir::Resource> resource_of_content(net::Request const& request, std::string_view id) {
  return binary_of(request, id, as_bytes(request.body));
}

Result<fhir::Resource> resource_of_upload(net::Request const& request, std::string_view id) {
  constexpr std::string_view kPlaceholder = "-";
  return binary_of(request, id, as_bytes(kPlaceholder));
}

Result<std::optional<net::Response>> render_content(records::StoredVersion const& version,
                                                    net::Request const& request, ContentReader reader) {
  auto const json = codec::parse_json(version.json);
  if (!json.has_value()) return std::nullopt;
  std::string_view type = json->text_of("contentType");
  if (!is_field_text(type) || !type.contains('/')) type = kUnknownType;
  if (wants_resource(request, type)) return std::nullopt;
  Bytes data;
  if (!version.content_bytes) {
    auto decoded = codec::base64_decode(json->text_of("data"));
    if (!decoded.has_value()) return std::nullopt;
    data = *std::move(decoded);
  }
  std::uint64_t const whole = version.content_bytes.value_or(data.size());

  net::Response response;
  response.headers.push_back({"etag", etag_of(version.version)});
  response.headers.push_back({"last-modified", codec::format_http_date(version.last_updated)});
  response.headers.push_back({"accept-ranges", "bytes"});
  if (auto const* context = json->find("securityContext"); context != nullptr) {
    auto const reference = context->text_of("reference");
    if (is_field_text(reference)) response.headers.push_back({"x-security-context", std::string(reference)});
  }
  Range range{0, whole};
  auto const asked = range_of(request, whole, range);
  std::string const size = std::to_string(whole);
  if (asked == RangeAnswer::kNone) {
    response.status = 416;
    response.headers.push_back({"content-range", "bytes */" + size});
    return response;
  }
  response.status = 200;
  if (asked == RangeAnswer::kPart) {
    response.status = 206;
    response.headers.push_back({"content-range", "bytes " + std::to_string(range.first) + "-" +
                                                     std::to_string(range.first + range.size - 1) + "/" +
                                                     size});
  }
  response.headers.push_back({"content-type", std::string(type)});
  // Whatever it is, a browser keeps it apart and runs nothing in it (W-11).
  response.headers.push_back({"content-disposition", "attachment"});
  response.headers.push_back({"content-security-policy", "sandbox"});
  if (!version.content_bytes) {
    response.body = as_text(
        ByteView(data).subspan(static_cast<std::size_t>(range.first), static_cast<std::size_t>(range.size)));
    return response;
  }
  auto source = std::make_unique<ContentSource>(std::move(reader), range.first, range.size);
  response.body = TACENDA_TRY(source->next());
  response.rest_bytes = source->left();
  if (response.rest_bytes > 0) response.rest = std::move(source);
  return response;
}

}  // namespace tacenda::api
