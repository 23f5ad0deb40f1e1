// The policy is written by people. What was accepted must be accepted again from its own text, with no right
// to the audit log or to a type that does not exist.
#include "access/policy.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const policy = access::Policy::parse(text, 1);
  if (!policy.has_value()) return 0;
  auto const again = access::Policy::parse((*policy)->text(), 1);
  TACENDA_ASSERT(again.has_value() && (*again)->roles() == (*policy)->roles());
  for (auto const& name : (*policy)->roles()) {
    auto const* role = (*policy)->role(name);
    TACENDA_ASSERT(role != nullptr && !role->may(Action::kRead, "AuditEvent") &&
                   !role->may(Action::kRead, "Nonsense"));
  }
  return 0;
}
