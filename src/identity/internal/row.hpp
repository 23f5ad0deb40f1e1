#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/bytes.hpp"
#include "core/error.hpp"

/// What every row of the directory is read by. All errors are kCorrupt.
namespace tacenda::identity::row {

inline constexpr std::uint8_t kFormat = 1;

inline Result<void> read_format(ByteReader& reader) {
  if (TACENDA_TRY(reader.u8()) != kFormat) return fail(ErrorKind::kCorrupt, "a directory row has an unknown format");
  return {};
}

inline Result<void> check_end(ByteReader const& reader) {
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "a directory row is longer than its fields");
  return {};
}

inline Result<std::string> read_text(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

/// How many items follow: at most `most`.
inline Result<std::uint32_t> read_count(ByteReader& reader, std::size_t most) {
  std::uint32_t const count = TACENDA_TRY(reader.u32());
  if (count > most) return fail(ErrorKind::kCorrupt, "a directory row has more items than there can be");
  return count;
}

}  // namespace tacenda::identity::row
