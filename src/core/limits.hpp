#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

/// Every bound of the product in one place (W-03). Where a bound is configurable, this is its default
/// and the configuration may only name values up to the `_max` beside it.
namespace tacenda::limits {

// HTTP
inline constexpr std::size_t kHeaderBytes = 16 * 1024;  // request line and header fields together
inline constexpr std::size_t kHeaderFields = 100;
inline constexpr std::size_t kUriBytes = 8 * 1024;
inline constexpr std::size_t kBodyBytes = 16 * 1024 * 1024;        // one resource, and every non-FHIR body
inline constexpr std::size_t kBundleBodyBytes = 96 * 1024 * 1024;  // POST [base] only
inline constexpr std::size_t kUnauthenticatedBodyBytes = 64 * 1024;
inline constexpr std::chrono::milliseconds kHeaderTime{
    10'000};  // from the first byte, or the accept, to the last header
inline constexpr std::chrono::milliseconds kBodyTime{60'000};
inline constexpr std::chrono::milliseconds kIdleTime{75'000};  // keep-alive without a request
inline constexpr std::chrono::milliseconds kRequestTime{60'000};
inline constexpr std::chrono::milliseconds kShutdownTime{10'000};
inline constexpr std::size_t kConnections = 12'000;
inline constexpr std::size_t kConnectionsPerAddress = 12'000;
inline constexpr std::uint32_t kHttp2Streams = 100;                       // concurrent, per connection
inline constexpr std::size_t kBodyBytesInFlight = std::size_t{1} << 30U;  // all request bodies held at once
inline constexpr std::size_t kWorkers = 64;  // threads: sized for callers that wait for a commit
inline constexpr std::size_t kWorkQueue = 4'096;

// JSON and FHIR
inline constexpr std::size_t kJsonDepth = 100;
inline constexpr std::size_t kXmlDepth =
    256;  // what JSON may hold, with wrappers of resources and a narrative
inline constexpr std::size_t kNarrativeDepth = 100;
inline constexpr std::size_t kJsonStringBytes = 48 * 1024 * 1024;
inline constexpr std::size_t kBundleEntries = 50'000;
inline constexpr std::size_t kPageSize = 100;  // default _count of history
inline constexpr std::size_t kPageSizeMax = 1'000;
inline constexpr std::size_t kCompartmentsPerResource = 4'096;  // patients that one resource may name

// Search
inline constexpr std::size_t kSearchConditions = 100;  // conditions of one query, chained ones included
inline constexpr std::size_t kSearchValues = 2'000;    // alternatives of all its conditions
inline constexpr std::size_t kSearchDepth = 8;         // links of one chain
inline constexpr std::size_t kSearchIncludes = 32;
inline constexpr std::size_t kSearchSortKeys = 8;
inline constexpr std::size_t kSearchAboveBytes = 1'000;   // of a URI whose beginnings are looked for
inline constexpr std::size_t kSearchNumberBytes = 64;     // text of a number
inline constexpr std::uint64_t kSearchRows = 40'000'000;  // rows of the index that one search may read
inline constexpr std::size_t kSearchIncluded = 1'000;     // resources that one page brings beside its matches
inline constexpr std::size_t kSearchSorted = 2'000'000;   // matches that can be sorted
inline constexpr std::size_t kSearchPage = 20;            // default _count

// Bulk export
inline constexpr std::size_t kExportFileResources = 4'000;        // lines of one file
inline constexpr std::size_t kExportFileBytes = 4 * 1024 * 1024;  // of one file, unless one line is larger
inline constexpr std::size_t kExportFiles = 1'000'000;            // of one export
inline constexpr std::size_t kExportsRunning = 8;                 // not yet complete
inline constexpr std::size_t kExportsRunningPerUser = 2;
inline constexpr std::size_t kExportsKept = 128;  // with those that are complete
inline constexpr std::size_t kExportsKeptPerUser = 16;
inline constexpr std::size_t kExportFilters = 100;           // queries of _typeFilter
inline constexpr std::size_t kExportPatients = 100'000;      // named by a request or a Group
inline constexpr std::uint64_t kExportRows = 4'000'000'000;  // rows of the index that one type may read
inline constexpr std::chrono::hours kExportTime{24};         // until an export is destroyed
inline constexpr std::chrono::hours kExportTimeMax{24 * 30};

// Storage and audit
inline constexpr std::size_t kBatchBytes = 4 * 1024 * 1024;  // a larger write set commits alone
inline constexpr std::size_t kAuditEntryBytes = 65'535;
inline constexpr std::size_t kCommitRetries = 32;
inline constexpr std::size_t kAuditPage = 10'000;

// Identity
inline constexpr std::size_t kPasswordBytes = 1'024;
inline constexpr std::size_t kUserNameBytes = 64;
inline constexpr std::uint32_t kFailuresUntilLock = 5;
inline constexpr std::uint32_t kFailuresPerAddress = 50;
inline constexpr std::chrono::minutes kLockTime{15};
inline constexpr std::uint32_t kFailuresUntilHardLock = 100;
inline constexpr std::chrono::hours kEnrolmentTime{24};
inline constexpr std::chrono::minutes kSessionIdle{15};
inline constexpr std::chrono::minutes kSessionIdleMax{60};
inline constexpr std::chrono::hours kSessionAbsolute{12};
inline constexpr std::chrono::hours kSessionAbsoluteMax{24};
inline constexpr std::chrono::minutes kStepUpAge{5};
inline constexpr std::chrono::hours kServiceToken{1};
inline constexpr std::size_t kRecoveryCodes = 10;
inline constexpr std::size_t kRecoveryCodeBytes = 10;  // 80 bits
inline constexpr std::size_t kNoticesKept = 16;
inline constexpr std::chrono::days kNoticesToldFor{30};
inline constexpr std::size_t kPasskeysPerUser = 16;
inline constexpr std::size_t kPasskeyNameBytes = 64;
inline constexpr std::size_t kCredentialIdBytes = 1'023;  // WebAuthn section 4
inline constexpr std::chrono::minutes kPasskeyChallenge{5};
inline constexpr std::size_t kPasskeyChallengesUsed = 100'000;  // remembered until they expire
inline constexpr std::size_t kNetworksPerList = 64;
inline constexpr std::size_t kAwarenessTopics = 16;

// Rates of requests (W-03): a bucket holds `burst` and gets `rate` a second; 0: no limit
inline constexpr std::size_t kRatePerson = 1'000;
inline constexpr std::size_t kRateService = 5'000;    // as an application; a bulk load sends bundles
inline constexpr std::size_t kRateAddress = 2'000;    // of those whom nobody recognised
inline constexpr std::size_t kRateBurstSeconds = 10;  // what a bucket holds, in seconds of its rate
inline constexpr std::size_t kRateMax = 1'000'000;
inline constexpr std::size_t kRateKeys = 100'000;  // buckets kept

// Proxies in front of the server (N-05)
inline constexpr std::size_t kForwardedHops = 32;
inline constexpr std::size_t kProxyHeaderBytes = 536;  // PROXY protocol: v1 has at most 107, v2 16 + 520

// Access
inline constexpr std::size_t kReasonBytes = 2'000;  // of an emergency and of its review
inline constexpr std::chrono::hours kEmergencyMax{12};
inline constexpr std::size_t kConsentsPerPatient =
    200;  // active, of the scope patient-privacy: all are looked at for each of his records
inline constexpr std::chrono::days kRelationMax{3'650};  // that a policy may name for a relation

}  // namespace tacenda::limits
