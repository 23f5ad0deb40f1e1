// Header and body of a stored audit entry, and what a row of a request's text holds; the first byte chooses.
// What was read must survive being written and read again.
#include <cstddef>
#include <cstdint>

#include "audit/internal/entry_header.hpp"
#include "audit/internal/event_codec.hpp"
#include "audit/internal/query_codec.hpp"
#include "core/id.hpp"
#include "core/process.hpp"

namespace {

using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file

void read_header_of(ByteView input) {
  auto const header = audit::read_header(input);
  if (!header) return;
  Bytes written;
  audit::write_header(*header, written);
  TACENDA_ASSERT(equal(written, input.first(audit::kHeaderBytes)));
}

void read_body(ByteView input) {
  audit::Event event;
  auto const mark = audit::decode_event(input, event);
  if (!mark) return;
  Bytes written;
  audit::encode_event(event, *mark, written);
  audit::Event again;
  auto const mark_again = audit::decode_event(written, again);
  TACENDA_ASSERT(mark_again && *mark_again == *mark);
  TACENDA_ASSERT(again.patients == event.patients && again.target == event.target &&
                 again.count == event.count);
}

void read_query_row(ByteView input) {
  auto const row = audit::decode_query_row(input);
  if (!row) return;
  Bytes written;
  audit::encode_query_row(*row, written);
  TACENDA_ASSERT(equal(written, input));
}

void read_query(ByteView input) {
  auto const query = audit::decode_query(input);
  if (!query) return;
  Bytes written;
  audit::encode_query(*query, written);
  TACENDA_ASSERT(equal(written, input));
}

void read_names(ByteView input) {
  auto const names = audit::patients_named_in(as_text(input));
  TACENDA_ASSERT(names.size() <= audit::kQueryNames);
  for (auto const& name : names) TACENDA_ASSERT(ResourceId::parse(name).has_value());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  if (size == 0) return 0;
  ByteView const input = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 5) {
    case 0:
      read_header_of(input);
      break;
    case 1:
      read_body(input);
      break;
    case 2:
      read_query_row(input);
      break;
    case 3:
      read_query(input);
      break;
    default:
      read_names(input);
  }
  return 0;
}
