#include "core/process.hpp"

#include <sys/prctl.h>
#include <sys/resource.h>

#include <cstdlib>

#include "core/log.hpp"

namespace tacenda {

void die(Literal message, std::source_location where) {
  log(LogLevel::kError, message, {{"file", OperatorText{where.file_name()}}, {"line", where.line()}});
  std::_Exit(70);
}

Result<void> forbid_core_dumps() {
  rlimit const none{0, 0};
  if (::setrlimit(RLIMIT_CORE, &none) != 0)
    return fail(ErrorKind::kUnavailable, "core dumps cannot be forbidden");
  if (::prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) != 0)
    return fail(ErrorKind::kUnavailable, "tracing cannot be forbidden");
  return {};
}

}  // namespace tacenda
