#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "access/gate.hpp"
#include "audit/event.hpp"
#include "audit/log.hpp"
#include "core/clock.hpp"
#include "core/limits.hpp"
#include "fhir/search_query.hpp"
#include "fhir/validate.hpp"
#include "identity/principal.hpp"
#include "operations/addresses.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"

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

class Validation;
class Vocabulary;

/// What every interaction may use. Outlives the call.
struct Services {
  records::Store const& store;
  access::Gate const& gate;
  audit::Log& log;
  Validation const* validation =
      nullptr;  // nullptr: nothing that is written is validated, and nothing can be
  Vocabulary const* vocabulary = nullptr;  // nullptr: no code systems and no value sets are looked for
  records::ExportJobs* exports = nullptr;  // nullptr: nothing can be exported
  std::chrono::milliseconds export_time = limits::kExportTime;  // until an export is destroyed
  Addresses::All addresses = nullptr;  // of this server, beside the one that a request names; nullptr: none
};

/// What there is to say of the resources of a request beside what came of it.
struct Remarks {
  bool wanted = false;  // also of writes that succeed (Prefer: return=OperationOutcome)
  /// What validation says of each resource that is written, by its place in the bundle (0 without one).
  /// Outlives an attempt to commit, so that nothing is validated twice.
  std::map<std::size_t, fhir::Report> reports;
  /// Of a request that is refused: an OperationOutcome with every reason. Empty: the error says all.
  std::string refusal;
  /// Patients whose resources criteria matched, also of a request that is then refused: its text is about
  /// them.
  std::set<std::string> matched;

  /// Of a transaction that is refused: what it asked by criteria and conditional references, an event each.
  /// The refusal may tell an answer, so the questions are recorded with it.
  std::vector<audit::Event> questions;

  /// What denied the request where no record did: "view", "label". A literal, for the log alone.
  std::string_view denied_by;

  /// An OperationOutcome of what was said of one resource.
  std::string outcome_of(std::size_t index) const;
};

/// The request that an interaction serves, as far as it concerns the interaction.
struct Context {
  Services const& services;
  identity::Principal const& principal;
  /// Who, from where, under which request id: copied into every event of the request.
  audit::Event const& origin;
  /// Absolute URL of the FHIR base without a slash at its end, as the client named it: "https://host/fhir".
  std::string const& base_url;
  /// Prefer: return=representation for the entries of a bundle.
  bool wants_representation = false;
  Time now{};
  Remarks* remarks = nullptr;  // nullptr: nobody wants to know
  /// Asked before each commit of a request that makes several: may the principal still act? Binds the set to
  /// the answer (identity::Directory::confirm). nullptr: always.
  std::function<Result<void>(vault::WriteSet&)> const* still_allowed = nullptr;
  /// Prefer: handling, for the searches of a bundle.
  fhir::Handling handling = fhir::Handling::kLenient;
  Deadline const* deadline = nullptr;  // of the request; nullptr: none
  /// What the Binary holds that is written: it was stored while it came (records::Transaction::hold).
  /// nullptr: what its resource has.
  records::UploadedContent const* uploaded = nullptr;
};

/// Ends what reads the index when the request's time is over. Its deadline outlives it. Errors: kTooCostly.
records::Watch watch_of(Context const& context);

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
  /// Parts of the request are committed already (batch): it must not run again, only its events are left.
  bool is_partly_committed = false;
  /// A conditional create found one match: 200 and its location in place of 201.
  bool matched = false;
  /// A conditional read: the client has this version, and `result` has no content. 304.
  bool not_modified = false;
};

/// `W/"3"` or `"3"`, as in If-Match. Errors: kInvalid.
Result<std::uint64_t> parse_etag(std::string_view etag);

/// Criteria of a conditional interaction or reference, by the search parameters that the store knows now,
/// with the codes that its value sets and code systems have now. Errors: as fhir::parse_criteria and
/// CodeCriteria::resolve.
Result<std::vector<fhir::SearchCriterion>> criteria_of(Context const& context, std::string_view type,
                                                       std::string_view query);

/// Says in an event what the access to its patients is explained by, and whether it is one that is watched:
/// for what it reaches (`watch`), or for them.
void explain(Context const& context, audit::Event& event, access::Watch watch = {});
/// A copy of the request's origin for one event.
audit::Event event_of(Context const& context, audit::EventKind kind, std::string_view type,
                      std::string_view id);
/// The event of a version that was written.
audit::Event event_of(Context const& context, audit::EventKind kind, records::Written const& written);
/// The event of a version that was read.
audit::Event event_of(Context const& context, audit::EventKind kind, records::StoredVersion const& version);

}  // namespace tacenda::operations
