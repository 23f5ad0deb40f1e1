#include "fhir/outcome.hpp"

#include "core/process.hpp"

namespace tacenda::fhir {

using codec::Json;

Json to_outcome(Issues const& issues) {
  TACENDA_ASSERT(!issues.empty());
  Json outcome = Json::object();
  outcome.set("resourceType", Json::string("OperationOutcome"));
  Json& list = outcome.set("issue", Json::array());
  for (auto const& issue : issues) {
    Json item = Json::object();
    item.set("severity", Json::string("error"));
    item.set("code", Json::string(code_of(issue.kind)));
    item.set("diagnostics", Json::string(issue.text()));
    if (!issue.path.empty()) {
      Json paths = Json::array();
      paths.push(Json::string(issue.path));
      item.set("expression", std::move(paths));
    }
    list.push(std::move(item));
  }
  return outcome;
}

std::string outcome_text(Issues const& issues) {
  return codec::write_json(to_outcome(issues));
}

}  // namespace tacenda::fhir
