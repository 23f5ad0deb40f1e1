#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/error.hpp"
#include "fhir/issues.hpp"
#include "fhir/resource.hpp"

namespace tacenda::fhir {

enum class BundleType : std::uint8_t { kBatch, kTransaction };

inline constexpr std::size_t kEntryIssues = 5;  // reported of one entry of a batch

/// One entry of a batch or transaction. Texts that are absent are empty.
struct BundleEntry {
  std::string full_url;
  std::string method;
  std::string url;
  std::string if_match;
  std::string if_none_exist;
  std::string if_none_match;
  std::string if_modified_since;
  std::optional<Resource> resource;
  /// What is wrong with this entry of a batch, whose entries fail alone; then there is no resource. Always
  /// empty in a transaction, which fails as a whole. A few only: there may be very many entries.
  Issues issues{kEntryIssues};
};

struct Bundle {
  BundleType type = BundleType::kBatch;
  std::vector<BundleEntry> entries;
};

/// Parses a batch or transaction Bundle of JSON or XML and reports everything that is wrong, by paths such as
/// "Bundle.entry[3].resource.birthDate"; resources are moved out of the document, not copied. Wrong are also
/// an entry without request and a fullUrl that two entries have; more than limits::kBundleEntries entries and
/// more than limits::kBundleBodyBytes are kTooLong. What XML alone can have wrong (see read_xml) fails a
/// batch as a whole, as JSON that is not well-formed does. Source: R4 http.html#transaction, bundle.html.
Checked<Bundle> check_bundle(std::string_view text, Format format = Format::kJson);
/// The same with the first issue as the error. Errors: kInvalid, kTooLarge.
Result<Bundle> parse_bundle(std::string_view text, Format format = Format::kJson);

/// The full URL that a relative reference means within an entry whose fullUrl is a RESTful URL: "Patient/1"
/// in "https://host/fhir/Observation/2" is "https://host/fhir/Patient/1". nullopt when either is of another
/// form. Source: R4 bundle.html#references.
std::optional<std::string> resolve_in_entry(std::string_view full_url, std::string_view reference);

}  // namespace tacenda::fhir
