// Header and body of a stored audit entry; the first byte chooses. What was read must survive being written
// and read again.
#include <cstddef>
#include <cstdint>

#include "audit/internal/entry_header.hpp"
#include "audit/internal/event_codec.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  ByteView const input = std::as_bytes(std::span(data + 1, size - 1));
  if (data[0] % 2 == 0) {
    auto const header = audit::read_header(input);
    if (!header) return 0;
    Bytes written;
    audit::write_header(*header, written);
    TACENDA_ASSERT(equal(written, input.first(audit::kHeaderBytes)));
    return 0;
  }
  audit::Event event;
  if (!audit::decode_event(input, event)) return 0;
  Bytes written;
  audit::encode_event(event, written);
  audit::Event again;
  TACENDA_ASSERT(audit::decode_event(written, again).has_value());
  TACENDA_ASSERT(again.patients == event.patients && again.query == event.query &&
                 again.count == event.count);
  return 0;
}
