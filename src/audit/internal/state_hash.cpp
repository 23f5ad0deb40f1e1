#include "audit/internal/state_hash.hpp"

#include "codec/text.hpp"

namespace tacenda::audit {

Bytes serialise(StateHash const& state) {
  Bytes out;
  out.reserve(16 + crypto::kLtHashBytes);
  ByteWriter(out).u64(state.sequence).u64(state.count).raw(state.sum.serialise());
  return out;
}

Result<StateHash> parse_state(ByteView row) {
  ByteReader in(row);
  StateHash state;
  state.sequence = TACENDA_TRY(in.u64());
  state.count = TACENDA_TRY(in.u64());
  state.sum = TACENDA_TRY(crypto::LtHashSum::parse(in.rest()));
  return state;
}

std::string state_line(StateHash const& state, crypto::Hmac const& state_key) {
  return "state " + codec::base64_encode(state_key.sign({serialise(state)}));
}

}  // namespace tacenda::audit
