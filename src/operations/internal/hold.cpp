#include "operations/internal/hold.hpp"

#include <algorithm>

#include "operations/index_worker.hpp"

namespace tacenda::operations {
namespace {

constexpr Literal kRefused("the resource does not hold what its definitions and profiles demand");

/// Adds the errors of one resource, with `root` in place of its type at the beginning of their paths.
void add_errors(fhir::Report const& from, std::string_view type, std::string const& root, fhir::Report& to) {
  for (auto finding : from) {
    if (finding.severity != fhir::Severity::kError) continue;
    if (!root.empty()) finding.path = root + finding.path.substr(std::min(type.size(), finding.path.size()));
    to.add(std::move(finding));
  }
}

/// What validation says of a resource; said before when the request is run again because others were faster.
fhir::Report const& report_of(Remarks& remarks, std::size_t index, Validation::Session& session,
                              fhir::Resource const& resource) {
  auto at = remarks.reports.find(index);
  if (at == remarks.reports.end()) at = remarks.reports.emplace(index, session.validate(resource)).first;
  return at->second;
}

Result<void> refuse_errors(fhir::Report const& errors, Remarks& remarks) {
  if (errors.is_valid()) return {};
  remarks.refusal = codec::write_json(fhir::to_outcome(errors));
  return fail(ErrorKind::kUnprocessable, kRefused);
}

}  // namespace

Result<void> hold(Context const& context, fhir::Resource const& resource) {
  TACENDA_TRY_VOID(check_search_parameter(resource));
  auto const* validation = context.services.validation;
  if (validation == nullptr || validation->mode_of(resource.type()) == ValidationMode::kOff) return {};
  Remarks own;
  Remarks& remarks = context.remarks != nullptr ? *context.remarks : own;
  Validation::Session session(*validation, context.now);
  auto const& report = report_of(remarks, 0, session, resource);
  if (validation->mode_of(resource.type()) != ValidationMode::kEnforce) return {};
  fhir::Report errors;
  add_errors(report, resource.type(), {}, errors);
  return refuse_errors(errors, remarks);
}

Result<void> hold(Context const& context, std::span<HeldEntry const> entries,
                  Validation::TargetType target_type) {
  for (auto const& entry : entries) TACENDA_TRY_VOID(check_search_parameter(*entry.resource));
  auto const* validation = context.services.validation;
  if (validation == nullptr) return {};
  Remarks own;
  Remarks& remarks = context.remarks != nullptr ? *context.remarks : own;
  Validation::Session session(*validation, context.now, std::move(target_type));
  fhir::Report errors;
  for (auto const& entry : entries) {
    auto const type = entry.resource->type();
    auto const mode = validation->mode_of(type);
    if (mode == ValidationMode::kOff) continue;
    auto const& report = report_of(remarks, entry.index, session, *entry.resource);
    if (mode != ValidationMode::kEnforce) continue;
    add_errors(report, type, "Bundle.entry[" + std::to_string(entry.index) + "].resource", errors);
    if (errors.full()) break;
  }
  return refuse_errors(errors, remarks);
}

}  // namespace tacenda::operations
