#pragma once

#include <optional>
#include <string_view>

#include "codec/json.hpp"
#include "fhir/generated/type_codes.hpp"
#include "fhir/issues.hpp"

namespace tacenda::fhir {

/// Why a value is none of a primitive type.
struct PrimitiveFault {
  IssueKind kind;
  Literal text;
};

/// nullopt when `value` is one of the primitive type: the JSON kind, the grammar, the calendar and the range.
/// Source: R4 datatypes.html#primitive, json.html#primitive.
std::optional<PrimitiveFault> fault_of(TypeCode type, codec::Json const& value);

bool is_date(std::string_view text);       // a year, a month or a day of the calendar
bool is_date_time(std::string_view text);  // a date, or a day with a time to the second and an offset
bool is_instant(std::string_view text);    // with a time
bool is_id(std::string_view text);
bool is_uuid_urn(std::string_view text);  // urn:uuid: and lower-case hexadecimal digits
bool is_oid_urn(std::string_view text);   // urn:oid:

}  // namespace tacenda::fhir
