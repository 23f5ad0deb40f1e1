#include "access/internal/concepts.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <utility>

#include "access/labels.hpp"

namespace tacenda::access {
namespace {

using Link = std::pair<std::string_view, std::string_view>;  // code, the one above it

// Source: CodeSystem v3-ActReason of FHIR R4 4.0.1, below PurposeOfUse. Sorted by code.
constexpr auto kPurposes = std::to_array<Link>({
    {"BIORCH", "HRESCH"},      {"BTG", "ETREAT"},           {"CAREMGT", "HOPERAT"},
    {"CLINTRCH", "HRESCH"},    {"CLINTRCHNPC", "CLINTRCH"}, {"CLINTRCHPC", "CLINTRCH"},
    {"CLINTRL", "TREAT"},      {"CLMATTCH", "HPAYMT"},      {"COC", "TREAT"},
    {"COVAUTH", "HPAYMT"},     {"COVERAGE", "HPAYMT"},      {"DISASTER", "PUBHLTH"},
    {"DONAT", "HOPERAT"},      {"DSRCH", "HRESCH"},         {"ELIGDTRM", "COVERAGE"},
    {"ELIGVER", "COVERAGE"},   {"ENROLLM", "COVERAGE"},     {"ERTREAT", "ETREAT"},
    {"ETREAT", "TREAT"},       {"FAMRQT", "PATRQT"},        {"FRAUD", "HOPERAT"},
    {"GOV", "HOPERAT"},        {"HACCRED", "HOPERAT"},      {"HCOMPL", "HOPERAT"},
    {"HDECD", "HOPERAT"},      {"HDIRECT", "HOPERAT"},      {"HDM", "HOPERAT"},
    {"HLEGAL", "HOPERAT"},     {"HOUTCOMS", "HOPERAT"},     {"HPRGRP", "HOPERAT"},
    {"HQUALIMP", "HOPERAT"},   {"HSYSADMIN", "HOPERAT"},    {"HTEST", "SYSDEV"},
    {"LABELING", "HSYSADMIN"}, {"MEMADMIN", "HOPERAT"},     {"METAMGT", "HSYSADMIN"},
    {"MILCDM", "HOPERAT"},     {"MILDCRG", "COVERAGE"},     {"PATADMIN", "HOPERAT"},
    {"PATSFTY", "HOPERAT"},    {"PERFMSR", "HOPERAT"},      {"POARCH", "HRESCH"},
    {"POPHLTH", "TREAT"},      {"PRECLINTRCH", "CLINTRCH"}, {"PWATRNY", "PATRQT"},
    {"RECORDMGT", "HOPERAT"},  {"REMITADV", "HPAYMT"},      {"SUPNWK", "PATRQT"},
    {"SYSDEV", "HOPERAT"},     {"THREAT", "PUBHLTH"},       {"TRAIN", "HOPERAT"},
    {"TRANSRCH", "HRESCH"},
});
static_assert(std::ranges::is_sorted(kPurposes, {}, &Link::first));

// Source: CodeSystem v3-ActCode of FHIR R4 4.0.1, below _ActInformationSensitivityPolicy. Sorted by code.
constexpr auto kSensitivities = std::to_array<Link>({
    {"BH", "SPI"},
    {"COGN", "BH"},
    {"DVD", "BH"},
    {"EMOTDIS", "BH"},
    {"ETHUD", "SUD"},
    {"MH", "SPI"},
    {"OPIOIDUD", "SUD"},
    {"PSY", "SPI"},
    {"PSYTHPN", "SPI"},
    {"SUD", "SPI"},
});
static_assert(std::ranges::is_sorted(kSensitivities, {}, &Link::first));

bool is_within(std::span<Link const> links, std::string_view code, std::string_view broader) {
  constexpr int kLevels = 4;  // the tables have fewer
  for (int level = 0; level < kLevels; ++level) {
    if (code == broader) return true;
    auto const above = std::ranges::lower_bound(links, code, {}, &Link::first);
    if (above == links.end() || above->first != code) return false;
    code = above->second;
  }
  return false;
}

}  // namespace

bool is_confidentiality_system(std::string_view system) {
  return system == kConfidentialitySystem || system == "http://hl7.org/fhir/v3/Confidentiality" ||
         system == "urn:oid:2.16.840.1.113883.5.25";
}

bool is_purpose_within(std::string_view code, std::string_view broader) {
  return is_within(kPurposes, code, broader);
}

bool is_label_within(std::string_view code, std::string_view broader) {
  return is_within(kSensitivities, code, broader);
}

}  // namespace tacenda::access
