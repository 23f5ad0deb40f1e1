#pragma once

#include <expected>
#include <string_view>

#include "operations/context.hpp"

/// What the log says of an interaction that is refused.
namespace tacenda::operations {

/// To who may not see it, what is not there and what is not for him look alike.
bool is_hidden(Error const& error);
/// Refuses with kForbidden; `by` is for the log alone (Remarks::denied_by).
[[nodiscard]] std::unexpected<Error> deny(Context const& context, std::string_view by, Literal says);

/// How an interaction was refused.
struct Refused {
  ErrorKind kind = ErrorKind::kForbidden;
  std::string_view denied_by;  // before any record was asked about; empty: the gate is asked
};
/// Says of a refused interaction what denied it, and of one with a record whose it is and whether it is
/// watched (C-16, annex D): for the log alone.
void mark_refused(Services const& services, identity::Principal const& principal, Refused const& refused,
                  audit::Event& event);
/// Puts what denied it before the reason of an event.
void mark_denied(std::string_view by, audit::Event& event);

}  // namespace tacenda::operations
