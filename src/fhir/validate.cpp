#include "fhir/validate.hpp"

#include <algorithm>

#include "fhir/internal/validate_base.hpp"

namespace tacenda::fhir {

using codec::Json;

namespace {

std::string_view code_of(Severity severity) {
  return severity == Severity::kError ? "error" : severity == Severity::kWarning ? "warning" : "information";
}

/// "an invariant does not hold (pat-1: SHALL at least contain a contact's details or a reference)".
std::string diagnostics_of(Finding const& finding) {
  std::string text(finding.text.view());
  if (finding.rule.empty()) return text;
  text += " (" + finding.rule;
  if (!finding.human.empty()) text += ": " + finding.human;
  return text + ")";
}

Json issue_of(std::string_view severity, std::string_view code, std::string_view diagnostics) {
  Json issue = Json::object();
  issue.set("severity", Json::string(severity));
  issue.set("code", Json::string(code));
  issue.set("diagnostics", Json::string(diagnostics));
  return issue;
}

}  // namespace

bool operator==(Finding const& a, Finding const& b) {
  return a.path == b.path && a.rule == b.rule && a.kind == b.kind && a.severity == b.severity &&
         a.text.view() == b.text.view();
}

void Report::add(Finding finding) {
  std::size_t& count = finding.severity == Severity::kError     ? errors_
                       : finding.severity == Severity::kWarning ? warnings_
                                                                : others_;
  if (count >= Issues::kMax || std::ranges::find(list_, finding) != list_.end()) return;
  ++count;
  list_.push_back(std::move(finding));
}

Json to_outcome(Report const& report) {
  Json outcome = Json::object();
  outcome.set("resourceType", Json::string("OperationOutcome"));
  Json& list = outcome.set("issue", Json::array());
  for (auto const& finding : report) {
    Json issue = issue_of(code_of(finding.severity), code_of(finding.kind), diagnostics_of(finding));
    if (!finding.path.empty()) {
      Json paths = Json::array();
      paths.push(Json::string(finding.path));
      issue.set("expression", std::move(paths));
    }
    list.push(std::move(issue));
  }
  if (report.size() == 0) list.push(issue_of("information", "informational", "nothing to report"));
  return outcome;
}

Report Validator::validate(Resource const& resource, std::span<Profile const* const> profiles) const {
  ValidationRun run(hooks_, resource.json(), steps_max_);
  BaseWalk(run).resource(resource.json(), nullptr, nullptr, profiles);
  return std::move(run).take_report();
}

}  // namespace tacenda::fhir
