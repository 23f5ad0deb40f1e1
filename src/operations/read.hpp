#pragma once

#include "operations/context.hpp"

namespace tacenda::operations {

/// read: GET [base]/[type]/[id]. Source: R4 http.html#read.
/// Errors: kNotFound, kGone, kCorrupt.
Result<Outcome> read(Context const& context, Permit const& permit, std::string_view type,
                     ResourceId const& id);

/// vread: GET [base]/[type]/[id]/_history/[vid]. Source: R4 http.html#vread.
/// Errors: as read.
Result<Outcome> vread(Context const& context, Permit const& permit, std::string_view type,
                      ResourceId const& id, std::uint64_t version);

}  // namespace tacenda::operations
