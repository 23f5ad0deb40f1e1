// The state of the index comes from the disk. What was accepted must be written again as the same state.
#include "records/internal/index_state.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  auto const state = records::parse_index_state({reinterpret_cast<std::byte const*>(data), size});
  if (!state.has_value()) return 0;
  auto const again = records::parse_index_state(records::to_bytes(*state));
  TACENDA_ASSERT(again.has_value() && *again == *state);
  return 0;
}
