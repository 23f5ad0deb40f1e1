#pragma once

#include <string>

#include "net/http.hpp"
#include "operations/context.hpp"

namespace tacenda::api {

/// Turns what a request about an export came to into HTTP. `base_url` without a slash at its end.
/// Source: FHIR Bulk Data Access IG 2.0, export.html.
net::Response render_export(operations::ExportAnswer const& answer, std::string const& base_url);

}  // namespace tacenda::api
