// Rows of requests for a second person: what was read is written the same way.
#include "access/approvals.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  auto const input = std::as_bytes(std::span(data, size));
  auto const request = access::decode_approval(input);
  if (!request.has_value()) return 0;
  TACENDA_ASSERT(equal(access::encode_approval(*request), input));
  return 0;
}
