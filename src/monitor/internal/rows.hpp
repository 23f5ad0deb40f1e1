#pragma once

#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"
#include "monitor/alert.hpp"

namespace tacenda::monitor {

// Keys of the monitor keeper's rows (docs/data-file.md, "Alert rows").
namespace rows {

inline constexpr char kAlert = 'a';     // sequence, rule -> alert
inline constexpr char kNetworks = 'n';  // user id -> networks he signs in from
inline constexpr char kOutgoing = 'o';  // sequence, rule -> nothing: a mail about the alert is to be sent
inline constexpr char kPosition = 'p';  // -> how far the log is looked at

inline Bytes of(char kind) {
  Bytes key;
  ByteWriter(key).u8(static_cast<std::uint8_t>(kind));
  return key;
}

inline Bytes of(char kind, AlertId id) {
  Bytes key;
  ByteWriter(key).u8(static_cast<std::uint8_t>(kind)).u64(id.sequence).u8(std::to_underlying(id.rule));
  return key;
}

inline Bytes of(char kind, std::string_view text) {
  Bytes key;
  ByteWriter(key).u8(static_cast<std::uint8_t>(kind)).raw(as_bytes(text));
  return key;
}

/// Errors: kCorrupt.
inline Result<AlertId> id_of(ByteView key) {
  ByteReader in(key.subspan(1));
  AlertId id;
  id.sequence = TACENDA_TRY(in.u64());
  id.rule = static_cast<Rule>(TACENDA_TRY(in.u8()));
  if (!in.done()) return fail(ErrorKind::kCorrupt, "an alert has another key");
  return id;
}

}  // namespace rows
}  // namespace tacenda::monitor
