#include "codec/compress.hpp"

#include <cstdint>
#include <cstdlib>

// Bytes taken as a frame are refused or give at most what was allowed; bytes compressed come back.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  constexpr std::size_t kMax = std::size_t{1} << 20U;
  static codec::Compressor const compressor(codec::fhir_dictionary_v1());
  ByteView const input = std::as_bytes(std::span(data, size));
  Bytes out;
  if (compressor.decompress(input, kMax, out).has_value() && out.size() > kMax) std::abort();
  Bytes frame;
  if (!compressor.compress(input, frame).has_value()) std::abort();
  if (!compressor.decompress(frame, size, out).has_value() || !equal(out, input)) std::abort();
  return 0;
}
