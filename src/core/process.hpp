#pragma once

#include "core/error.hpp"

namespace tacenda {

/// Ends the process without unwinding, after one line on standard error. For a broken promise of the
/// programmer and for the end after a failed fsync; never for input from outside.
[[noreturn]] void die(Literal message, std::source_location where = std::source_location::current());

/// Forbids core dumps and tracing by other processes of the same user (S-05): RLIMIT_CORE 0 and
/// PR_SET_DUMPABLE 0. Errors: kUnavailable.
Result<void> forbid_core_dumps();

}  // namespace tacenda

/// States what the programmer guarantees; stays on in release.
#define TACENDA_ASSERT(condition) \
  (static_cast<bool>(condition) ? void() : ::tacenda::die("assertion failed: " #condition))
