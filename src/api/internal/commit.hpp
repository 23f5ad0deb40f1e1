#pragma once

#include "api/parts.hpp"
#include "audit/event.hpp"
#include "audit/log.hpp"
#include "identity/directory.hpp"

namespace tacenda::api {

/// Commits a change of the directory with its event, and makes it effective. Errors: kUnavailable, kNoSpace:
/// nothing may be told; those of Pending::set.
Result<audit::Receipt> commit_change(audit::Log& log, identity::Pending& pending, audit::Event const& event);

/// The same of a sign-in that was right. Its event is that of a recovery code or of an emergency account
/// where it was one; the first sign-in to an emergency account in an emergency leaves a task to review it
/// (S-03). Errors: as above; kThrottled (too many such tasks wait).
Result<audit::Receipt> commit_sign_in(Parts const& parts, identity::Directory::Attempt& attempt,
                                      audit::Event event);

}  // namespace tacenda::api
