// Rows of exports come from the disk. What was accepted must be written again as the same bytes.
#include "records/internal/export_rows.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  ByteView const row(reinterpret_cast<std::byte const*>(data), size);
  if (auto const job = records::decode_job(row); job.has_value()) {
    auto const again = records::decode_job(records::encode_job(*job));
    TACENDA_ASSERT(again.has_value() && records::encode_job(*again) == records::encode_job(*job));
  }
  if (auto const summary = records::decode_summary(row); summary.has_value())
    TACENDA_ASSERT(equal(records::encode_summary(*summary), row));
  if (auto const file = records::decode_file(row); file.has_value()) {
    auto const again = records::decode_file(records::encode_file(*file));
    TACENDA_ASSERT(again.has_value() && again->places.size() == file->places.size());
  }
  return 0;
}
