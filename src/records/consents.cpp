// How many consents a patient may have: every record of his is judged by all of them.
#include <algorithm>

#include "core/limits.hpp"
#include "core/process.hpp"
#include "records/internal/condition.hpp"
#include "records/internal/document.hpp"
#include "records/internal/extract.hpp"
#include "records/internal/keys.hpp"
#include "records/internal/matcher.hpp"
#include "records/internal/row.hpp"
#include "records/transaction.hpp"

namespace tacenda::records {
namespace {

/// Touched by whatever gives a patient one active consent more.
Bytes consents_guard(std::string_view patient) {
  return tacenda::to_bytes("?consents of " + std::string(patient));
}

/// As decisions see it: active, and of privacy.
bool is_active_consent(codec::Json const& consent) {
  if (consent.text_of("status") != "active") return false;
  auto const* scope = consent.find("scope");
  auto const* codings = scope == nullptr ? nullptr : scope->find("coding");
  return codings != nullptr && std::ranges::any_of(codings->items(), [](codec::Json const& coding) {
           return coding.text_of("code") == "patient-privacy";
         });
}

Result<bool> holds_active_consent(ByteView body) {
  auto const document = TACENDA_TRY(open_document(body));
  return is_active_consent(TACENDA_TRY(codec::parse_json(document.text)));
}

bool is_among(std::vector<std::string> const& patients, std::string_view patient) {
  return std::ranges::find(patients, patient) != patients.end();
}

}  // namespace

Result<void> Transaction::note_consent(std::string_view id, Current const& current,
                                       fhir::Resource const* resource,
                                       std::vector<std::string> const& patients) {
  bool const is_active = resource != nullptr && is_active_consent(resource->json());
  own_consents_[std::string(id)] = is_active ? patients : std::vector<std::string>();
  if (!is_active) return {};
  bool const was_active = !current.body.empty() && TACENDA_TRY(holds_active_consent(current.body));
  for (auto const& patient : patients) {
    if (was_active && is_among(current.patients, patient)) continue;
    gaining_.insert(patient);
    set_.depends_on(view_.guard(consents_guard(patient)));
    set_.touches(view_.guard(consents_guard(patient)));
  }
  return {};
}

Result<void> Transaction::check_consents(PermitSource const& permits) {
  for (auto const& patient : std::exchange(gaining_, {})) {
    auto const own = std::ranges::count_if(own_consents_,
                                           [&](auto const& each) { return is_among(each.second, patient); });
    auto const others = TACENDA_TRY(other_consents(permits, patient));
    if (static_cast<std::size_t>(own) + others > limits::kConsentsPerPatient) {
      return fail(ErrorKind::kUnprocessable,
                  "the patient has as many active consents as there may be: end one before another is added");
    }
  }
  return {};
}

/// Active consents of a patient that this transaction does not write; what is beyond the bound is not
/// counted.
Result<std::size_t> Transaction::other_consents(PermitSource const& permits, std::string_view patient) const {
  if (!index_answers_) return other_consents_without_index(patient);
  auto const criteria = TACENDA_TRY(fhir::parse_criteria(
      extractor_->parameters(), "Consent",
      "patient=Patient/" + std::string(patient) + "&status=active&scope=patient-privacy"));
  Budget budget(limits::kSearchRows, watch_);
  SearchState const state(*vault_, view_, at_, *extractor_, {}, permits, budget);
  auto const matcher = TACENDA_TRY(Matcher::make(state, "Consent", criteria));
  auto const stream = TACENDA_TRY(matcher->open(Matcher::Walk::kPart));
  std::size_t count = 0;
  for (std::uint64_t from = 0; count <= limits::kConsentsPerPatient;) {
    auto const document = TACENDA_TRY(stream->at_or_after(from));
    if (!document) break;
    from = *document + 1;
    Candidate candidate(state, *document);
    if (!own_consents_.contains(TACENDA_TRY(candidate.facts())->id)) ++count;
  }
  return count;
}

Result<std::size_t> Transaction::other_consents_without_index(std::string_view patient) const {
  std::size_t count = 0;
  auto const visit = [&](ByteView key, ByteView row) -> Result<bool> {
    auto const place = TACENDA_TRY(parse_current_key(key));
    auto const header = TACENDA_TRY(parse_row(row));
    if (header.deleted || own_consents_.contains(place.id) || !is_among(header.patients(), patient))
      return true;
    auto const body = TACENDA_TRY(open_body(*vault_, {place.type, place.id}, header));
    if (TACENDA_TRY(holds_active_consent(body))) ++count;
    return count <= limits::kConsentsPerPatient;
  };
  TACENDA_TRY_VOID(view_.scan(current_prefix("Consent"), {}, storage::Direction::kForward, visit, &at_));
  return count;
}

}  // namespace tacenda::records
