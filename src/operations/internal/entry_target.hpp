#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "core/error.hpp"
#include "core/id.hpp"
#include "fhir/bundle.hpp"
#include "operations/read.hpp"

namespace tacenda::operations {

/// What one entry of a bundle asks for.
enum class EntryKind : std::uint8_t { kRead, kVread, kHistory, kSearch, kCreate, kUpdate, kPatch, kDelete };

struct EntryTarget {
  EntryKind kind = EntryKind::kRead;
  std::string type;
  std::optional<ResourceId> id;  // set for all but kCreate, kSearch and what is conditional
  std::string query;  // behind the question mark: of kSearch, or the criteria of kUpdate, kPatch and kDelete
  std::uint64_t version = 0;  // kVread
  std::optional<std::uint64_t> if_match;
  ReadConditions read_conditions;  // kRead
};

/// Reads method, url and preconditions of an entry.
/// Errors: kInvalid (url, missing or unfitting resource), kUnsupported (interaction, unknown type).
Result<EntryTarget> target_of(fhir::BundleEntry const& entry);

}  // namespace tacenda::operations
