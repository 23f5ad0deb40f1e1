#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

enum class BundleType : std::uint8_t { kBatch, kTransaction };

/// One entry of a batch or transaction. Texts that are absent are empty.
struct BundleEntry {
  std::string full_url;
  std::string method;
  std::string url;
  std::string if_match;
  std::string if_none_exist;
  std::optional<Resource> resource;
};

struct Bundle {
  BundleType type = BundleType::kBatch;
  std::vector<BundleEntry> entries;
};

/// Parses a batch or transaction Bundle; resources are moved out of the document, not copied.
/// Errors: kInvalid (not such a Bundle, an entry without request, a broken resource, the same fullUrl twice),
/// kTooLarge (bytes, or more than limits::kBundleEntries entries), kUnsupported (other preconditions).
/// Source: R4 http.html#transaction, bundle.html.
Result<Bundle> parse_bundle(std::string_view text);

}  // namespace tacenda::fhir
