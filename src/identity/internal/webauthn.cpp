#include "identity/internal/webauthn.hpp"

#include <algorithm>
#include <array>
#include <memory>

#include <fido.h>
#include <fido/eddsa.h>
#include <fido/es256.h>
#include <fido/rs256.h>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "crypto/hash.hpp"
#include "identity/internal/cbor.hpp"

namespace tacenda::identity {
namespace {

// Flags of authenticator data.
constexpr std::uint8_t kUserPresent = 0x01;
constexpr std::uint8_t kUserVerified = 0x04;
constexpr std::uint8_t kBackupEligible = 0x08;
constexpr std::uint8_t kBackedUp = 0x10;
constexpr std::uint8_t kAttestedCredential = 0x40;
constexpr std::uint8_t kExtensions = 0x80;

constexpr std::size_t kFlagsOffset = 32;
constexpr std::size_t kHeaderBytes = 37;  // rpIdHash, flags, counter
constexpr std::size_t kAaguidBytes = 16;
constexpr std::size_t kClientDataBytes = 4'096;

constexpr auto kAlgorithms = std::to_array<int>({COSE_ES256, COSE_EDDSA, COSE_RS256});

struct Free {
  void operator()(fido_cred_t* it) const { ::fido_cred_free(&it); }
  void operator()(fido_assert_t* it) const { ::fido_assert_free(&it); }
  void operator()(es256_pk_t* it) const { ::es256_pk_free(&it); }
  void operator()(rs256_pk_t* it) const { ::rs256_pk_free(&it); }
  void operator()(eddsa_pk_t* it) const { ::eddsa_pk_free(&it); }
};
template <typename T>
using Owned = std::unique_ptr<T, Free>;

unsigned char const* raw(ByteView bytes) {
  return reinterpret_cast<unsigned char const*>(bytes.data());
}

Bytes copy_of(unsigned char const* bytes, std::size_t size_bytes) {
  return to_bytes(std::as_bytes(std::span(bytes, size_bytes)));
}

/// The part that every authenticator data has. Gives its flags.
Result<std::uint8_t> check_header(ByteView data, RelyingParty const& relying_party) {
  if (data.size() < kHeaderBytes) return fail(ErrorKind::kInvalid, "the authenticator data is too short");
  Digest const expected = crypto::sha256(as_bytes(relying_party.id));
  if (!equal(data.first(expected.size()), expected))
    return fail(ErrorKind::kUnauthenticated, "the passkey is for another server");
  auto const flags = std::to_integer<std::uint8_t>(data[kFlagsOffset]);
  if ((flags & kUserPresent) == 0 || (flags & kUserVerified) == 0)
    return fail(ErrorKind::kUnauthenticated, "the authenticator has not verified its user");
  if ((flags & kBackedUp) != 0 && (flags & kBackupEligible) == 0)
    return fail(ErrorKind::kInvalid, "the authenticator data contradicts itself");
  return flags;
}

/// What follows the fixed part: one key when a credential is attested, one map when there are extensions,
/// nothing more. libfido2 reads it after this.
Result<void> check_items(ByteView items, std::uint8_t flags) {
  CborReader reader(items);
  if ((flags & kAttestedCredential) != 0) TACENDA_TRY_VOID(reader.skip());
  if ((flags & kExtensions) != 0) TACENDA_TRY_VOID(reader.skip());
  if (!reader.done()) return fail(ErrorKind::kInvalid, "the authenticator data is longer than its fields");
  return {};
}

/// Where the key of an attested credential starts. Errors: kInvalid.
Result<std::size_t> key_offset(ByteView data) {
  std::size_t const id_offset = kHeaderBytes + kAaguidBytes + 2;
  if (data.size() < id_offset) return fail(ErrorKind::kInvalid, "the authenticator data is too short");
  std::size_t const id_size = std::to_integer<std::size_t>(data[id_offset - 2]) << 8U |
                              std::to_integer<std::size_t>(data[id_offset - 1]);
  if (id_size == 0 || id_size > limits::kCredentialIdBytes || id_size > data.size() - id_offset)
    return fail(ErrorKind::kInvalid, "the credential id has a length that cannot be");
  return id_offset + id_size;
}

/// The authenticator data as libfido2 keeps it for a key of one algorithm; nullptr when it is of another.
Owned<fido_cred_t> parsed_as(int algorithm, ByteView data) {
  Owned<fido_cred_t> credential(::fido_cred_new());
  if (!credential || ::fido_cred_set_type(credential.get(), algorithm) != FIDO_OK ||
      ::fido_cred_set_authdata_raw(credential.get(), raw(data), data.size()) != FIDO_OK)
    return nullptr;
  return credential;
}

/// Calls `use` with the key in the form of its algorithm. False for a key that is none.
template <typename Use>
bool with_key(Passkey const& passkey, Use use) {
  auto const* const bytes = raw(passkey.public_key);
  std::size_t const size = passkey.public_key.size();
  if (passkey.algorithm == COSE_ES256) {
    Owned<es256_pk_t> const key(::es256_pk_new());
    return key && ::es256_pk_from_ptr(key.get(), bytes, size) == FIDO_OK && use(key.get());
  }
  if (passkey.algorithm == COSE_EDDSA) {
    Owned<eddsa_pk_t> const key(::eddsa_pk_new());
    return key && ::eddsa_pk_from_ptr(key.get(), bytes, size) == FIDO_OK && use(key.get());
  }
  if (passkey.algorithm == COSE_RS256) {
    Owned<rs256_pk_t> const key(::rs256_pk_new());
    return key && ::rs256_pk_from_ptr(key.get(), bytes, size) == FIDO_OK && use(key.get());
  }
  return false;
}

}  // namespace

Result<Bytes> challenge_of(std::string_view client_data_json, std::string_view type,
                           RelyingParty const& relying_party) {
  auto const json =
      TACENDA_TRY(codec::parse_json(client_data_json, {.depth = 4, .size_bytes = kClientDataBytes}));
  if (!json.is_object()) return fail(ErrorKind::kInvalid, "the client data is no JSON object");
  if (json.text_of("type") != type)
    return fail(ErrorKind::kUnauthenticated, "the client data is of another ceremony");
  if (std::ranges::find(relying_party.origins, json.text_of("origin")) == relying_party.origins.end())
    return fail(ErrorKind::kUnauthenticated, "the passkey was used on another page than this server's");
  auto const* const cross = json.find("crossOrigin");
  bool const is_own = cross == nullptr || (cross->is_boolean() && !cross->as_boolean());
  if (!is_own || json.find("topOrigin") != nullptr)
    return fail(ErrorKind::kUnauthenticated, "the passkey was used inside another page");
  return codec::base64url_decode(json.text_of("challenge"));
}

Result<Passkey> attested_credential(ByteView data) {
  if (data.size() < kHeaderBytes) return fail(ErrorKind::kInvalid, "the authenticator data is too short");
  auto const flags = std::to_integer<std::uint8_t>(data[kFlagsOffset]);
  if ((flags & kAttestedCredential) == 0)
    return fail(ErrorKind::kInvalid, "the authenticator data has no credential");
  TACENDA_TRY_VOID(check_items(data.subspan(TACENDA_TRY(key_offset(data))), flags));
  for (int const algorithm : kAlgorithms) {
    auto const credential = parsed_as(algorithm, data);
    if (!credential) continue;
    Passkey passkey;
    auto const id = copy_of(::fido_cred_id_ptr(credential.get()), ::fido_cred_id_len(credential.get()));
    passkey.credential_id = as_text(id);
    passkey.algorithm = algorithm;
    passkey.public_key =
        copy_of(::fido_cred_pubkey_ptr(credential.get()), ::fido_cred_pubkey_len(credential.get()));
    passkey.sign_count = ::fido_cred_sigcount(credential.get());
    // A point that is on no curve would be found at the first sign-in, when it is too late.
    if (!with_key(passkey, [](auto const*) { return true; })) break;
    return passkey;
  }
  return fail(ErrorKind::kUnprocessable,
              "the passkey has a key that is not ES256, EdDSA or RS256 of 2,048 bits");
}

Result<Passkey> read_credential(ByteView data, RelyingParty const& relying_party) {
  TACENDA_TRY_VOID(check_header(data, relying_party));
  return attested_credential(data);
}

Result<Passkey> read_attestation(ByteView attestation_object, RelyingParty const& relying_party) {
  CborReader reader(attestation_object);
  std::string_view format;
  ByteView data;
  bool says_nothing = false;
  for (auto pairs = TACENDA_TRY(reader.map()); pairs > 0; --pairs) {
    auto const name = TACENDA_TRY(reader.text());
    if (name == "fmt") {
      format = TACENDA_TRY(reader.text());
    } else if (name == "attStmt") {
      auto const before = reader.rest();
      TACENDA_TRY_VOID(reader.skip());
      says_nothing = std::to_integer<std::uint8_t>(before[0]) == 0xA0;  // the empty map
    } else if (name == "authData") {
      data = TACENDA_TRY(reader.bytes());
    } else {
      return fail(ErrorKind::kInvalid, "the attestation object has a member that it cannot have");
    }
  }
  if (!reader.done()) return fail(ErrorKind::kInvalid, "the attestation object is longer than its fields");
  if (format != "none" || !says_nothing)
    return fail(ErrorKind::kUnprocessable, "attestation is not taken: ask for none");
  return read_credential(data, relying_party);
}

bool is_signed_by(Passkey const& passkey, Assertion const& assertion, RelyingParty const& relying_party) {
  auto const data = assertion.authenticator_data;
  Owned<fido_assert_t> const checked(::fido_assert_new());
  auto* const it = checked.get();
  bool const is_set =
      it != nullptr && ::fido_assert_set_count(it, 1) == FIDO_OK &&
      ::fido_assert_set_clientdata(it, raw(assertion.client_data_json), assertion.client_data_json.size()) ==
          FIDO_OK &&
      ::fido_assert_set_rp(it, relying_party.id.c_str()) == FIDO_OK &&
      ::fido_assert_set_authdata_raw(it, 0, raw(data), data.size()) == FIDO_OK &&
      ::fido_assert_set_sig(it, 0, raw(assertion.signature), assertion.signature.size()) == FIDO_OK;
  return is_set && with_key(passkey, [&](auto const* key) {
           return ::fido_assert_verify(it, 0, passkey.algorithm, key) == FIDO_OK;
         });
}

Result<std::uint32_t> verify_assertion(Passkey const& passkey, Assertion const& assertion,
                                       RelyingParty const& relying_party) {
  auto const data = assertion.authenticator_data;
  auto const flags = TACENDA_TRY(check_header(data, relying_party));
  if ((flags & kAttestedCredential) != 0)
    return fail(ErrorKind::kInvalid, "the authenticator data has a credential in an assertion");
  TACENDA_TRY_VOID(check_items(data.subspan(kHeaderBytes), flags));
  if (!is_signed_by(passkey, assertion, relying_party))
    return fail(ErrorKind::kUnauthenticated, "the signature of the passkey is wrong");
  std::uint32_t count = 0;
  for (auto const byte : data.subspan(kFlagsOffset + 1, sizeof(count)))
    count = count << 8U | std::to_integer<std::uint32_t>(byte);
  return count;
}

}  // namespace tacenda::identity
