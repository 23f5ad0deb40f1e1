#include <cstdint>
#include <cstdlib>

#include "codec/json.hpp"

// Whatever parses is written in a form that parses to the same value.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const json = tacenda::codec::parse_json({reinterpret_cast<char const*>(data), size});
  if (!json.has_value()) return 0;
  auto const again = tacenda::codec::parse_json(tacenda::codec::write_json(*json));
  if (!again.has_value() || !(*again == *json)) std::abort();
  return 0;
}
