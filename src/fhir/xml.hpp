#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "codec/json.hpp"
#include "core/limits.hpp"
#include "fhir/issues.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

/// Reads a resource of FHIR XML as the JSON document that says the same: text of numbers, ids and extensions
/// of primitives (`_name`, null where an array has no value), contained resources, and narratives byte for
/// byte. Values are not judged: what Resource::check would refuse in JSON comes through as it is. Comments
/// and xsi:schemaLocation are left out.
///
/// Reports everything that JSON could not say: text that is not well-formed or too deep, another namespace,
/// elements and attributes that the definitions do not know, or twice, or out of their order. Never quotes
/// the document. A report of a text that is not well-formed ends there.
/// Source: R4 xml.html.
Checked<codec::Json> read_xml(std::string_view text, std::size_t size_bytes_max = limits::kBodyBytes);

/// Writes a resource as FHIR XML: one line, UTF-8, elements in the order of the definitions,
/// which the read_xml of this server and others takes back. A narrative is written as it is when it is a
/// well-formed div of XHTML, so that it cannot become anything else; otherwise its text stands, escaped, in a
/// div. A character that XML does not have (U+FFFE, U+FFFF) becomes U+FFFD.
/// Source: R4 xml.html.
std::string write_xml(Resource const& resource);

}  // namespace tacenda::fhir
