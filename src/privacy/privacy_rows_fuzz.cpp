// Rows of erasures and holds come from the disk. What was accepted must be written again as the same bytes.
#include <cstddef>
#include <cstdint>

#include "core/process.hpp"
#include "privacy/erasure.hpp"
#include "privacy/holds.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const row(reinterpret_cast<std::byte const*>(data), size);
  if (auto const erasure = privacy::decode_erasure(row); erasure.has_value())
    TACENDA_ASSERT(equal(privacy::encode_erasure(*erasure), row));
  if (auto const hold = privacy::decode_hold(row); hold.has_value())
    TACENDA_ASSERT(equal(privacy::encode_hold(*hold), row));
  return 0;
}
