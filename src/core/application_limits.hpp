#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// The bounds of applications (OAuth 2.1, SMART) and of uploads, beside core/limits.hpp.
namespace tacenda::limits {

inline constexpr std::chrono::seconds kServiceAccess{300};   // an access token of a backend service
inline constexpr std::chrono::minutes kAssertionAge{5};      // how far ahead an assertion may expire
inline constexpr std::chrono::seconds kAssertionSkew{30};    // between two clocks
inline constexpr std::size_t kAssertionIdBytes = 256;        // of a jti
inline constexpr std::size_t kAssertionsPerClient = 20'000;  // remembered until they expire
inline constexpr std::size_t kClients = 10'000;
inline constexpr std::size_t kClientKeys = 8;
inline constexpr std::size_t kKeyIdBytes = 256;          // of a kid
inline constexpr std::chrono::seconds kKeysTime{5};      // to get a set of keys from its address
inline constexpr std::chrono::seconds kKeysLife{300};    // of a set whose answer says nothing
inline constexpr std::chrono::seconds kKeysLifeMin{10};  // so long an address is not asked again
inline constexpr std::chrono::seconds kKeysLifeMax{3'600};
inline constexpr std::chrono::seconds kKeysRetry{30};  // after a failure
inline constexpr std::size_t kKeysWaiting = 3;         // beside who asks, for keys of one application
inline constexpr std::size_t kRedirectUris = 16;       // of one client
inline constexpr std::size_t kRedirectUriBytes = 1'024;
inline constexpr std::size_t kFormFields = 256;
inline constexpr std::chrono::minutes kPersonAccess{15};  // an access token of an application of a person
inline constexpr std::chrono::minutes kAuthorizationTime{10};  // to sign in and decide
inline constexpr std::chrono::seconds kCodeLife{60};
inline constexpr std::chrono::minutes kCodeMemory{15};  // so long a code that was used is known
inline constexpr std::size_t kCodes = 10'000;
inline constexpr std::size_t kCodesPerUser = 50;       // those that were used among them
inline constexpr std::chrono::minutes kLaunchLife{5};  // until the application shows its handle
inline constexpr std::size_t kLaunches = 10'000;
inline constexpr std::size_t kLaunchesPerUser = 50;
inline constexpr std::size_t kIntentBytes = 64;
inline constexpr std::size_t kAskedScopes = 100;  // of one authorization
inline constexpr std::size_t kStateBytes = 2'048;
inline constexpr std::chrono::hours kOfflineIdle{24 * 100};  // a refresh token that is not used
inline constexpr std::chrono::hours kOfflineAbsolute{24 * 400};
inline constexpr std::size_t kGrantsPerUser = 200;
inline constexpr std::size_t kGrantedScopes = 200;  // of one token
inline constexpr std::size_t kScopeConditions = 8;  // search conditions in one scope

inline constexpr std::size_t kRateApplication =
    5'000;  // requests a second of one application, for all people together; 0: no limit

// Uploads of what a Binary holds, taken while they come (docs/binary.md)
inline constexpr std::uint64_t kUploadBytes = std::uint64_t{1} << 30U;
inline constexpr std::size_t kUploads = 64;  // under way
inline constexpr std::size_t kUploadsPerUser = 16;
inline constexpr std::size_t kUploadHeldBytes = std::size_t{1}
                                                << 20U;  // up to here it is held, and stored at its end

// Of limits::kPasskeyChallengesUsed, that nobody fills the memory alone
inline constexpr std::size_t kPasskeyChallengesPerUser = 100;
inline constexpr std::size_t kProviderSignInsPerNetwork = 5'000;

// Accounts that an identity provider keeps (SCIM)
inline constexpr std::size_t kProvisionedAccounts = 250'000;  // deleted ones, too
inline constexpr std::size_t kProvisionedGroups = 10'000;
inline constexpr std::size_t kGroupsPerAccount = 256;
inline constexpr std::size_t kMembersChangedAtOnce = 10'000;
inline constexpr std::size_t kProvisionedTextBytes = 256;  // of a user name, an external id, a display name
inline constexpr std::size_t kScimBodyBytes = 2 * 1024 * 1024;
inline constexpr std::size_t kScimOperations = 1'000;  // of one PATCH
inline constexpr std::size_t kScimPage = 100;          // default count
inline constexpr std::size_t kScimPageMax = 200;
inline constexpr std::chrono::hours kProvisioningToken{
    24 * 180};  // of an account that provisions and does nothing else

// What two persons must agree to (S-12)
inline constexpr std::chrono::hours kApprovalTime{24};      // until a request, or what came of it, is over
inline constexpr std::chrono::hours kApprovalKept{7 * 24};  // so long a decided one can be looked at
inline constexpr std::size_t kApprovalsPerAsker = 32;       // that wait
inline constexpr std::size_t kApprovalsWaiting = 200;       // of all who ask

}  // namespace tacenda::limits
