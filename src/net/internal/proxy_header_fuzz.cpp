// A PROXY header, as a connection reads it: piece by piece and never beyond its end.
#include "net/internal/proxy_header.hpp"

#include <cstddef>
#include <cstdint>

#include "core/limits.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const input(reinterpret_cast<char const*>(data), size);
  std::size_t got = 0;
  while (true) {
    auto const missing = net::missing_of_proxy_header(input.substr(0, got));
    if (!missing.has_value()) return 0;
    if (*missing == 0) break;
    if (*missing > input.size() - got) return 0;
    got += *missing;
    TACENDA_ASSERT(got <= limits::kProxyHeaderBytes);
  }
  auto const client = net::client_of_proxy_header(input.substr(0, got));
  TACENDA_ASSERT(!client.has_value() || client->size() < 46);
  return 0;
}
