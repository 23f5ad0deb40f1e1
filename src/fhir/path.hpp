#pragma once

#include <functional>
#include <string_view>

#include "codec/json.hpp"

namespace tacenda::fhir {

/// Calls `visit` with every value at a path of names ("agent.who") below `root`, through arrays.
void for_each_at(codec::Json const& root, std::string_view path,
                 std::function<void(codec::Json const&)> const& visit);

}  // namespace tacenda::fhir
