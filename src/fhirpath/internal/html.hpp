#pragma once

#include <string_view>

namespace tacenda::fhirpath {

/// R4's txt-1 and txt-2: one well-formed XHTML <div> of the elements and attributes that a narrative may have
/// (no script, form, object or event attribute), with some text or an image in it.
/// Source: R4 narrative.html#rules.
bool is_narrative(std::string_view xhtml);

}  // namespace tacenda::fhirpath
