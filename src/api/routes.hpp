#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "audit/event.hpp"
#include "core/error.hpp"
#include "core/permit.hpp"

namespace tacenda::api {

enum class Interaction : std::uint8_t {
  kRead,
  kVread,
  kUpdate,
  kDelete,
  kCreate,
  kHistoryInstance,
  kHistoryType,
  kHistorySystem,
  kBundle,
  kSearchType,
  kSearchSystem,
  kSearchCompartment,
  kEverything,
  kLastN,
  kMeta,
  kMetaInUse,
  kMetaAdd,
  kMetaDelete,
  kBreakGlass,
  kAuditRead,
  kAuditSearch,
  kUpdateMatching,
  kDeleteMatching,
  kPatch,
  kPatchMatching,
  kValidate,
  kExport,
  kExportStatus,
  kExportFile,
  kExportCancel,
  kExpand,
  kValidateCode,
  kLookup,
  kSubsumes,
  kCapabilities,
  kEnrolmentPage,
  kEnrolmentScript,
  kEnrolmentStyle,
  kEnrol,
  kConfirmEnrolment,
  kLogin,
  kLogout,
  kStepUp,
  kAccount,
  kChangePassword,
  kMakeRecoveryCodes,
  kSessions,
  kEndSession,
  kPasskeys,
  kRemovePasskey,
  kOfferPasskey,
  kAddPasskey,
  kOfferPasskeySignIn,
  kPasskeySignIn,
  kAwareness,
  kAcknowledge,
  kSmartConfiguration,
  kOpenIdConfiguration,
  kJwks,
  kLaunch,
  kAuthorize,
  kAuthorizeSignIn,
  kAuthorizeConsent,
  kAuthorizePasskey,
  kAuthorizePasskeyScript,
  kAuthorizeProvider,
  kToken,
  kRevokeToken,
  kIntrospectToken,
  kApplications,
  kEndApplication,
  kScimDiscovery,
  kScimUsers,
  kScimUser,
  kScimGroups,
  kScimGroup,
  kProvider,
  kBeginProviderSignIn,
  kProviderSignIn,
  kProviderCallback,
  kSignInPage,
  kSignInScript,
  kHealth,
};

/// One row: a method on a path pattern means an interaction. The CapabilityStatement, the audit code and the
/// permit's action are read from the same row, so they cannot disagree (W-08).
struct Route {
  std::string_view method;
  std::string_view pattern;  // "/fhir/{type}/{id}/_history/{version}"
  Interaction interaction;
  std::string_view capability;  // code of R4 type- or system-restful-interaction; empty: none
  audit::EventKind event;
  std::optional<Action> action;  // the Permit it needs; nullopt: open, or decided per entry
  bool needs_sign_in = true;
  std::string_view operation = {};  // canonical URL of its OperationDefinition, for the CapabilityStatement
};

std::span<Route const> routes();

/// What a row with a `$` offers: an operation of the whole system (no type), on one type or on every
/// ("Resource").
struct Operation {
  std::string_view type;
  std::string_view name;
  std::string_view definition;  // canonical URL; empty: R4's own for the type and name
};
/// nullopt: the row is an interaction.
std::optional<Operation> operation_of(Route const& route);

/// A path taken apart.
struct Match {
  Route const* route = nullptr;  // nullptr when the path is known and the method is not: 405
  std::string type;
  std::string id;
  std::string version;
  std::string inner;    // the type within a compartment, or *
  std::string methods;  // those that the path has, as Allow lists them, where there is no route
};
/// Errors: kUnsupported (no such path, or a type that R4 does not have), kInvalid (an escape that cannot be
/// decoded).
Result<Match> match(std::string_view method, std::string_view path);

}  // namespace tacenda::api
