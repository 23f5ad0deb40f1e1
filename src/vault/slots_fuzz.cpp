// The slots file, before anything in it is authenticated. What was read must be written back byte for byte.
#include "vault/internal/slots.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const input = std::as_bytes(std::span(data, size));
  auto const slots = vault::decode_slots(input);
  if (!slots.has_value()) return 0;
  TACENDA_ASSERT(equal(vault::encode_slots(*slots), input));
  // A slot that nobody made opens to nothing.
  TACENDA_ASSERT(!vault::open_slots(*slots, vault::SlotKind::kKeyFile, Bytes(32)).has_value());
  return 0;
}
