#include "operations/internal/care_date.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace tacenda::operations {
namespace {

constexpr auto kCareDates = std::to_array<std::pair<std::string_view, std::string_view>>({
    {"AdverseEvent", "date"},
    {"AllergyIntolerance", "date"},
    {"Appointment", "date"},
    {"AuditEvent", "date"},
    {"CarePlan", "date"},
    {"CareTeam", "date"},
    {"ChargeItem", "occurrence"},
    {"Claim", "created"},
    {"ClaimResponse", "created"},
    {"ClinicalImpression", "date"},
    {"Communication", "sent"},
    {"CommunicationRequest", "authored"},
    {"Composition", "date"},
    {"Condition", "onset-date"},
    {"Consent", "date"},
    {"DetectedIssue", "identified"},
    {"DeviceRequest", "authored-on"},
    {"DiagnosticReport", "date"},
    {"DocumentManifest", "created"},
    {"DocumentReference", "date"},
    {"Encounter", "date"},
    {"EpisodeOfCare", "date"},
    {"ExplanationOfBenefit", "created"},
    {"FamilyMemberHistory", "date"},
    {"Flag", "date"},
    {"Goal", "start-date"},
    {"ImagingStudy", "started"},
    {"Immunization", "date"},
    {"ImmunizationRecommendation", "date"},
    {"Invoice", "date"},
    {"List", "date"},
    {"Media", "created"},
    {"MedicationAdministration", "effective-time"},
    {"MedicationDispense", "whenhandedover"},
    {"MedicationRequest", "authoredon"},
    {"MedicationStatement", "effective"},
    {"NutritionOrder", "datetime"},
    {"Observation", "date"},
    {"Procedure", "date"},
    {"Provenance", "recorded"},
    {"QuestionnaireResponse", "authored"},
    {"RequestGroup", "authored"},
    {"ResearchSubject", "date"},
    {"RiskAssessment", "date"},
    {"Schedule", "date"},
    {"ServiceRequest", "authored"},
    {"Specimen", "collected"},
    {"SupplyRequest", "date"},
    {"Task", "authored-on"},
    {"VisionPrescription", "datewritten"},
});

}  // namespace

std::string_view care_date_of(std::string_view type) {
  auto const found =
      std::ranges::find(kCareDates, type, &std::pair<std::string_view, std::string_view>::first);
  return found == kCareDates.end() ? std::string_view() : found->second;
}

}  // namespace tacenda::operations
