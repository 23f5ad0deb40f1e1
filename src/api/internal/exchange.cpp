#include "api/internal/exchange.hpp"

#include <algorithm>

#include "codec/field_text.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::equal_ignoring_case;
using codec::trim;

/// False when a Content-Type names another charset.
bool is_utf8(std::string_view content_type) {
  auto const semicolon = content_type.find(';');
  if (semicolon == std::string_view::npos) return true;
  auto const parameters = content_type.substr(semicolon + 1);
  auto const charset = parameters.find("charset=");
  if (charset == std::string_view::npos) return true;
  auto value = trim(parameters.substr(charset + 8, parameters.find(';', charset) - charset - 8));
  if (value.size() >= 2 && value.front() == '"') value = value.substr(1, value.size() - 2);
  return equal_ignoring_case(value, "utf-8");
}

}  // namespace

std::string_view method_name(identity::Method method) {
  switch (method) {
    case identity::Method::kToken:
      return "token";
    case identity::Method::kSession:
      return "password+totp";
    case identity::Method::kCertificate:
      return "certificate";
    case identity::Method::kSocket:
      return "uid";
    case identity::Method::kPasskey:
      return "passkey";
    case identity::Method::kRecoveryCode:
      return "password+recovery-code";
    case identity::Method::kProvider:
      return "openid";
    case identity::Method::kSealed:
      return "sealed credential";
  }
  return "unknown";
}

std::optional<std::string_view> bearer_token(net::Request const& request) {
  auto const field = request.header("authorization");
  constexpr std::string_view kScheme = "Bearer ";
  if (!field || field->size() <= kScheme.size() ||
      !equal_ignoring_case(field->substr(0, kScheme.size()), kScheme)) {
    return std::nullopt;
  }
  return trim(field->substr(kScheme.size()));
}

std::string request_id_of(net::Request const& request, vault::Vault const& vault) {
  if (auto const field = request.header("x-request-id")) {
    if (RequestId::parse(*field).has_value()) return std::string(*field);
  }
  auto const random = vault.random_bytes16();
  return random.has_value() ? codec::format_uuid_v4(*random) : std::string("unknown");
}

namespace {

/// The part before `mark` outside of quotes, which is cut off `rest` with it.
std::string_view take_until(std::string_view& rest, char mark) {
  bool quoted = false;
  std::size_t end = 0;
  for (; end < rest.size() && (quoted || rest[end] != mark); ++end) {
    if (rest[end] == '"') quoted = !quoted;
    if (quoted && rest[end] == '\\') ++end;  // what follows is no end of the quotes
  }
  end = std::min(end, rest.size());
  auto const part = rest.substr(0, end);
  rest.remove_prefix(std::min(rest.size(), end + 1));
  return trim(part);
}

/// The value of a preference, empty when it has none; nullopt: it is not said. "A client MAY use multiple
/// instances of the Prefer header field", each a list, and "if any preference is specified more than once,
/// only the first instance is to be considered" (RFC 7240 section 2).
std::optional<std::string_view> preference(net::Request const& request, std::string_view wanted) {
  for (auto const& field : request.headers) {
    if (field.name != "prefer") continue;
    for (std::string_view rest = field.value; !rest.empty();) {
      auto said = take_until(rest, ',');
      auto value = take_until(said, ';');  // what follows are parameters of the preference
      auto const name = take_until(value, '=');
      if (!equal_ignoring_case(name, wanted)) continue;
      value = trim(value);
      if (value.size() >= 2 && value.front() == '"' && value.back() == '"')
        value = value.substr(1, value.size() - 2);
      return value;
    }
  }
  return std::nullopt;
}

}  // namespace

Prefer prefer_of(net::Request const& request) {
  auto const value = preference(request, "return");
  if (value == "minimal") return Prefer::kMinimal;
  if (value == "representation") return Prefer::kRepresentation;
  if (value == "OperationOutcome") return Prefer::kOutcome;
  return Prefer::kDefault;
}

bool prefers_async(net::Request const& request) {
  return preference(request, "respond-async").has_value();
}

bool says_lenient(net::Request const& request) {
  return preference(request, "handling") == "lenient";
}

fhir::Handling handling_of(net::Request const& request) {
  return preference(request, "handling") == "strict" ? fhir::Handling::kStrict : fhir::Handling::kLenient;
}

bool sends_form(net::Request const& request) {
  auto const field = request.header("content-type");
  return field && equal_ignoring_case(codec::media_type_of(*field), "application/x-www-form-urlencoded");
}

bool sends_json_patch(net::Request const& request) {
  auto const field = request.header("content-type");
  return field && equal_ignoring_case(codec::media_type_of(*field), "application/json-patch+json") &&
         is_utf8(*field);
}

audit::Event origin_of(net::Request const& request, std::string request_id) {
  audit::Event origin;
  origin.request_id = std::move(request_id);
  origin.network = request.peer.address;
  origin.authentication = "none";
  return origin;
}

void identify(audit::Event& origin, identity::Principal const& principal) {
  origin.actor_id = principal.id().view();
  origin.actor_name = principal.name();
  origin.role = principal.role();
  origin.token_id = principal.token_id();
  origin.authentication = method_name(principal.method());
  if (principal.application()) origin.client = principal.application()->client;
}

}  // namespace tacenda::api
