#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "fhir/format.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

struct ValidateRequest {
  std::string type;
  std::optional<ResourceId> id;  // of the URL
  std::string_view body;         // a resource, or Parameters with one; empty: what is stored under `id`
  fhir::Format format = fhir::Format::kJson;                    // of the body
  std::vector<std::pair<std::string, std::string>> parameters;  // of the URL, decoded: mode, profile
};

/// $validate: [base]/[type]/$validate and [base]/[type]/[id]/$validate. What is wrong with the resource is
/// the answer and no error. A body needs the right to create or to update its type, what is stored the right
/// to read it, mode `delete` the right to delete it; nothing is written. Source: R4
/// resource-operation-validate.html. Errors: kInvalid (no JSON or XML, no resource, other parameters),
/// kTooLarge, kForbidden, kNotFound, kGone, kCorrupt.
Result<Outcome> validate(Context const& context, ValidateRequest const& request);

}  // namespace tacenda::operations
