#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "audit/event.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "fhir/search_query.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"
#include "vault/write_set.hpp"

/// What interactions come to.
namespace tacenda::operations {

/// A parameter of a search that was left out.
struct LeftOut {
  std::size_t index = 0;    // of the request's parameters
  std::string_view reason;  // a literal
  std::string name;         // only one that the server knows; empty: it could be anything
};

/// What a search came to.
struct SearchAnswer {
  std::vector<records::StoredVersion> matches;
  std::vector<records::StoredVersion> included;
  std::optional<std::uint64_t> total;
  std::optional<records::SearchPosition> next;
  std::vector<LeftOut> left_out;
  std::vector<std::string_view> warnings;  // of other things; literals
  bool explain = false;
  std::vector<records::SearchStep> steps;
  std::uint64_t rows_read = 0;
};

/// What an operation says and does not do: a resource as its result.
struct Advice {
  std::string outcome;
};

/// The page of a search or history that answers an entry of a bundle, as far as its links tell of it.
struct EntryPage {
  // Of the address; each is empty where the address has none.
  std::string type;
  std::string id;
  std::string inner;  // a type or * of a compartment, "_history", "$everything", "$lastn"
  std::string query;  // behind the question mark, as it came
  fhir::Handling handling = fhir::Handling::kLenient;
  std::size_t count = 0;          // of a history
  records::HistoryWindow window;  // of a history
  std::size_t event = 0;          // its first event, by its place in Outcome::events
};

/// What one entry of a batch or transaction came to.
struct EntryOutcome {
  std::variant<std::monostate, records::StoredVersion, records::Written, records::HistoryPage, SearchAnswer,
               Advice, Error>
      result;
  std::optional<EntryPage> page;  // of a search or history
  /// Commit time of the entry when it was committed by itself (batch); a transaction has one time for all.
  std::optional<Time> time;
  /// Existing resource that a conditional create matched.
  bool matched = false;
  /// As in Outcome.
  bool not_modified = false;
  /// OperationOutcome with more than the error says, or one that was asked for; empty: none.
  std::string outcome;
};

/// What a request about an export came to.
struct ExportAnswer {
  enum class Kind : std::uint8_t { kAccepted, kWaiting, kComplete, kEnded, kFile };
  Kind kind = Kind::kAccepted;
  records::ExportJob job;                         // of kAccepted and kEnded: the id alone
  std::vector<records::ExportFileSummary> files;  // kComplete
  std::uint64_t progress = 0;                     // kWaiting: resources so far
  std::string body;                               // kFile: NDJSON
};

struct BundleOutcome {
  bool transaction = false;
  std::vector<EntryOutcome> entries;
};

/// What an interaction came to, and what must become durable before anyone hears of it. The pipeline
/// commits `set` and `events` together and only then turns `result` into a response.
struct Outcome {
  std::variant<records::StoredVersion, records::Written, records::HistoryPage, SearchAnswer, BundleOutcome,
               Advice, ExportAnswer>
      result;
  vault::WriteSet set;
  std::vector<audit::Event> events;
  /// Of a batch: what it writes is committed already, and must not run again. Left are its reads, and the
  /// events of what was refused.
  struct Rest {
    std::uint64_t seen = 0;  // committed before the reads: what they rest on may not have changed since
    std::move_only_function<Result<Outcome>()> again;  // reads anew, when it has
  };
  std::optional<Rest> rest;
  /// A conditional create found one match: 200 and its location in place of 201.
  bool matched = false;
  /// A conditional read: the client has this version, and `result` has no content. 304.
  bool not_modified = false;
};

}  // namespace tacenda::operations
