#pragma once

#include <string_view>

/// The few code systems that consents and labels are written in.
namespace tacenda::access {

inline constexpr std::string_view kActCodeSystem = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The system of confidentiality codes under each name that it has or had: a label must not be lost because
/// it was written by the STU3 name or the OID.
bool is_confidentiality_system(std::string_view system);

/// True when the two are one, or `code` lies below `broader` in HL7's ActReason (purposes of use): BTG is an
/// ETREAT is a TREAT.
bool is_purpose_within(std::string_view code, std::string_view broader);
/// The same of the sensitivity codes of ActCode: ETHUD is a SUD is an SPI.
bool is_label_within(std::string_view code, std::string_view broader);

}  // namespace tacenda::access
