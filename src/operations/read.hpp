#pragma once

#include <optional>
#include <string>

#include "operations/context.hpp"

namespace tacenda::operations {

/// What the client has already. Source: R4 http.html#cread, RFC 9110 section 13.
struct ReadConditions {
  std::string if_none_match;              // entity tags, or "*"; empty: none
  std::optional<Time> if_modified_since;  // not looked at when there are entity tags

  /// True when the version is what the client has.
  bool are_met_by(records::StoredVersion const& version) const;
};

/// read: GET [base]/[type]/[id]; of what the client has, nothing is sent. Source: R4 http.html#read, #cread.
/// Errors: kNotFound, kGone, kCorrupt.
Result<Outcome> read(Context const& context, Permit const& permit, std::string_view type,
                     ResourceId const& id, ReadConditions const& conditions = {});

/// vread: GET [base]/[type]/[id]/_history/[vid]. Source: R4 http.html#vread.
/// Errors: as read.
Result<Outcome> vread(Context const& context, Permit const& permit, std::string_view type,
                      ResourceId const& id, std::uint64_t version);

}  // namespace tacenda::operations
