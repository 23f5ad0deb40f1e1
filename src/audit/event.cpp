#include "audit/event.hpp"

#include <algorithm>
#include <array>

#include "audit/internal/kinds.hpp"

namespace tacenda::audit {
namespace {

using enum EventKind;
using Pattern = KindFacts::Pattern;

// DICOM PS3.16, context groups 400 and 401: 110100 application activity, 110101 audit log used, 110113
// security alert, 110114 user authentication.
constexpr std::array kKinds{
    KindFacts{kRead, "read", "", "read", 'R', Pattern::kRead},
    KindFacts{kVread, "vread", "", "vread", 'R', Pattern::kRead},
    // BALP has no history profile: Read for an instance, Query for a type or the system (annex C).
    KindFacts{kHistoryInstance, "history-instance", "", "history-instance", 'R', Pattern::kRead},
    KindFacts{kHistoryType, "history-type", "", "history-type", 'E', Pattern::kQuery},
    KindFacts{kHistorySystem, "history-system", "", "history-system", 'E', Pattern::kQuery},
    KindFacts{kCreate, "create", "", "create", 'C', Pattern::kCreate},
    KindFacts{kUpdate, "update", "", "update", 'U', Pattern::kUpdate},
    KindFacts{kPatch, "patch", "", "patch", 'U', Pattern::kUpdate},
    KindFacts{kDelete, "delete", "", "delete", 'D', Pattern::kDelete},
    KindFacts{kSearch, "search", "", "search-type", 'E', Pattern::kQuery},
    KindFacts{kBatch, "batch", "", "batch", 'E'},
    KindFacts{kTransaction, "transaction", "", "transaction", 'E'},
    KindFacts{kMetadata, "metadata", "", "capabilities", 'R'},
    KindFacts{kUnknownRoute, "unknown-route", "", "", 'E'},
    KindFacts{kValidate, "validate", "", "operation", 'E'},
    KindFacts{kTerminology, "terminology", "", "operation", 'E'},
    KindFacts{kExportStarted, "export-started", "", "operation", 'E'},
    KindFacts{kExportStatus, "export-status", "", "operation", 'E'},
    // DCM 110106 Export: what leaves the record, one entry for each patient (annex C, A-11).
    KindFacts{kExportFile, "export-file", "110106", "", 'R'},
    KindFacts{kExportCancelled, "export-cancelled", "", "operation", 'E'},
    KindFacts{kExportPrepared, "export-prepared", "110106", "", 'E'},
    KindFacts{kExportEnded, "export-ended", "110106", "", 'E'},
    // DCM 110107 Import: what comes into the record.
    KindFacts{kUploadBegun, "upload-begun", "110107", "", 'C'},
    KindFacts{kUploadRemoved, "upload-removed", "110100", "", 'D'},
    KindFacts{kLogin, "login", "110114", "110122", 'E'},
    KindFacts{kLoginFailed, "login-failed", "110114", "110122", 'E'},
    KindFacts{kLogout, "logout", "110114", "110123", 'E'},
    KindFacts{kEnrolStarted, "enrol-started", "110113", "110137", 'E'},
    KindFacts{kEnrolled, "enrolled", "110113", "110137", 'E'},
    KindFacts{kLocked, "locked", "110113", "110137", 'E'},
    KindFacts{kTokenIssued, "token-issued", "110114", "", 'E'},
    KindFacts{kAuthenticationFailed, "authentication-failed", "110114", "110126", 'E'},
    KindFacts{kTokenRefused, "token-refused", "110114", "", 'E'},
    KindFacts{kAuthorizationAsked, "authorization-asked", "110114", "", 'E'},
    KindFacts{kAuthorizationRefused, "authorization-refused", "110114", "", 'E'},
    KindFacts{kAuthorizationGranted, "authorization-granted", "110113", "110137", 'C'},
    KindFacts{kAuthorizationDenied, "authorization-denied", "110114", "", 'E'},
    KindFacts{kTokenRevoked, "token-revoked", "110113", "110137", 'D'},
    // A code or refresh token in two hands is a security alert.
    KindFacts{kTokenReused, "token-reused", "110113", "110126", 'E'},
    KindFacts{kTokenIntrospected, "token-introspected", "110114", "", 'R'},
    KindFacts{kLaunchStarted, "launch-started", "110114", "", 'E'},
    KindFacts{kStepUp, "step-up", "110114", "110122", 'E'},
    KindFacts{kRecoveryCodesMade, "recovery-codes-made", "110113", "110137", 'C'},
    KindFacts{kRecoveryCodeUsed, "recovery-code-used", "110114", "110122", 'E'},
    KindFacts{kPasswordChanged, "password-changed", "110113", "110137", 'U'},
    KindFacts{kSessionEnded, "session-ended", "110114", "110123", 'E'},
    KindFacts{kAccountRead, "account-read", "110113", "110132", 'R'},
    KindFacts{kPasskeyOffered, "passkey-offered", "110114", "", 'E'},
    KindFacts{kPasskeyAdded, "passkey-added", "110113", "110137", 'C'},
    KindFacts{kPasskeyRemoved, "passkey-removed", "110113", "110137", 'D'},
    KindFacts{kPasskeyCounterBack, "passkey-counter-back", "110113", "110126", 'E'},
    KindFacts{kAwarenessAcknowledged, "awareness-acknowledged", "110113", "", 'E'},
    KindFacts{kProviderAsked, "provider-asked", "110114", "", 'E'},
    KindFacts{kUserAdded, "user-added", "110113", "110137", 'C'},
    KindFacts{kUserDisabled, "user-disabled", "110113", "110137", 'U'},
    KindFacts{kRoleChanged, "role-changed", "110113", "110136", 'U'},
    KindFacts{kPolicyChanged, "policy-changed", "110113", "110129", 'U'},
    KindFacts{kAuditRead, "audit-read", "110101", "", 'R'},
    KindFacts{kUserListed, "user-listed", "110113", "110132", 'R'},
    KindFacts{kVerified, "verified", "110101", "", 'R'},
    KindFacts{kAdminDenied, "admin-denied", "110113", "110132", 'E'},
    KindFacts{kClientAdded, "client-added", "110113", "110137", 'C'},
    KindFacts{kClientDisabled, "client-disabled", "110113", "110137", 'U'},
    KindFacts{kClientKeysChanged, "client-keys-changed", "110113", "110137", 'U'},
    KindFacts{kClientNetworksChanged, "client-networks-changed", "110113", "110137", 'U'},
    KindFacts{kClientsListed, "clients-listed", "110113", "110132", 'R'},
    KindFacts{kClientKeysFetched, "client-keys-fetched", "110113", "110137", 'U'},
    // Breaking the glass is a security alert: DCM 110127 emergency override started.
    KindFacts{kEmergencyBegun, "emergency-begun", "110113", "110127", 'E'},
    KindFacts{kEmergencyReviewed, "emergency-reviewed", "110113", "110128", 'U'},
    KindFacts{kAccessListChanged, "access-list-changed", "110113", "110131", 'U'},
    KindFacts{kPractitionerLinked, "practitioner-linked", "110113", "110137", 'U'},
    KindFacts{kPolicyRead, "policy-read", "110113", "110132", 'R'},
    KindFacts{kEmergenciesRead, "emergencies-read", "110101", "", 'R'},
    KindFacts{kRelabelStarted, "relabel-started", "110113", "110136", 'E'},
    KindFacts{kUserLinked, "user-linked", "110113", "110137", 'U'},
    KindFacts{kUserChanged, "user-changed", "110113", "110137", 'U'},
    KindFacts{kUserEnabled, "user-enabled", "110113", "110137", 'U'},
    KindFacts{kUserDeleted, "user-deleted", "110113", "110137", 'D'},
    KindFacts{kGroupChanged, "group-changed", "110113", "110136", 'U'},
    KindFacts{kStoreCreated, "store-created", "110113", "110134", 'C'},
    KindFacts{kStarted, "started", "110100", "110120", 'E'},
    KindFacts{kStopped, "stopped", "110100", "110121", 'E'},
    KindFacts{kUnsealed, "unsealed", "110113", "110129", 'E'},
    KindFacts{kSealed, "sealed", "110113", "110129", 'E'},
    KindFacts{kKeyOperation, "key-operation", "110113", "110129", 'E'},
    KindFacts{kKeysRead, "keys-read", "110113", "110132", 'R'},
    KindFacts{kAlertRaised, "alert-raised", "110113", "", 'C'},
    KindFacts{kLogExamined, "log-examined", "110101", "", 'R'},
    KindFacts{kAlertsRead, "alerts-read", "110101", "", 'R'},
    KindFacts{kAlertAnswered, "alert-answered", "110113", "", 'U'},
    KindFacts{kAlertSent, "alert-sent", "110100", "", 'E'},
    KindFacts{kIndexChanged, "index-changed", "110100", "", 'E'},
    KindFacts{kApprovalAsked, "approval-asked", "110113", "110137", 'C'},
    KindFacts{kApprovalGiven, "approval-given", "110113", "110137", 'U'},
    KindFacts{kApprovalRefused, "approval-refused", "110113", "110137", 'U'},
    KindFacts{kApprovalWithdrawn, "approval-withdrawn", "110113", "110137", 'D'},
    KindFacts{kApprovalExpired, "approval-expired", "110113", "110137", 'U'},
    KindFacts{kApprovalsRead, "approvals-read", "110113", "110132", 'R'},
    KindFacts{kApprovalsDemanded, "approvals-demanded", "110113", "110129", 'U'},
    KindFacts{kEmergencyModeOn, "emergency-mode-on", "110113", "110127", 'E'},
    KindFacts{kEmergencyModeOff, "emergency-mode-off", "110113", "110128", 'E'},
    KindFacts{kEmergencySignIn, "emergency-sign-in", "110113", "110127", 'E'},
    KindFacts{kUserResealed, "user-resealed", "110113", "110137", 'U'},
    KindFacts{kAddressRefused, "address-refused", "110113", "110126", 'E'},
    KindFacts{kTlsFailed, "tls-failed", "110113", "110126", 'E'},
    KindFacts{kClientCertificateFailed, "client-certificate-failed", "110113", "110126", 'E'},
    KindFacts{kMalformedRequest, "malformed-request", "110113", "", 'E'},
    KindFacts{kOverLimit, "over-limit", "110113", "", 'E'},
    KindFacts{kErasureExamined, "erasure-examined", "110113", "", 'R'},
    KindFacts{kErasureOrdered, "erasure-ordered", "110113", "", 'C'},
    KindFacts{kRecordsErased, "records-erased", "110113", "", 'D'},
    KindFacts{kVersionPurged, "version-purged", "110113", "", 'D'},
    KindFacts{kKeysDestroyed, "keys-destroyed", "110113", "110129", 'D'},
    KindFacts{kErasureCompleted, "erasure-completed", "110113", "", 'D'},
    KindFacts{kErasuresRead, "erasures-read", "110101", "", 'R'},
    KindFacts{kHoldSet, "hold-set", "110113", "110129", 'C'},
    KindFacts{kHoldLifted, "hold-lifted", "110113", "110129", 'D'},
    KindFacts{kHoldsRead, "holds-read", "110101", "", 'R'},
};

}  // namespace

KindFacts const* facts_of(EventKind kind) {
  auto const* const found = std::ranges::find(kKinds, kind, &KindFacts::kind);
  return found == kKinds.end() ? nullptr : found;
}

std::string_view name_of(EventKind kind) {
  auto const* const facts = facts_of(kind);
  return facts == nullptr ? std::string_view("unknown") : facts->name;
}

}  // namespace tacenda::audit
