#pragma once

#include <string>
#include <string_view>

namespace tacenda::fhir {

inline constexpr std::string_view kFhirSpace = "http://hl7.org/fhir";
inline constexpr std::string_view kXhtmlSpace = "http://www.w3.org/1999/xhtml";

/// True when the text is one well-formed `div` of XHTML that can be put into an XML document as it stands:
/// every element in the namespace of XHTML by the text's own declarations, no deeper than
/// limits::kNarrativeDepth.
bool is_narrative(std::string_view text);

/// Appends the text so that it can stand in an attribute between double quotes, or between two tags. What
/// XML does not have (control characters, U+FFFE, U+FFFF) becomes U+FFFD.
void append_xml_text(std::string_view text, std::string& out);

}  // namespace tacenda::fhir
