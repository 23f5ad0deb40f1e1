#include "api/routes.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "codec/text.hpp"
#include "fhir/search_parameter.hpp"
#include "fhir/types.hpp"

namespace tacenda::api {
namespace {

using audit::EventKind;

constexpr std::string_view kSystemExport = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/export";
constexpr std::string_view kPatientExport =
    "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/patient-export";
constexpr std::string_view kMeta = "http://hl7.org/fhir/OperationDefinition/Resource-meta";
constexpr std::string_view kGroupExport = "http://hl7.org/fhir/uv/bulkdata/OperationDefinition/group-export";

constexpr std::string_view kBreakGlass = "urn:tacenda:OperationDefinition/break-glass";

constexpr auto kRoutes = std::to_array<Route>({
    {"GET", "/fhir/metadata", Interaction::kCapabilities, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/fhir/.well-known/smart-configuration", Interaction::kSmartConfiguration, "",
     EventKind::kMetadata, std::nullopt, false},
    {"GET", "/fhir/_history", Interaction::kHistorySystem, "history-system", EventKind::kHistorySystem,
     Action::kHistorySystem},
    {"POST", "/fhir", Interaction::kBundle, "transaction", EventKind::kTransaction, std::nullopt},
    {"POST", "/fhir/", Interaction::kBundle, "", EventKind::kTransaction, std::nullopt},
    {"GET", "/fhir", Interaction::kSearchSystem, "search-system", EventKind::kSearch, std::nullopt},
    {"GET", "/fhir/", Interaction::kSearchSystem, "", EventKind::kSearch, std::nullopt},
    {"POST", "/fhir/_search", Interaction::kSearchSystem, "", EventKind::kSearch, std::nullopt},
    {"GET", "/fhir/$export", Interaction::kExport, "", EventKind::kExportStarted, Action::kExport, true,
     kSystemExport},
    {"POST", "/fhir/$export", Interaction::kExport, "", EventKind::kExportStarted, Action::kExport},
    {"GET", "/fhir/Patient/$export", Interaction::kExport, "", EventKind::kExportStarted, Action::kExport,
     true, kPatientExport},
    {"POST", "/fhir/Patient/$export", Interaction::kExport, "", EventKind::kExportStarted, Action::kExport},
    {"GET", "/fhir/Group/{id}/$export", Interaction::kExport, "", EventKind::kExportStarted, Action::kExport,
     true, kGroupExport},
    {"POST", "/fhir/Group/{id}/$export", Interaction::kExport, "", EventKind::kExportStarted,
     Action::kExport},
    {"GET", "/fhir/$export/{id}", Interaction::kExportStatus, "", EventKind::kExportStatus, std::nullopt},
    {"DELETE", "/fhir/$export/{id}", Interaction::kExportCancel, "", EventKind::kExportCancelled,
     std::nullopt},
    {"GET", "/fhir/$export/{id}/{version}", Interaction::kExportFile, "", EventKind::kExportFile,
     Action::kExport},
    {"GET", "/fhir/AuditEvent", Interaction::kAuditSearch, "search-type", EventKind::kAuditRead,
     std::nullopt},
    {"GET", "/fhir/AuditEvent/{id}", Interaction::kAuditRead, "read", EventKind::kAuditRead, std::nullopt},
    {"GET", "/fhir/{type}", Interaction::kSearchType, "search-type", EventKind::kSearch, Action::kSearch},
    {"POST", "/fhir/{type}/_search", Interaction::kSearchType, "", EventKind::kSearch, Action::kSearch},
    {"PUT", "/fhir/{type}", Interaction::kUpdateMatching, "", EventKind::kUpdate, Action::kUpdate},
    {"DELETE", "/fhir/{type}", Interaction::kDeleteMatching, "", EventKind::kDelete, Action::kDelete},
    {"PATCH", "/fhir/{type}", Interaction::kPatchMatching, "", EventKind::kPatch, Action::kUpdate},
    {"POST", "/fhir/{type}", Interaction::kCreate, "create", EventKind::kCreate, Action::kCreate},
    {"POST", "/fhir/{type}/$validate", Interaction::kValidate, "", EventKind::kValidate, std::nullopt},
    {"POST", "/fhir/{type}/{id}/$validate", Interaction::kValidate, "", EventKind::kValidate, std::nullopt},
    {"GET", "/fhir/{type}/{id}/$validate", Interaction::kValidate, "", EventKind::kValidate, Action::kRead},
    {"GET", "/fhir/ValueSet/$expand", Interaction::kExpand, "", EventKind::kTerminology, Action::kRead},
    {"POST", "/fhir/ValueSet/$expand", Interaction::kExpand, "", EventKind::kTerminology, Action::kRead},
    {"GET", "/fhir/ValueSet/{id}/$expand", Interaction::kExpand, "", EventKind::kTerminology, Action::kRead},
    {"POST", "/fhir/ValueSet/{id}/$expand", Interaction::kExpand, "", EventKind::kTerminology, Action::kRead},
    {"GET", "/fhir/ValueSet/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"POST", "/fhir/ValueSet/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/ValueSet/{id}/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"POST", "/fhir/ValueSet/{id}/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/CodeSystem/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"POST", "/fhir/CodeSystem/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/CodeSystem/{id}/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"POST", "/fhir/CodeSystem/{id}/$validate-code", Interaction::kValidateCode, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/CodeSystem/$lookup", Interaction::kLookup, "", EventKind::kTerminology, Action::kRead},
    {"POST", "/fhir/CodeSystem/$lookup", Interaction::kLookup, "", EventKind::kTerminology, Action::kRead},
    {"GET", "/fhir/CodeSystem/$subsumes", Interaction::kSubsumes, "", EventKind::kTerminology, Action::kRead},
    {"POST", "/fhir/CodeSystem/$subsumes", Interaction::kSubsumes, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/CodeSystem/{id}/$subsumes", Interaction::kSubsumes, "", EventKind::kTerminology,
     Action::kRead},
    {"POST", "/fhir/CodeSystem/{id}/$subsumes", Interaction::kSubsumes, "", EventKind::kTerminology,
     Action::kRead},
    {"GET", "/fhir/{type}/_history", Interaction::kHistoryType, "history-type", EventKind::kHistoryType,
     Action::kHistoryType},
    {"GET", "/fhir/{type}/{id}", Interaction::kRead, "read", EventKind::kRead, Action::kRead},
    {"PUT", "/fhir/{type}/{id}", Interaction::kUpdate, "update", EventKind::kUpdate, Action::kUpdate},
    {"PATCH", "/fhir/{type}/{id}", Interaction::kPatch, "patch", EventKind::kPatch, Action::kUpdate},
    {"DELETE", "/fhir/{type}/{id}", Interaction::kDelete, "delete", EventKind::kDelete, Action::kDelete},
    {"GET", "/fhir/{type}/{id}/_history", Interaction::kHistoryInstance, "history-instance",
     EventKind::kHistoryInstance, Action::kHistoryInstance},
    {"GET", "/fhir/{type}/{id}/_history/{version}", Interaction::kVread, "vread", EventKind::kVread,
     Action::kVread},
    {"GET", "/fhir/{type}/{id}/$everything", Interaction::kEverything, "", EventKind::kSearch,
     Action::kSearch},
    {"POST", "/fhir/{type}/{id}/$everything", Interaction::kEverything, "", EventKind::kSearch,
     Action::kSearch},
    {"GET", "/fhir/Observation/$lastn", Interaction::kLastN, "", EventKind::kSearch, Action::kSearch},
    {"POST", "/fhir/Observation/$lastn", Interaction::kLastN, "", EventKind::kSearch, Action::kSearch},
    {"GET", "/fhir/$meta", Interaction::kMetaInUse, "", EventKind::kSearch, std::nullopt, true, kMeta},
    {"GET", "/fhir/{type}/$meta", Interaction::kMetaInUse, "", EventKind::kSearch, Action::kSearch},
    {"GET", "/fhir/{type}/{id}/$meta", Interaction::kMeta, "", EventKind::kRead, Action::kRead},
    {"POST", "/fhir/{type}/{id}/$meta-add", Interaction::kMetaAdd, "", EventKind::kUpdate, Action::kUpdate},
    {"POST", "/fhir/{type}/{id}/$meta-delete", Interaction::kMetaDelete, "", EventKind::kUpdate,
     Action::kUpdate},
    {"POST", "/fhir/Patient/{id}/$break-glass", Interaction::kBreakGlass, "", EventKind::kEmergencyBegun,
     std::nullopt, true, kBreakGlass},
    {"GET", "/fhir/{type}/{id}/{inner}", Interaction::kSearchCompartment, "", EventKind::kSearch,
     Action::kSearch},
    {"POST", "/fhir/{type}/{id}/{inner}/_search", Interaction::kSearchCompartment, "", EventKind::kSearch,
     Action::kSearch},
    {"GET", "/auth/enrol", Interaction::kEnrolmentPage, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/auth/enrol.js", Interaction::kEnrolmentScript, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/auth/enrol.css", Interaction::kEnrolmentStyle, "", EventKind::kMetadata, std::nullopt, false},
    {"POST", "/auth/enrol", Interaction::kEnrol, "", EventKind::kEnrolStarted, std::nullopt, false},
    {"POST", "/auth/enrol/confirm", Interaction::kConfirmEnrolment, "", EventKind::kEnrolled, std::nullopt,
     false},
    {"POST", "/auth/login", Interaction::kLogin, "", EventKind::kLogin, std::nullopt, false},
    {"POST", "/auth/logout", Interaction::kLogout, "", EventKind::kLogout, std::nullopt},
    {"POST", "/auth/step-up", Interaction::kStepUp, "", EventKind::kStepUp, std::nullopt},
    {"GET", "/auth/account", Interaction::kAccount, "", EventKind::kAccountRead, std::nullopt},
    {"POST", "/auth/password", Interaction::kChangePassword, "", EventKind::kPasswordChanged, std::nullopt},
    {"POST", "/auth/recovery-codes", Interaction::kMakeRecoveryCodes, "", EventKind::kRecoveryCodesMade,
     std::nullopt},
    {"GET", "/auth/sessions", Interaction::kSessions, "", EventKind::kAccountRead, std::nullopt},
    {"DELETE", "/auth/sessions/{version}", Interaction::kEndSession, "", EventKind::kSessionEnded,
     std::nullopt},
    {"GET", "/auth/passkeys", Interaction::kPasskeys, "", EventKind::kAccountRead, std::nullopt},
    {"DELETE", "/auth/passkeys/{version}", Interaction::kRemovePasskey, "", EventKind::kPasskeyRemoved,
     std::nullopt},
    {"POST", "/auth/passkeys/register/options", Interaction::kOfferPasskey, "", EventKind::kPasskeyOffered,
     std::nullopt},
    {"POST", "/auth/passkeys/register/verify", Interaction::kAddPasskey, "", EventKind::kPasskeyAdded,
     std::nullopt},
    {"POST", "/auth/passkeys/login/options", Interaction::kOfferPasskeySignIn, "", EventKind::kPasskeyOffered,
     std::nullopt, false},
    {"POST", "/auth/passkeys/login/verify", Interaction::kPasskeySignIn, "", EventKind::kLogin, std::nullopt,
     false},
    {"GET", "/auth/awareness", Interaction::kAwareness, "", EventKind::kAccountRead, std::nullopt},
    {"POST", "/auth/awareness/{version}", Interaction::kAcknowledge, "", EventKind::kAwarenessAcknowledged,
     std::nullopt},
    {"GET", "/auth/sign-in", Interaction::kSignInPage, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/auth/sign-in.js", Interaction::kSignInScript, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/auth/openid", Interaction::kProvider, "", EventKind::kMetadata, std::nullopt, false},
    {"GET", "/auth/openid/callback", Interaction::kProviderCallback, "", EventKind::kLogin, std::nullopt,
     false},
    {"POST", "/auth/openid/begin", Interaction::kBeginProviderSignIn, "", EventKind::kProviderAsked,
     std::nullopt, false},
    {"POST", "/auth/openid/finish", Interaction::kProviderSignIn, "", EventKind::kLogin, std::nullopt, false},
    {"GET", "/auth/applications", Interaction::kApplications, "", EventKind::kAccountRead, std::nullopt},
    {"DELETE", "/auth/applications/{version}", Interaction::kEndApplication, "", EventKind::kTokenRevoked,
     std::nullopt},
    {"GET", "/.well-known/openid-configuration", Interaction::kOpenIdConfiguration, "", EventKind::kMetadata,
     std::nullopt, false},
    {"GET", "/oauth/jwks", Interaction::kJwks, "", EventKind::kMetadata, std::nullopt, false},
    {"POST", "/oauth/launch", Interaction::kLaunch, "", EventKind::kLaunchStarted, std::nullopt},
    {"GET", "/oauth/authorize", Interaction::kAuthorize, "", EventKind::kAuthorizationAsked, std::nullopt,
     false},
    {"POST", "/oauth/authorize", Interaction::kAuthorize, "", EventKind::kAuthorizationAsked, std::nullopt,
     false},
    {"POST", "/oauth/sign-in", Interaction::kAuthorizeSignIn, "", EventKind::kLogin, std::nullopt, false},
    {"POST", "/oauth/passkey", Interaction::kAuthorizePasskey, "", EventKind::kPasskeyOffered, std::nullopt,
     false},
    {"POST", "/oauth/provider", Interaction::kAuthorizeProvider, "", EventKind::kProviderAsked, std::nullopt,
     false},
    {"GET", "/oauth/passkey.js", Interaction::kAuthorizePasskeyScript, "", EventKind::kMetadata, std::nullopt,
     false},
    {"POST", "/oauth/consent", Interaction::kAuthorizeConsent, "", EventKind::kAuthorizationGranted,
     std::nullopt, false},
    {"POST", "/oauth/revoke", Interaction::kRevokeToken, "", EventKind::kTokenRevoked, std::nullopt, false},
    {"POST", "/oauth/introspect", Interaction::kIntrospectToken, "", EventKind::kTokenIntrospected,
     std::nullopt, false},
    {"POST", "/oauth/token", Interaction::kToken, "", EventKind::kTokenIssued, std::nullopt, false},
    {"GET", "/scim/v2/ServiceProviderConfig", Interaction::kScimDiscovery, "", EventKind::kUserListed,
     std::nullopt},
    {"GET", "/scim/v2/ResourceTypes", Interaction::kScimDiscovery, "", EventKind::kUserListed, std::nullopt},
    {"GET", "/scim/v2/ResourceTypes/{version}", Interaction::kScimDiscovery, "", EventKind::kUserListed,
     std::nullopt},
    {"GET", "/scim/v2/Schemas", Interaction::kScimDiscovery, "", EventKind::kUserListed, std::nullopt},
    {"GET", "/scim/v2/Schemas/{version}", Interaction::kScimDiscovery, "", EventKind::kUserListed,
     std::nullopt},
    {"POST", "/scim/v2/Bulk", Interaction::kScimDiscovery, "", EventKind::kUserListed, std::nullopt},
    {"GET", "/scim/v2/Users", Interaction::kScimUsers, "", EventKind::kUserListed, std::nullopt},
    {"POST", "/scim/v2/Users", Interaction::kScimUsers, "", EventKind::kUserAdded, std::nullopt},
    {"GET", "/scim/v2/Users/{version}", Interaction::kScimUser, "", EventKind::kUserListed, std::nullopt},
    {"PUT", "/scim/v2/Users/{version}", Interaction::kScimUser, "", EventKind::kUserChanged, std::nullopt},
    {"PATCH", "/scim/v2/Users/{version}", Interaction::kScimUser, "", EventKind::kUserChanged, std::nullopt},
    {"DELETE", "/scim/v2/Users/{version}", Interaction::kScimUser, "", EventKind::kUserDeleted, std::nullopt},
    {"GET", "/scim/v2/Groups", Interaction::kScimGroups, "", EventKind::kUserListed, std::nullopt},
    {"POST", "/scim/v2/Groups", Interaction::kScimGroups, "", EventKind::kGroupChanged, std::nullopt},
    {"GET", "/scim/v2/Groups/{version}", Interaction::kScimGroup, "", EventKind::kUserListed, std::nullopt},
    {"PUT", "/scim/v2/Groups/{version}", Interaction::kScimGroup, "", EventKind::kGroupChanged, std::nullopt},
    {"PATCH", "/scim/v2/Groups/{version}", Interaction::kScimGroup, "", EventKind::kGroupChanged,
     std::nullopt},
    {"DELETE", "/scim/v2/Groups/{version}", Interaction::kScimGroup, "", EventKind::kGroupChanged,
     std::nullopt},
    {"GET", "/healthz", Interaction::kHealth, "", EventKind::kMetadata, std::nullopt, false},
});

constexpr std::size_t kSegmentsMax = 6;

/// A path or a pattern, taken apart at its slashes.
struct Segments {
  std::array<std::string_view, kSegmentsMax> at{};
  std::size_t count = 0;  // more than kSegmentsMax: no pattern has so many
};

constexpr Segments split(std::string_view path) {
  Segments segments;
  while (!path.empty()) {
    path.remove_prefix(1);
    auto const segment = path.substr(0, path.find('/'));
    path.remove_prefix(segment.size());
    if (segments.count < kSegmentsMax) segments.at.at(segments.count) = segment;
    ++segments.count;
  }
  return segments;
}

enum class Place : std::uint8_t { kLiteral, kType, kId, kInner, kVersion };

constexpr Place place_of(std::string_view segment) {
  if (segment == "{type}") return Place::kType;
  if (segment == "{id}") return Place::kId;
  if (segment == "{inner}") return Place::kInner;
  return segment == "{version}" ? Place::kVersion : Place::kLiteral;
}

struct Pattern {
  Segments segments;
  std::array<Place, kSegmentsMax> places{};
};

// Every request is held against them: they are taken apart once.
constexpr auto kPatterns = [] {
  std::array<Pattern, kRoutes.size()> patterns;
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    auto& [segments, places] = patterns.at(i);
    segments = split(kRoutes.at(i).pattern);
    for (std::size_t n = 0; n < segments.count; ++n) places.at(n) = place_of(segments.at.at(n));
  }
  return patterns;
}();

/// True: `have` may stand at this place. `type`: of the path's second segment, empty where it is none; a
/// pattern has its {type} there.
bool fits(Place place, std::string_view want, std::string_view have, std::string_view type) {
  switch (place) {
    case Place::kLiteral:
      return want == have;
    case Place::kType:
      return !type.empty();
    case Place::kId:
      return !have.empty() && !have.starts_with('_') && !have.starts_with('$');
    case Place::kInner:
      return fhir::is_compartment(type) && (have == "*" || fhir::is_resource_type(have));
    case Place::kVersion:
      break;
  }
  return !have.empty();
}

/// A literal segment wins over a placeholder because "_history" and "metadata" are no resource types and no
/// logical ids. From the end: most patterns begin alike.
bool fits(Pattern const& pattern, Segments const& path, std::string_view type) {
  if (pattern.segments.count != path.count) return false;
  for (std::size_t i = path.count; i-- > 0;) {
    if (!fits(pattern.places.at(i), pattern.segments.at.at(i), path.at.at(i), type)) return false;
  }
  return true;
}

/// What the placeholders of the pattern stand for.
Match match_of(Pattern const& pattern, Segments const& path, std::string_view type) {
  Match found;
  found.type = type;
  for (std::size_t i = 0; i < path.count; ++i) {
    auto const have = path.at.at(i);
    if (pattern.places.at(i) == Place::kId) found.id = have;
    if (pattern.places.at(i) == Place::kInner) found.inner = have;
    if (pattern.places.at(i) == Place::kVersion) found.version = have;
  }
  return found;
}

/// Entries of the audit log are written by no client, whoever he is (O-02).
bool writes_log(Route const& route, std::string_view type) {
  constexpr auto kWrites = std::to_array({Action::kCreate, Action::kUpdate, Action::kDelete});
  return type == "AuditEvent" && route.action && std::ranges::find(kWrites, *route.action) != kWrites.end();
}

/// The methods that there are for a path, as the field Allow lists them (RFC 9110 section 10.2.1).
std::string methods_for(Segments const& segments, std::string_view type) {
  std::vector<std::string_view> methods;
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    auto const& route = kRoutes.at(i);
    if (!fits(kPatterns.at(i), segments, type) || writes_log(route, type)) continue;
    if (std::ranges::find(methods, route.method) == methods.end()) methods.push_back(route.method);
    if (route.method == "GET" && methods.back() == "GET") methods.push_back("HEAD");
  }
  std::string list;
  for (auto const method : methods) list.append(list.empty() ? "" : ", ").append(method);
  return list;
}

}  // namespace

std::span<Route const> routes() {
  return kRoutes;
}

std::optional<Operation> operation_of(Route const& route) {
  constexpr std::string_view kBase = "/fhir/";
  std::string_view rest = route.pattern;
  auto const dollar = rest.find("/$");
  if (!rest.starts_with(kBase) || dollar == std::string_view::npos) return std::nullopt;
  Operation operation;
  operation.definition = route.operation;
  operation.name = rest.substr(dollar + 2);
  if (operation.name.contains('/')) return std::nullopt;  // what an operation has made
  rest = rest.substr(kBase.size());
  if (!rest.starts_with('$')) operation.type = rest.substr(0, rest.find('/'));
  if (route.interaction == Interaction::kEverything) operation.type = "Patient";
  if (operation.type == "{type}") operation.type = "Resource";
  return operation;
}

Result<Match> match(std::string_view method, std::string_view path) {
  std::string const decoded = TACENDA_TRY(codec::percent_decode(path));
  if (!decoded.starts_with('/')) return fail(ErrorKind::kInvalid, "the path does not start with a slash");
  auto const segments = split(decoded);
  std::string_view const second = segments.count > 1 ? segments.at[1] : std::string_view();
  std::string_view const type = fhir::is_resource_type(second) ? second : std::string_view();
  Pattern const* known_path = nullptr;
  std::string_view const wanted = method == "HEAD" ? std::string_view("GET") : method;
  for (std::size_t i = 0; i < kRoutes.size(); ++i) {
    auto const& pattern = kPatterns.at(i);
    if (!fits(pattern, segments, type) || writes_log(kRoutes.at(i), type)) continue;
    known_path = &pattern;
    if (kRoutes.at(i).method != wanted) continue;
    auto found = match_of(pattern, segments, type);
    found.route = &kRoutes.at(i);
    return found;
  }
  if (known_path != nullptr) {
    auto found = match_of(*known_path, segments, type);
    found.methods = methods_for(segments, type);
    return found;
  }
  return fail(ErrorKind::kUnsupported, "there is nothing at this address");
}

}  // namespace tacenda::api
