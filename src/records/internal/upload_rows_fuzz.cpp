// Rows of uploads come from the disk. What was accepted must be written again as the same bytes.
#include "records/internal/upload_rows.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const row(reinterpret_cast<std::byte const*>(data), size);
  if (auto const upload = records::decode_upload(row); upload.has_value())
    TACENDA_ASSERT(equal(records::encode_upload(*upload), row));
  if (auto const id = records::parse_upload_key(row); id.has_value())
    TACENDA_ASSERT(equal(records::upload_key(*id), row));
  return 0;
}
