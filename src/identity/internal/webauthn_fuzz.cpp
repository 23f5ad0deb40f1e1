// What a browser hands over for a passkey; the first byte chooses which part.
#include "identity/internal/webauthn.hpp"

#include <cstddef>
#include <cstdint>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  if (size == 0) return 0;
  static identity::RelyingParty const party{"example.org", {"https://example.org"}};
  ByteView const input = std::as_bytes(std::span(data + 1, size - 1));
  switch (data[0] % 4) {
    case 0: {
      auto const challenge = identity::challenge_of(as_text(input), "webauthn.get", party);
      TACENDA_ASSERT(!challenge.has_value() || challenge->size() <= input.size());
      return 0;
    }
    case 1: {
      auto const passkey = identity::read_attestation(input, party);
      TACENDA_ASSERT(!passkey.has_value() || !passkey->credential_id.empty());
      return 0;
    }
    case 2: {
      auto const passkey = identity::attested_credential(input);
      if (passkey.has_value())
        (void)identity::is_signed_by(*passkey, {input, input, input}, party);  // must end
      return 0;
    }
    default: {
      identity::Passkey passkey;
      passkey.algorithm = -7;
      passkey.public_key = Bytes(64, std::byte{7});
      TACENDA_ASSERT(!identity::verify_assertion(passkey, {input, input, input}, party).has_value());
      return 0;
    }
  }
}
