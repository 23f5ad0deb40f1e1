#include "operations/internal/hold.hpp"

#include <algorithm>

#include "codec/web_address.hpp"
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

/// Nothing is sent there yet, and nobody shall find it there on the day that something is (W-06).
Result<void> check_endpoint(fhir::Resource const& resource) {
  if (resource.type() != "Subscription") return {};
  auto const* channel = resource.json().find("channel");
  auto const* endpoint = channel == nullptr ? nullptr : channel->find("endpoint");
  if (endpoint == nullptr) return {};
  auto const host = endpoint->is_string() ? codec::host_of_https(endpoint->as_string()) : std::nullopt;
  if (host && codec::is_public_host(*host)) return {};
  return fail(
      ErrorKind::kUnprocessable,
      "Subscription.channel.endpoint must be an https URL without a user, at a name or address of the "
      "internet");
}

/// What is demanded of resources that the server itself goes by, whatever the mode of validation is.
Result<void> check_own_use(fhir::Resource const& resource) {
  TACENDA_TRY_VOID(check_search_parameter(resource));
  return check_endpoint(resource);
}

Result<void> refuse_errors(fhir::Report const& errors, Remarks& remarks) {
  if (errors.is_valid()) return {};
  remarks.refusal = codec::write_json(fhir::to_outcome(errors));
  return fail(ErrorKind::kUnprocessable, kRefused);
}

}  // namespace

Result<void> hold(Context const& context, fhir::Resource const& resource) {
  TACENDA_TRY_VOID(check_own_use(resource));
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
  for (auto const& entry : entries) TACENDA_TRY_VOID(check_own_use(*entry.resource));
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
