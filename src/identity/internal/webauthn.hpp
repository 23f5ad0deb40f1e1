#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/bytes.hpp"
#include "identity/internal/account.hpp"
#include "identity/relying_party.hpp"

namespace tacenda::identity {

// What a browser hands over for a passkey, read and held to the rules. Nothing here has a state: who asked
// for it, and whether its challenge is open, is for identity::Passkeys.
// Source: WebAuthn level 3, sections 5.8.1 (client data), 6.1 (authenticator data), 7.1 and 7.2.

/// The challenge that a browser answered. `type`: "webauthn.create" or "webauthn.get". Errors: kInvalid (no
/// such client data), kUnauthenticated (another type or origin, embedded in a page of another origin).
Result<Bytes> challenge_of(std::string_view client_data_json, std::string_view type,
                           RelyingParty const& relying_party);

/// A new credential out of authenticator data. UP and UV are demanded; algorithms are ES256, EdDSA and
/// RS256 of 2,048 bits.
/// Name and times are still to be set. Errors: kInvalid, kUnauthenticated (another relying party, nobody
/// verified), kUnprocessable (another algorithm).
Result<Passkey> read_credential(ByteView authenticator_data, RelyingParty const& relying_party);

/// The part of read_credential behind the flags: id, algorithm, key and counter. Errors: kInvalid,
/// kUnprocessable.
Result<Passkey> attested_credential(ByteView authenticator_data);

/// The same out of an attestation object, whose format must be "none": what an authenticator says of its own
/// make is not asked for, and so not believed. Errors: those of read_credential.
Result<Passkey> read_attestation(ByteView attestation_object, RelyingParty const& relying_party);

/// What was signed for a sign-in.
struct Assertion {
  ByteView authenticator_data;
  ByteView client_data_json;
  ByteView signature;
};
/// Is the assertion signed by the key of `passkey`, for the relying party? Asks for nothing else.
bool is_signed_by(Passkey const& passkey, Assertion const& assertion, RelyingParty const& relying_party);

/// The signature counter of a right assertion by `passkey`. Errors: kUnauthenticated.
Result<std::uint32_t> verify_assertion(Passkey const& passkey, Assertion const& assertion,
                                       RelyingParty const& relying_party);

}  // namespace tacenda::identity
