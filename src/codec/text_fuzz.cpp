#include <cstdint>
#include <cstdlib>

#include "codec/text.hpp"

// Decoders either refuse or give what encodes to the same text again.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  if (auto const bytes = codec::base64_decode(text);
      bytes.has_value() && codec::base64_encode(*bytes) != text)
    std::abort();
  if (auto const bytes = codec::base64url_decode(text);
      bytes.has_value() && codec::base64url_encode(*bytes) != text)
    std::abort();
  if (auto const plain = codec::percent_decode(text); plain.has_value()) {
    if (codec::percent_decode(codec::percent_encode(*plain)).value() != *plain) std::abort();
  }
  if (auto const time = codec::parse_instant(text); time.has_value()) (void)codec::format_instant(*time);
  (void)codec::parse_query(text);
  (void)codec::hex_decode(text);
  return 0;
}
