#pragma once

#include "audit/event.hpp"
#include "core/bytes.hpp"

namespace tacenda::audit {

/// Appends the body of an event (format 1, docs/data-file.md): everything but kind and outcome, which stand
/// in the clear header. Zero bytes fill it up to a multiple of 16, so that its length tells little.
void encode_event(Event const& event, Bytes& out);

/// Reads what `encode_event` wrote into `event`, whose kind and outcome stay as they are.
/// Errors: kCorrupt (also for bytes that encode_event would not have written), kUnsupported (newer format).
Result<void> decode_event(ByteView body, Event& event);

}  // namespace tacenda::audit
