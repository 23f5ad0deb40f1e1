#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "codec/json.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// An operation on a ValueSet or a CodeSystem. Parameters of the body win over those of the URL.
struct TerminologyRequest {
  std::string type;                                             // ValueSet or CodeSystem
  std::optional<ResourceId> id;                                 // of the URL: the resource that is meant
  std::vector<std::pair<std::string, std::string>> parameters;  // of the URL, decoded
  std::optional<codec::Json> body;                              // Parameters, checked
};

// Each needs the right to read the resource of its type; what the asker may not read is as if it were not.
// The answer is a resource, and nothing is written. A parameter that would change the answer and is not
// served is refused. Source: R4 terminology-service.html.
//
// Errors of all: kInvalid (parameters), kNotSupported, kNotFound (a value set, code system or code that is
// not here), kUnprocessable (a definition that cannot be understood), kTooCostly, kForbidden, kUnavailable.

/// ValueSet/$expand: the codes in a flat list, a page of them by `offset` and `count`. Headings that are not
/// to be recorded are marked `abstract`, and left out by `excludeNested`. An expansion that may lack codes,
/// because of a code system only a part is here, has the extension valueset-unclosed. Source: R4
/// valueset-operation-expand.html.
Result<Outcome> expand(Context const& context, TerminologyRequest const& request);

/// ValueSet/$validate-code and CodeSystem/$validate-code. Source: R4 valueset-operation-validate-code.html,
/// codesystem-operation-validate-code.html.
Result<Outcome> validate_code(Context const& context, TerminologyRequest const& request);

/// CodeSystem/$lookup. Source: R4 codesystem-operation-lookup.html.
Result<Outcome> lookup(Context const& context, TerminologyRequest const& request);

/// CodeSystem/$subsumes. Source: R4 codesystem-operation-subsumes.html.
Result<Outcome> subsumes(Context const& context, TerminologyRequest const& request);

}  // namespace tacenda::operations
