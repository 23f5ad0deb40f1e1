#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"

/// Records that decide about other records: whoever keeps what he learned from them asks here whether it
/// still stands.
namespace tacenda::records {

enum class Decisive : std::uint8_t {
  kPatient,       // consents and treating relations of one patient
  kPractitioner,  // roles of practitioners; without a name
  kLabels,        // labels in resources of one type
  kConsents,      // whether there are consents; without a name
};

/// True for the types that say who treats a patient, or what he consents to.
bool decides_about_patients(std::string_view type);

/// Texts of guards. `name`: logical id of the patient, or the type.
Bytes decisive_guard(Decisive kind, std::string_view name);
/// Touched by every change of a Consent: what leaves on a decision that consents bear on depends on it.
Bytes consent_guard();

}  // namespace tacenda::records
