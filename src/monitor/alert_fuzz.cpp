// Rows of the monitor come from the disk, ids of alerts from the command line. What was accepted must be
// written again as the same bytes.
#include "monitor/alert.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"
#include "monitor/networks.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const row(reinterpret_cast<std::byte const*>(data), size);
  if (auto const alert = monitor::decode_alert({}, row); alert.has_value())
    TACENDA_ASSERT(equal(monitor::encode_alert(*alert), row));
  if (auto const networks = monitor::Networks::decode(row); networks.has_value())
    TACENDA_ASSERT(equal(networks->encode(), row));
  if (auto const id = monitor::AlertId::parse(as_text(row)); id.has_value())
    TACENDA_ASSERT(monitor::AlertId::parse(id->text()) == *id);
  return 0;
}
