#pragma once

#include <string>

#include "core/error.hpp"
#include "core/id.hpp"
#include "fhir/resource.hpp"
#include "records/internal/row.hpp"

namespace tacenda::records {

/// The stored text of a resource: resourceType, id and meta first, without versionId and lastUpdated,
/// everything else as it came and in its order.
Document to_document(fhir::Resource const& resource, ResourceId const& id);

}  // namespace tacenda::records
