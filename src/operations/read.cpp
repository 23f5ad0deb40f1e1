#include "operations/read.hpp"

namespace tacenda::operations {

Result<Outcome> read(Context const& context, Permit const& permit, std::string_view type,
                     ResourceId const& id) {
  Outcome outcome;
  auto version = TACENDA_TRY(context.services.store.read(permit, type, id));
  outcome.events.push_back(event_of(context, audit::EventKind::kRead, version));
  outcome.result = std::move(version);
  return outcome;
}

Result<Outcome> vread(Context const& context, Permit const& permit, std::string_view type,
                      ResourceId const& id, std::uint64_t version_id) {
  Outcome outcome;
  auto version = TACENDA_TRY(context.services.store.vread(permit, type, id, version_id));
  outcome.events.push_back(event_of(context, audit::EventKind::kVread, version));
  outcome.result = std::move(version);
  return outcome;
}

}  // namespace tacenda::operations
