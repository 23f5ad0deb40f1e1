#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fhir/search_query.hpp"
#include "operations/context.hpp"

namespace tacenda::operations {

/// What the client has already. Source: R4 http.html#cread, RFC 9110 section 13.
struct ReadConditions {
  std::string if_none_match;              // entity tags, or "*"; empty: none
  std::optional<Time> if_modified_since;  // not looked at when there are entity tags

  /// True when the version is what the client has.
  bool are_met_by(records::StoredVersion const& version) const;
};

/// Which elements a read shows.
struct ReadShape {
  fhir::Summary summary = fhir::Summary::kFalse;
  std::vector<std::string> elements;
  records::ContentForm content = records::ContentForm::kInText;  // of a Binary
};
/// Takes _summary and _elements from the parameters of a read or vread, and passes over the others. Source:
/// R4 search.html#summary, #elements; http.html#read. Errors: kInvalid (no query; _summary has another value,
/// or is count: a read counts nothing).
Result<ReadShape> shape_of(std::string_view query);

// A resource that is not shown whole is tagged SUBSETTED; its version is what it is. A Binary is always shown
// whole: of what it holds there is no part.

/// read: GET [base]/[type]/[id]; of what the client has, nothing is sent. Source: R4 http.html#read, #cread.
/// Errors: kNotFound, kGone, kCorrupt.
Result<Outcome> read(Context const& context, Permit const& permit, std::string_view type,
                     ResourceId const& id, ReadConditions const& conditions = {},
                     ReadShape const& shape = {});

/// vread: GET [base]/[type]/[id]/_history/[vid]. Source: R4 http.html#vread.
/// Errors: as read.
Result<Outcome> vread(Context const& context, Permit const& permit, std::string_view type,
                      ResourceId const& id, std::uint64_t version, ReadShape const& shape = {});

}  // namespace tacenda::operations
