#include "operations/index_worker.hpp"

#include <algorithm>
#include <thread>
#include <utility>

#include "core/log.hpp"
#include "fhir/resource.hpp"

namespace tacenda::operations {
namespace {

constexpr std::chrono::milliseconds kPause{250};
constexpr int kTroubledPauses = 20;  // after a failure that may pass
constexpr std::string_view kType = "SearchParameter";

bool is_active(codec::Json const& resource) {
  return resource.text_of("status") == "active";
}

Result<fhir::ParameterDefinition> read(codec::Json const& resource) {
  auto definition = TACENDA_TRY(fhir::read_definition(resource));
  TACENDA_TRY_VOID(records::check_expressions(definition));
  return definition;
}

}  // namespace

Result<void> check_search_parameter(fhir::Resource const& resource) {
  if (resource.type() != kType || !is_active(resource.json())) return {};
  TACENDA_TRY_VOID(read(resource.json()));
  return {};
}

Result<void> IndexWorker::open() {
  return parts_.indexer.open(
      [&](vault::WriteSet set) { return commit(std::move(set), "the search index is taken up"); });
}

void IndexWorker::run(std::stop_token stop) {
  int pauses = 0;
  while (!stop.stop_requested()) {
    if (pauses == 0) {
      auto const more = step();
      if (more.has_value() && *more) continue;
      // Others were faster.
      if (!more.has_value() && more.error().kind() == ErrorKind::kConflict) continue;
      if (!more.has_value()) {
        log(LogLevel::kWarning, more.error());
        pauses = kTroubledPauses;
      }
    }
    pauses = std::max(0, pauses - 1);
    std::this_thread::sleep_for(kPause);
  }
}

Result<bool> IndexWorker::step() {
  // A definition that cannot be read keeps those that are known, and the index is written on.
  auto const looked = look();
  if (!looked.has_value()) {
    if (looked.error().kind() != ErrorKind::kCorrupt && looked.error().kind() != ErrorKind::kGone)
      return std::unexpected(looked.error());
    if (!std::exchange(is_blind_, true)) log(LogLevel::kError, looked.error());
  } else {
    is_blind_ = false;
  }
  if (wants_renewal_) {
    TACENDA_TRY_VOID(parts_.indexer.renew([&](vault::WriteSet set) {
      return commit(std::move(set), "the search index is to be written again");
    }));
    wants_renewal_ = false;
  }
  return parts_.indexer.step(parts_.gate.system_permit(Action::kVerify), [&](vault::WriteSet set) {
    return commit(std::move(set), "the search index is being written");
  });
}

Result<void> IndexWorker::look() {
  auto const newest = TACENDA_TRY(parts_.store.newest_change(kType));
  if (looked_at_ == newest) return {};
  bool const taken = TACENDA_TRY(parts_.indexer.define(
      TACENDA_TRY(definitions()),
      [&](vault::WriteSet set) { return commit(std::move(set), "the search parameters have changed"); }));
  if (taken) looked_at_ = newest;
  return {};
}

Result<std::vector<fhir::ParameterDefinition>> IndexWorker::definitions() {
  std::vector<fhir::ParameterDefinition> all;
  auto const permit = parts_.gate.system_permit(Action::kVerify);
  TACENDA_TRY_VOID(parts_.store.each(permit, kType, [&](auto const& stored) -> Result<bool> {
    auto const json = TACENDA_TRY(codec::parse_json(stored.json));
    if (!is_active(json)) return true;
    auto definition = read(json);
    if (definition.has_value()) all.push_back(std::move(*definition));
    return true;
  }));
  return fhir::effective(std::move(all));
}

Result<void> IndexWorker::commit(vault::WriteSet set, std::string_view what) {
  audit::Event event;
  event.kind = audit::EventKind::kIndexChanged;
  event.actor_name = "system";
  event.authentication = "none";
  event.client = "tacenda";
  event.reason = what;
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(parts_.log.commit(std::move(set), std::move(events)));
  return {};
}

}  // namespace tacenda::operations
