#pragma once

#include <cstdint>

namespace tacenda::fhir {

/// How a resource is written down. Source: R4 json.html, xml.html.
enum class Format : std::uint8_t { kJson, kXml };

}  // namespace tacenda::fhir
