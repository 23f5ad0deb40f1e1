// The configuration file is written by people. Whatever it says, the answer is a configuration or a problem
// that names the place.
#include "start/config.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const config = start::parse_config(text);
  TACENDA_ASSERT(config.has_value() || !config.error().text.empty());
  return 0;
}
