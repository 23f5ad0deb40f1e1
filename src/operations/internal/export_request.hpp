#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "fhir/search_query.hpp"
#include "operations/export.hpp"

namespace tacenda::operations {

/// The logical id of a reference to a patient of this server; nullopt: it leads elsewhere.
std::optional<std::string> patient_of_reference(std::string_view reference,
                                                std::span<std::string const> addresses);

/// Reads the parameters of a kick-off into the job's request, and what was left out into its remarks. Types
/// are sorted, each once; without _type they are all that such an export can hold. Errors: as start_export.
Result<void> read_parameters(fhir::SearchParameters const& known, ExportKickOff const& kick_off,
                             std::span<std::string const> addresses, records::ExportJob& job);

/// The queries that a resource of the type may meet any of, _since among their criteria. Errors: those of
/// fhir::parse_search; kInvalid (a parameter that shapes a result).
Result<std::vector<fhir::SearchQuery>> queries_of(fhir::SearchParameters const& known,
                                                  records::ExportRequest const& request,
                                                  std::string const& type);

}  // namespace tacenda::operations
