#pragma once

#include "audit/event.hpp"
#include "core/bytes.hpp"

namespace tacenda::audit {

// Entry, format 1 (docs/data-file.md, "Audit log"):
//    0  u8   format = 1
//    1  u16  kind
//    3  u8   outcome
//    4  u32  term of the audit key of the outer layer
//    8  u64  sequence (leaf index)
//   16  u64  wall clock, Unix ms, not before that of the entry before it
//   24  u64  monotonic clock, ns since an unknown moment of this start of the machine
//   32  32   key commitment
//   64       sealed body
// The committer knows 8 to 31; the rest is written and sealed by the caller. The leaf is the RFC 6962 hash
// of all of it.
inline constexpr std::uint8_t kEntryFormat = 1;
inline constexpr std::size_t kStampOffset = 8;
inline constexpr std::size_t kCommitmentOffset = 32;
inline constexpr std::size_t kHeaderBytes = 64;

struct EntryHeader {
  EventKind kind = EventKind::kUnknownRoute;
  Outcome outcome = Outcome::kSuccess;
  std::uint32_t term = 0;
  std::uint64_t sequence = 0;
  std::uint64_t wall_ms = 0;
  std::uint64_t monotonic_ns = 0;
  Digest commitment{};
};

void write_header(EntryHeader const& header, Bytes& out);

/// Errors: kCorrupt (too short, unknown outcome), kUnsupported (newer format).
Result<EntryHeader> read_header(ByteView entry);

/// Writes `sequence` over the last eight bytes of a row's key.
void stamp_key(std::span<std::byte> key, std::uint64_t sequence);

/// Fills in what only the committer knows.
void stamp_entry(std::span<std::byte> entry, std::uint64_t sequence, std::uint64_t wall_ms,
                 std::uint64_t monotonic_ns);

}  // namespace tacenda::audit
