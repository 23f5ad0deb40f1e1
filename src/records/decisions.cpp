#include "records/decisions.hpp"

#include <algorithm>
#include <array>

#include "records/internal/facts.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/keys.hpp"
#include "records/store.hpp"

namespace tacenda::records {
namespace {

constexpr auto kDeciding = std::to_array<std::string_view>(
    {"Appointment", "CareTeam", "Consent", "Encounter", "Patient", "ServiceRequest"});

}  // namespace

bool decides_about_patients(std::string_view type) {
  return std::ranges::find(kDeciding, type) != kDeciding.end();
}

Bytes decisive_guard(Decisive kind, std::string_view name) {
  // No row has such a key: the guard can meet no row's guard.
  constexpr std::string_view kPrefix = "?decides ";
  Bytes guard;
  guard.reserve(kPrefix.size() + 1 + name.size());
  append(guard, kPrefix);
  guard.push_back(static_cast<std::byte>('0' + static_cast<int>(kind)));
  append(guard, name);
  return guard;
}

Bytes consent_guard() {
  return tacenda::to_bytes("?consents");
}

std::uint64_t Store::decided_at(Decisive kind, std::string_view name) const {
  return std::max(index_changed_at_.load(),
                  vault_->order().announced(view_.guard(decisive_guard(kind, name))));
}

void Store::depend_on_consents(vault::WriteSet& set) const {
  set.depends_on(view_.guard(consent_guard()));
}

void Store::change_decisions(vault::WriteSet& set) const {
  set.touches(view_.guard(consent_guard()));
}

Result<void> Store::with_facts(Permit const& permit, std::string_view type, ResourceId const& id,
                               std::function<void(RecordFacts const&)> const& look) const {
  auto const row = TACENDA_TRY(view_.get(current_key(type, id.view())));
  if (!row) return fail(ErrorKind::kNotFound, "there is no such resource");
  RecordOnDemand const record({*vault_, view_, nullptr}, {type, id.view()}, TACENDA_TRY(parse_row(*row)));
  if (!TACENDA_TRY(is_shown(permit, record))) return fail(ErrorKind::kNotFound, "there is no such resource");
  look(record.facts());
  return {};
}

std::uint64_t Store::committed() const {
  return vault_->order().committed();
}

Result<bool> Store::has_labels(std::string_view type) const {
  if (type == "Bundle") return true;  // as confidential as what is in it
  TACENDA_TRY_VOID(answering_index());
  auto const parameter = label_parameter(type);
  auto const at = vault_->read_point();
  auto const cursor = view_.cursor(index_prefix(parameter, {}), index_end(parameter, {}), at);
  if (cursor.valid()) return true;
  TACENDA_TRY_VOID(cursor.status());
  return false;
}

void Transaction::announce(std::string_view type, Current const& current,
                           std::vector<std::string> const& patients, bool labelled) {
  if (decides_about_patients(type)) {
    for (auto const* list : {&current.patients, &patients}) {
      for (auto const& patient : *list)
        set_.announces(view_.guard(decisive_guard(Decisive::kPatient, patient)));
    }
  }
  if (type == "Consent") {
    set_.touches(view_.guard(consent_guard()));
    set_.announces(view_.guard(decisive_guard(Decisive::kConsents, {})));
  }
  if (type == "PractitionerRole") set_.announces(view_.guard(decisive_guard(Decisive::kPractitioner, {})));
  if (labelled) set_.announces(view_.guard(decisive_guard(Decisive::kLabels, type)));
}

}  // namespace tacenda::records
