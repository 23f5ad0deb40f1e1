#include "operations/internal/stored_record.hpp"

namespace tacenda::operations {

StoredRecord stored_record(Services const& services, std::string_view type, std::string_view id,
                           std::function<void(RecordFacts const&)> const& look) {
  StoredRecord stored;
  auto const place = ResourceId::parse(id);
  if (!place.has_value()) return stored;
  auto const looked = services.store.with_facts(
      services.gate.system_permit(Action::kRead), type, *place, [&](RecordFacts const& facts) {
        stored.patients.assign(facts.patients.begin(), facts.patients.end());
        stored.watch = services.gate.watch(facts.patients);
        if (look) look(facts);
        if (!facts.may_have_labels || facts.content == nullptr) return;
        auto const text = facts.content->text();
        if (text) stored.watch |= access::watch_of_text(*text);
        if (!text) stored.watch.very_restricted = true;
      });
  if (!looked.has_value() && looked.error().kind() != ErrorKind::kNotFound)
    stored.watch.very_restricted = true;
  return stored;
}

}  // namespace tacenda::operations
