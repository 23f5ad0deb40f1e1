#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/resource.hpp"
#include "operations/context.hpp"

/// Bulk Data: [base]/$export, [base]/Patient/$export, [base]/Group/[id]/$export and what follows a kick-off.
/// The work itself is ExportWorker's. Source: FHIR Bulk Data Access IG 2.0, export.html.
namespace tacenda::operations {

/// A kick-off, as far as HTTP gave it.
struct ExportKickOff {
  records::ExportLevel level = records::ExportLevel::kSystem;
  std::string group;  // logical id, of kGroup
  std::string url;
  std::vector<std::pair<std::string, std::string>> parameters;  // decoded, in their order
  /// Prefer: handling=lenient. Else what the server does not know or serve is refused.
  bool lenient = false;
};

/// The parameters of a POST: name and value of each. Errors: kInvalid (no Parameters, a value of another
/// type).
Result<std::vector<std::pair<std::string, std::string>>> export_parameters(fhir::Resource const& resource);

/// Makes a job. `permit` is one for Action::kExport. The members of a group, and that the patients that are
/// named are there, is looked at here. Errors: kInvalid, kNotSupported (strict), kForbidden, kNotFound (the
/// group), kTooLarge, kThrottled (limits::kExports*).
Result<Outcome> start_export(Context const& context, Permit const& permit, ExportKickOff const& kick_off);

/// Where a job stands. Errors: kNotFound (there is none, it has expired, or it is somebody else's), kBug (it
/// failed).
Result<Outcome> export_status(Context const& context, std::string_view job_id);

/// One file of a complete job, with one audit event for each patient in it. Each version is judged anew, and
/// passed over when the asker may not export it any more, for the purpose of the job, or its patient was
/// erased. Errors: kNotFound, kForbidden (another purpose is stated).
Result<Outcome> export_file(Context const& context, std::string_view job_id, std::string_view number);

/// Cancels a job, or removes one that is complete. Nobody finds it any more; its keys are destroyed a moment
/// later. Errors: kNotFound.
Result<Outcome> cancel_export(Context const& context, std::string_view job_id);

}  // namespace tacenda::operations
