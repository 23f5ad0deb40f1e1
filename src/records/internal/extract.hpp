#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {

/// The index terms of a resource, sorted, each once: what every search parameter of its type finds in it.
/// Depends on the document alone, so that the rows of an older version can be found again when they must go.
/// A parameter whose expression fails on a document finds nothing in it. Thread-safe. Errors: kBug (a shipped
/// expression does not compile).
Result<std::vector<Term>> terms_of(codec::Json const& resource);

/// The terms of each contained resource of a type that the resource refers to by a parameter. Thread-safe.
/// Errors: as terms_of.
Result<std::vector<std::vector<Term>>> contained_terms_of(codec::Json const& resource,
                                                          std::uint32_t parameter, std::string_view type);

}  // namespace tacenda::records
