#pragma once

#include <string_view>

namespace tacenda::operations {

/// Code of the date search parameter that tells when the care that a resource of the type is about took
/// place; empty: none does. Source: R4 search parameter registry; patient-operation-everything.html ("care
/// dates, not record currency dates").
std::string_view care_date_of(std::string_view type);

}  // namespace tacenda::operations
