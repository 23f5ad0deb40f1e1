#include "codec/text.hpp"

#include <cstdint>
#include <cstdlib>

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
  if (auto const time = codec::parse_instant(text); time.has_value()) {
    if (codec::parse_instant(codec::format_instant(*time)).value() != *time) std::abort();
  }
  if (auto const time = codec::parse_http_date(text); time.has_value()) {
    if (codec::parse_http_date(codec::format_http_date(*time)).value() != *time) std::abort();
  }
  (void)codec::parse_query(text);
  (void)codec::hex_decode(text);
  return 0;
}
