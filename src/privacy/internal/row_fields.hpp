#pragma once

#include <optional>
#include <string>

#include "core/bytes.hpp"
#include "core/clock.hpp"

/// Fields that rows of erasures and of holds have alike. A time that is none stands as 0.
namespace tacenda::privacy {

inline Result<std::string> read_text(ByteReader& reader) {
  return std::string(as_text(TACENDA_TRY(reader.sized())));
}

inline std::uint64_t ms_of(std::optional<Time> const& time) {
  return time ? to_unix_ms(*time) : 0;
}

inline Result<std::optional<Time>> read_time(ByteReader& reader) {
  auto const ms = TACENDA_TRY(reader.u64());
  return ms == 0 ? std::optional<Time>() : from_unix_ms(ms);
}

}  // namespace tacenda::privacy
