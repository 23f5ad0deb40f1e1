#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>

#include "core/bytes.hpp"
#include "vault/subject.hpp"

namespace tacenda::audit {

// Keys of the audit keeper's rows (docs/data-file.md, "Audit log"). Numbers are big-endian, so that rows
// sort by sequence.
namespace rows {

inline constexpr char kEntry = 'e';           // sequence -> entry
inline constexpr char kLongBody = 'b';        // sequence -> sealed body of an event too long for its entry
inline constexpr char kQuery = 'q';           // sequence -> sealed text of a request
inline constexpr char kTile = 'h';            // level, index -> up to 256 hashes
inline constexpr char kTail = 'l';            // slot -> first sequence, leaf hashes of one batch
inline constexpr char kCheckpoint = 'c';      // -> signed note
inline constexpr char kPatient = 'p';         // alias, sequence -> nothing
inline constexpr char kUnknownPatient = 'n';  // id of a patient without keys, sequence -> nothing
inline constexpr char kUser = 'u';            // user id, sequence -> nothing
inline constexpr char kWatched = 'w';         // sequence of an entry with labels -> nothing

inline constexpr std::size_t kSequenceBytes = 8;

inline Bytes of(char kind) {
  return Bytes{static_cast<std::byte>(kind)};
}

inline Bytes of(char kind, std::uint64_t sequence) {
  Bytes key = of(kind);
  ByteWriter(key).u64(sequence);
  return key;
}

inline Bytes tile(unsigned level, std::uint64_t index) {
  Bytes key = of(kTile);
  ByteWriter(key).u8(static_cast<std::uint8_t>(level)).u64(index);
  return key;
}

inline Bytes tail(std::uint64_t first_sequence) {
  Bytes key = of(kTail);
  key.push_back(static_cast<std::byte>(first_sequence & 0xffU));
  return key;
}

/// Prefix of the index rows of one patient; the sequence follows.
inline Bytes patient(vault::Alias const& alias) {
  Bytes key = of(kPatient);
  append(key, ByteView(alias));
  return key;
}

/// Prefix of the index rows of one id. Its length stands first, so that no id is the prefix of another.
inline Bytes text(char kind, std::string_view id) {
  Bytes key = of(kind);
  std::string_view const kept = id.substr(0, 0xffff);
  ByteWriter(key).u16(static_cast<std::uint16_t>(kept.size())).raw(as_bytes(kept));
  return key;
}

/// The sequence at the end of a key that is known to hold one.
inline std::uint64_t sequence_of(ByteView key) {
  std::uint64_t sequence = 0;
  for (std::byte const byte : key.last(std::min(key.size(), kSequenceBytes))) {
    sequence = (sequence << 8U) | std::to_integer<std::uint64_t>(byte);
  }
  return sequence;
}

}  // namespace rows
}  // namespace tacenda::audit
