// An error's message is known when the product is compiled: no value of a record can be in it.
#include "core/error.hpp"

#include <string>

namespace tacenda {

#ifdef TACENDA_MISTAKE
Result<void> refused(std::string const& name) {
  return fail(ErrorKind::kNotFound, "no patient " + name);
}
#else
Result<void> refused(std::string const& name) {
  if (name.empty()) return {};
  return fail(ErrorKind::kNotFound, "no patient of this name");
}
#endif

}  // namespace tacenda
