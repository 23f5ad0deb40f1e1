#include "privacy/survey.hpp"

#include "fhir/compartment.hpp"
#include "privacy/internal/shared_records.hpp"
#include "privacy/internal/without_patient.hpp"

namespace tacenda::privacy {

using records::OwnedRecord;

Result<records::OwnedRecords> Survey::records_of(std::string_view patient,
                                                 std::stop_token const& stop) const {
  return finder_.records_of(patient, [&stop] { return unless_stopped(stop); });
}

Result<std::optional<codec::Json>> Survey::content_of(OwnedRecord const& record) const {
  auto const version = record.deleted ? record.version - 1 : record.version;
  auto const stored = parts_.store.vread(parts_.gate.system_permit(Action::kRead), record.type,
                                         TACENDA_TRY(ResourceId::parse(record.id)), version, records::ContentForm::kApart);
  if (stored.has_value()) return codec::parse_json(stored->json);
  // A damaged record must not keep the others; of a damaged file nobody knows what it takes with it.
  bool const is_alone =
      stored.error().kind() != ErrorKind::kUnavailable && !parts_.vault.engine().is_damaged();
  return is_alone ? Result<std::optional<codec::Json>>(std::nullopt) : std::unexpected(stored.error());
}

Result<std::string> Survey::subject_of(OwnedRecord const& record) const {
  auto const content = TACENDA_TRY(content_of(record));
  return content ? std::string(privacy::subject_of(*content)) : std::string();
}

Result<std::vector<OwnedRecord>> Survey::lost_to_others(std::string_view patient,
                                                        records::OwnedRecords const& owned,
                                                        std::stop_token const& stop) const {
  auto const addresses = parts_.addresses();
  SharedRecords shared(patient, owned.records, addresses);
  std::vector<OwnedRecord> lost;
  for (auto const* record : shared.in_order()) {
    TACENDA_TRY_VOID(unless_stopped(stop));
    if (!record->is_his) continue;
    auto content = TACENDA_TRY(content_of(*record));
    if (!content) continue;
    std::string const about(privacy::subject_of(*content));
    // Of what is deleted nothing is written any more.
    if (!record->deleted && TACENDA_TRY(without_patient(*std::move(content), shared.erased()))) continue;
    shared.note_gone(*record);
    if (!about.empty() && about != patient) lost.push_back(*record);
  }
  return lost;
}

}  // namespace tacenda::privacy
