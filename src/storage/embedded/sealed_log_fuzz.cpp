// Hostile bytes behind a header: a log, the entries of a registry, and the header itself.
#include <algorithm>
#include <span>

#include "storage/embedded/registry_entries.hpp"
#include "storage/embedded/sealed_format.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  auto const input = std::as_bytes(std::span(data, size));
  // Results are not looked at: it is asked only that nothing is read out of bounds and everything ends.
  (void)storage::parse_header(input);
  (void)storage::parse_registry(input);
  (void)storage::plain_size(size);
  crypto::AeadKey key;
  (void)storage::read_log(key, input, 0);
  Bytes log(storage::kHeaderBytes);
  append(log, input);
  (void)storage::read_log(key, log, 0);
  return 0;
}
