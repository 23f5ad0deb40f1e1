#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
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
#include "operations/outcome.hpp"
#include "records/export_jobs.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

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
