#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/internal/examples_testing.hpp"
#include "fhir/validate.hpp"

/// What the tests of validation share.
namespace tacenda::fhir::testing {

/// The profiles and extensions of the specification by their URLs; they were read once.
inline std::map<std::string, std::shared_ptr<Profile const>, std::less<>> const& profiles() {
  static auto const found = [] {
    std::map<std::string, std::shared_ptr<Profile const>, std::less<>> read;
    for (auto const& [name, json] : profile_definitions()) {
      read.emplace(json.text_of("url"), std::make_shared<Profile const>(Profile::parse(json).value()));
    }
    return read;
  }();
  return found;
}

/// Hooks that know the profiles and extensions of the specification, and nothing else.
inline ValidationHooks specification_hooks() {
  ValidationHooks hooks;
  hooks.profile = [](std::string_view url) -> std::shared_ptr<Profile const> {
    auto const at = profiles().find(without_version(url));
    return at == profiles().end() ? nullptr : at->second;
  };
  return hooks;
}

/// "code path" of every finding of one severity, in order; an invariant or value set by its key: "invariant
/// Patient.contact[0] pat-1".
inline std::vector<std::string> findings(Report const& report, Severity severity = Severity::kError) {
  std::vector<std::string> texts;
  for (auto const& finding : report) {
    if (finding.severity != severity) continue;
    std::string text = std::string(code_of(finding.kind)) + " " + finding.path;
    if (finding.kind == IssueKind::kInvariant) text += " " + finding.rule;
    texts.push_back(text);
  }
  return texts;
}

using List = std::vector<std::string>;

}  // namespace tacenda::fhir::testing
