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
enum class EntryKind : std::uint8_t {
  kRead,
  kVread,
  kHistory,
  kHistoryType,
  kHistorySystem,
  kSearch,
  kEverything,
  kLastN,
  kMeta,
  kValidate,
  kExpand,
  kValidateCode,
  kLookup,
  kSubsumes,
  kCreate,
  kUpdate,
  kPatch,
  kDelete,
};

struct EntryTarget {
  EntryKind kind = EntryKind::kRead;
  std::string type;              // empty: the system
  std::optional<ResourceId> id;  // of the url, or of what a conditional entry matches
  std::string inner;             // of a search within the compartment type/id: a type, or * for every
  std::string query;             // behind the question mark: parameters, or criteria of what writes
  std::uint64_t version = 0;     // kVread
  std::optional<std::uint64_t> if_match;
  ReadConditions read_conditions;  // kRead
};

/// Reads method, url and preconditions of an entry.
/// Errors: kInvalid (url, missing or unfitting resource), kUnsupported (interaction, unknown type),
/// kNotSupported (what is there, and is no entry of a bundle).
Result<EntryTarget> target_of(fhir::BundleEntry const& entry);

}  // namespace tacenda::operations
