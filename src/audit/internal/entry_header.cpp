#include "audit/internal/entry_header.hpp"

#include <algorithm>

#include "core/process.hpp"

namespace tacenda::audit {
namespace {

void put_u64(std::span<std::byte> out, std::uint64_t value) {
  for (std::size_t i = 0; i < 8; ++i) out[i] = static_cast<std::byte>(value >> (56U - 8U * i));
}

bool is_outcome(std::uint8_t value) {
  return value == 0 || value == 4 || value == 8 || value == 12;
}

}  // namespace

void write_header(EntryHeader const& header, Bytes& out) {
  ByteWriter(out)
      .u8(kEntryFormat)
      .u16(std::to_underlying(header.kind))
      .u8(std::to_underlying(header.outcome))
      .u32(header.term)
      .u64(header.sequence)
      .u64(header.wall_ms)
      .u64(header.monotonic_ns)
      .raw(header.commitment);
}

Result<EntryHeader> read_header(ByteView entry) {
  ByteReader in(entry);
  if (TACENDA_TRY(in.u8()) != kEntryFormat) {
    return fail(ErrorKind::kUnsupported, "audit entry: written by a newer version");
  }
  EntryHeader header;
  header.kind = static_cast<EventKind>(TACENDA_TRY(in.u16()));
  std::uint8_t const outcome = TACENDA_TRY(in.u8());
  if (!is_outcome(outcome)) return fail(ErrorKind::kCorrupt, "audit entry: no such outcome");
  header.outcome = static_cast<Outcome>(outcome);
  header.term = TACENDA_TRY(in.u32());
  header.sequence = TACENDA_TRY(in.u64());
  header.wall_ms = TACENDA_TRY(in.u64());
  header.monotonic_ns = TACENDA_TRY(in.u64());
  ByteView const commitment = TACENDA_TRY(in.raw(sizeof(Digest)));
  std::ranges::copy(commitment, header.commitment.begin());
  return header;
}

void stamp_key(std::span<std::byte> key, std::uint64_t sequence) {
  TACENDA_ASSERT(key.size() >= 8);
  put_u64(key.last(8), sequence);
}

void stamp_entry(std::span<std::byte> entry, std::uint64_t sequence, std::uint64_t wall_ms,
                 std::uint64_t monotonic_ns) {
  TACENDA_ASSERT(entry.size() >= kHeaderBytes);
  put_u64(entry.subspan(kStampOffset, 8), sequence);
  put_u64(entry.subspan(kStampOffset + 8, 8), wall_ms);
  put_u64(entry.subspan(kStampOffset + 16, 8), monotonic_ns);
}

}  // namespace tacenda::audit
