#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::privacy {

/// Who is taken out of a record of others.
struct Erased {
  std::string_view patient;  // logical id
  /// Is that resource one of his, and taken out with him?
  std::function<bool(std::string_view type, std::string_view id)> is_his;
  std::span<std::string const> base_urls;
};

/// Whom a resource is clearly about: fhir::clear_subject, and of what is of whom it names the one Patient of
/// its `for`, `subject` or `patient`; empty: none.
std::string_view subject_of(codec::Json const& resource);

/// The resource without what names the patient: each reference to him or to a record of his goes, with the
/// entry of a list that it stands in (the member of a Group, the participant of an Appointment), and the
/// narrative, which may tell of him in words. nullopt: it is about him, holds whole resources, would lack a
/// required element, or still names him. Errors: kInvalid.
Result<std::optional<fhir::Resource>> without_patient(codec::Json json, Erased const& erased);

}  // namespace tacenda::privacy
