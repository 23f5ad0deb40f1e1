#pragma once

#include <cstdint>
#include <string>

#include "core/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/lthash.hpp"

namespace tacenda::audit {

/// The multiset hash of the current state after the commit that changed it last.
struct StateHash {
  std::uint64_t sequence = 0;  // size of the log after that commit
  std::uint64_t count = 0;     // items
  crypto::LtHashSum sum;

  bool operator==(StateHash const&) const = default;
};

/// The sealed row "state": sequence (8) || count (8) || sum (2,048).
Bytes serialise(StateHash const& state);
/// Errors: kCorrupt.
Result<StateHash> parse_state(ByteView row);

/// The checkpoint's extension line: "state " and the base64 of HMAC(state key, the row). The row itself is
/// never shown: with it, one could look for a state with the same sum.
std::string state_line(StateHash const& state, crypto::Hmac const& state_key);

inline constexpr std::string_view kStateRow = "state";

}  // namespace tacenda::audit
