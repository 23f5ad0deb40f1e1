#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/id.hpp"

namespace tacenda::audit {

/// What happened. The number is stored: never reuse one. docs/audit-events.md has a line for each.
enum class EventKind : std::uint16_t {
  // FHIR interactions (BALP; REQUIREMENTS annex C)
  kRead = 1,
  kVread = 2,
  kHistoryInstance = 3,
  kHistoryType = 4,
  kHistorySystem = 5,
  kCreate = 6,
  kUpdate = 7,
  kDelete = 8,
  kSearch = 9,
  kBatch = 10,
  kTransaction = 11,
  kMetadata = 12,
  kUnknownRoute = 13,
  kPatch = 14,
  kValidate = 16,
  kTerminology = 20,
  // Bulk Data: the requests, and what the server does by itself
  kExportStarted = 24,
  kExportStatus = 25,
  kExportFile = 26,
  kExportCancelled = 27,
  kExportPrepared = 28,
  kExportEnded = 29,
  // what a Binary will hold, stored while it comes
  kUploadBegun = 30,
  kUploadRemoved = 31,
  // who is asking (DCM 110114 user authentication)
  kLogin = 32,
  kLoginFailed = 33,
  kLogout = 34,
  kEnrolStarted = 35,
  kEnrolled = 36,
  kLocked = 37,
  kTokenIssued = 38,
  kAuthenticationFailed = 39,
  kStepUp = 40,
  kTokenRefused = 41,
  kAuthorizationAsked = 42,
  kAuthorizationRefused = 43,
  kAuthorizationGranted = 44,
  kAuthorizationDenied = 45,
  kTokenRevoked = 46,
  kTokenReused = 47,
  // what people do with their own account
  kRecoveryCodesMade = 48,
  kRecoveryCodeUsed = 49,
  kPasswordChanged = 50,
  kSessionEnded = 51,
  kAccountRead = 52,
  kPasskeyOffered = 53,
  kPasskeyAdded = 54,
  kPasskeyRemoved = 55,
  kPasskeyCounterBack = 56,
  kAwarenessAcknowledged = 57,
  kTokenIntrospected = 58,
  kLaunchStarted = 59,
  kProviderAsked = 60,
  // administration (DCM 110113 security alert, 110136/110137 role changes)
  kUserAdded = 64,
  kUserDisabled = 65,
  kRoleChanged = 66,
  kPolicyChanged = 67,
  kAuditRead = 68,
  kUserListed = 69,
  kVerified = 70,
  kAdminDenied = 71,
  kClientAdded = 72,
  kClientDisabled = 73,
  kClientKeysChanged = 74,
  kClientsListed = 75,
  kClientKeysFetched = 76,
  // who may see what, and who saw it although something stood against it
  kEmergencyBegun = 80,
  kEmergencyReviewed = 81,
  kAccessListChanged = 82,
  kPractitionerLinked = 83,
  kPolicyRead = 84,
  kEmergenciesRead = 85,
  kRelabelStarted = 86,
  // what an identity provider does with accounts (SCIM)
  kUserLinked = 87,
  kUserChanged = 88,
  kUserEnabled = 89,
  kUserDeleted = 90,
  kGroupChanged = 91,
  // the store (DCM 110100 application activity)
  kStoreCreated = 96,
  kStarted = 97,
  kStopped = 98,
  kUnsealed = 99,
  kSealed = 100,
  kKeyOperation = 101,
  kIndexChanged = 102,
  // emergency mode, and the accounts that are used in it alone
  kEmergencyModeOn = 103,
  kEmergencyModeOff = 104,
  kEmergencySignIn = 105,
  kUserResealed = 106,
  // what watches the log, and who looks after what it found
  kAlertRaised = 110,
  kLogExamined = 111,
  kAlertsRead = 112,
  kAlertAnswered = 113,
  kAlertSent = 114,
  // what two persons must agree to (S-12)
  kApprovalAsked = 115,
  kApprovalGiven = 116,
  kApprovalRefused = 117,
  kApprovalWithdrawn = 118,
  kApprovalExpired = 119,
  kApprovalsRead = 120,
  kApprovalsDemanded = 121,
  // connections that made no request
  kAddressRefused = 128,
  kTlsFailed = 129,
  kClientCertificateFailed = 130,
  kMalformedRequest = 131,
  kOverLimit = 132,
};

/// FHIR AuditEvent.outcome.
enum class Outcome : std::uint8_t {
  kSuccess = 0,
  kMinorFailure = 4,
  kSeriousFailure = 8,
  kMajorFailure = 12
};

/// One thing that happened, before it is sealed. Its texts are names, ids and addresses: all of them end
/// up in the sealed body, none in the clear header (SECURITY_DESIGN section 3).
struct Event {
  EventKind kind = EventKind::kUnknownRoute;
  Outcome outcome = Outcome::kSuccess;
  std::uint16_t http_status = 0;  // 0: not HTTP
  std::string actor_id;           // UserId; empty: nobody was identified
  std::string actor_name;         // log-in name; for a failed log-in the name tried, HMACed by the caller
  std::string role;
  std::string authentication;  // "password+totp", "passkey", "token", "certificate", "uid", "none"
  std::string token_id;        // random jti of the token used; never the token
  std::string client;          // application, e.g. "tacenda-cli"; empty when unknown
  std::string network;         // TCP peer address, never a header's
  std::string request_id;      // X-Request-Id
  std::string resource_type;
  std::string resource_id;
  std::uint64_t resource_version = 0;
  std::vector<std::string> patients;  // logical ids of the compartments touched
  std::string purpose_of_use;         // e.g. "TREAT"
  /// What the access to these patients is explained by: "care-team", "encounter", "appointment", "order",
  /// "self", "proxy", "emergency". Empty: nothing known explains it.
  std::string explained_by;
  /// Why every access to these records is watched (C-16): "V", "CEL", "VIP", apart by spaces; or empty.
  std::string labels;
  /// Raw text of what was asked. Kept once for all events of a commit that have the same, under a key that
  /// ends with any of the patients whom those events or the text name.
  std::string query;
  /// Patients whom the text matched or names beside those of the events. Not kept.
  std::vector<std::string> query_patients;
  /// vault::CommitOrder::patient_erasures when the request came. Not kept. nullopt: long ago.
  std::optional<std::uint64_t> erasures_before;
  /// In place of `query`: the entry that has the text of this listing's first page.
  std::optional<std::uint64_t> query_at;
  std::string target;     // user name, role or other object of an administrative act
  std::string old_value;  // of a change to privileges or policy
  std::string new_value;
  std::string reason;                   // literal: why it was denied or failed
  std::optional<Digest> record_digest;  // SHA-256 of the record's envelope, when a version was written
  std::uint64_t count = 1;              // how many alike this one entry stands for (FailureMeter)
};

/// What became of the text of an entry's request.
enum class QueryState : std::uint8_t {
  kNone,    // there was none
  kSealed,  // it was not asked for
  kOpen,
  kErased  // a patient whom it matched or named was erased, or his keys were damaged: nobody can read it
};

/// An event as it stands in the log.
struct Entry {
  std::uint64_t sequence = 0;  // leaf index
  Time recorded;               // UTC, not before that of the entry before it
  Event event;
  bool readable = true;  // false: its key was destroyed; then only kind, outcome are set
  QueryState query_state = QueryState::kNone;  // kNone also of an entry that is not readable
};

/// Short name of a kind: "read", "login-failed".
std::string_view name_of(EventKind kind);
/// FHIR AuditEvent (R4, BALP) as JSON text. Source: IHE BALP 1.1, REQUIREMENTS annex C.
std::string to_fhir(Entry const& entry, std::string_view store_id);
/// What a patient may know of an entry about him: who (name, role, purpose), what (the act, his record),
/// when, and whether it was let (G-17). Not from which machine, by which token, with which words, and nothing
/// of other patients; so no profile of BALP holds.
std::string to_fhir_for_patient(Entry const& entry, std::string_view patient, std::string_view store_id);

}  // namespace tacenda::audit
