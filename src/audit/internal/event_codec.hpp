#pragma once

#include "audit/event.hpp"
#include "core/bytes.hpp"

namespace tacenda::audit {

/// What a body says of the text of its request.
struct QueryMark {
  enum class Kind : std::uint8_t { kNone = 0, kKept = 1, kErased = 2 };
  Kind kind = Kind::kNone;
  // kKept: how many entries before this one the text lies, and the SHA-256 of its row.
  std::uint64_t back = 0;
  Digest digest{};

  bool operator==(QueryMark const&) const = default;
};

/// Appends the body of an event (format 3, docs/data-file.md): everything but kind and outcome, which stand
/// in the clear header, and the query. Zero bytes fill it up to a multiple of 16, so that its length tells
/// little.
void encode_event(Event const& event, QueryMark const& mark, Bytes& out);

/// Reads what `encode_event` wrote into `event`, whose kind, outcome and query stay as they are.
/// Errors: kCorrupt (also for bytes that encode_event would not have written), kUnsupported (newer format).
Result<QueryMark> decode_event(ByteView body, Event& event);

}  // namespace tacenda::audit
