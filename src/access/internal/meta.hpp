#pragma once

#include <string_view>

#include "codec/json.hpp"

namespace tacenda::access {

/// `meta` of a resource, an object; put in behind resourceType and id where there is none. What is there and
/// is no object gives way. `resource` must be an object.
codec::Json& meta_of(codec::Json& resource);

/// A list of `parent` by name, put in where there is none; what is there and is no list gives way.
codec::Json& list_of(codec::Json& parent, std::string_view name);

codec::Json coding(std::string_view system, std::string_view code);

}  // namespace tacenda::access
