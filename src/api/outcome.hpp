#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "audit/event.hpp"
#include "core/error.hpp"

namespace tacenda::api {

/// HTTP status of an error: the one place that knows it (CODE_STYLE section 4).
std::uint16_t status_of(Error const& error);

/// FHIR issue code of an error (R4 valueset-issue-type).
std::string_view issue_code_of(Error const& error);

/// OperationOutcome with one issue: the code a program can act on and the literal a person can act on.
std::string outcome_json(Error const& error);
/// The same of a refused password, with advice and its score of 0 to 4.
std::string outcome_json(Error const& error, Literal advice, int score);
/// The same for a status that net itself decided on (400, 408, 413, 414, 431, 503).
std::string outcome_json(std::uint16_t status);

/// OperationOutcome of what went well: the answer to `Prefer: return=OperationOutcome`.
std::string done_json();

/// AuditEvent.outcome of an answer with this status.
audit::Outcome audit_outcome_of(std::uint16_t status);

}  // namespace tacenda::api
