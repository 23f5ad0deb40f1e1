// Known answers of W3C (tests/vectors/webauthn.json), and what must be refused.
#include "identity/internal/webauthn.hpp"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "identity/internal/authenticator_testing.hpp"
#include "identity/internal/cbor.hpp"

namespace tacenda::identity {
namespace {

using testing::SoftAuthenticator;

codec::Json const& vectors() {
  static codec::Json const all = [] {
    std::ifstream file(TACENDA_SOURCE_DIR "/tests/vectors/webauthn.json");
    std::string const text{std::istreambuf_iterator<char>(file), {}};
    return codec::parse_json(text, {.depth = 8, .size_bytes = std::size_t{1} << 20U}).value();
  }();
  return all;
}

RelyingParty const kExample{"example.org", {"https://example.org"}};
RelyingParty const kRecords{"records.example.org", {"https://records.example.org"}};

Bytes hex(codec::Json const* part, std::string_view name) {
  return codec::hex_decode(part->text_of(name)).value();
}

/// The authenticator data inside an attestation object.
Bytes data_in(ByteView object) {
  CborReader reader(object);
  for (auto pairs = reader.map().value(); pairs > 0; --pairs) {
    if (reader.text().value() == "authData") return to_bytes(reader.bytes().value());
    EXPECT_TRUE(reader.skip(16).has_value());
  }
  return {};
}

TEST(WebAuthnVectors, EveryKeyOfAnAllowedAlgorithmVerifiesItsSignature) {
  std::map<std::int32_t, int> seen;
  for (auto const& vector : vectors().find("vectors")->items()) {
    auto const* sign_in = vector.find("sign_in");
    auto const passkey = attested_credential(data_in(hex(vector.find("register"), "attestationObject")));
    auto const name = vector.text_of("name");
    // The RSA key of the specification has 3,488 bits; those of authenticators have 2,048, and no other is
    // taken.
    bool const is_other =
        name == "packed-es384" || name == "packed-es512" || name == "packed-ed448" || name == "packed-rs256";
    EXPECT_EQ(passkey.has_value(), !is_other) << name;
    if (!passkey.has_value()) {
      EXPECT_EQ(passkey.error().kind(), ErrorKind::kUnprocessable) << name;
      continue;
    }
    auto const data = hex(sign_in, "authenticatorData");
    auto const client_data = hex(sign_in, "clientDataJSON");
    auto signature = hex(sign_in, "signature");
    EXPECT_TRUE(is_signed_by(*passkey, {data, client_data, signature}, kExample)) << name;
    EXPECT_FALSE(is_signed_by(*passkey, {data, client_data, signature}, kRecords)) << name;
    signature.back() ^= std::byte{1};
    EXPECT_FALSE(is_signed_by(*passkey, {data, client_data, signature}, kExample)) << name;
    ++seen[passkey->algorithm];
  }
  EXPECT_GE(seen[-7], 8);
  EXPECT_EQ(seen[-8], 1);
}

TEST(WebAuthnVectors, AreTakenWholeExactlyWhenTheUserWasVerifiedOnThisPage) {
  for (auto const& vector : vectors().find("vectors")->items()) {
    auto const name = vector.text_of("name");
    auto const* sign_in = vector.find("sign_in");
    auto const passkey = attested_credential(data_in(hex(vector.find("register"), "attestationObject")));
    if (!passkey.has_value()) continue;
    auto const data = hex(sign_in, "authenticatorData");
    auto const client_data = hex(sign_in, "clientDataJSON");
    bool const verified = (std::to_integer<unsigned>(data[32]) & 0x04U) != 0;
    EXPECT_EQ(
        verify_assertion(*passkey, {data, client_data, hex(sign_in, "signature")}, kExample).has_value(),
        verified)
        << name;
    auto const challenge = challenge_of(as_text(client_data), "webauthn.get", kExample);
    bool const embedded = name.ends_with("crossOrigin") || name.ends_with("topOrigin");
    EXPECT_EQ(challenge.has_value(), !embedded) << name;
    if (challenge.has_value()) {
      EXPECT_TRUE(equal(*challenge, hex(sign_in, "challenge"))) << name;
    }
    EXPECT_FALSE(challenge_of(as_text(client_data), "webauthn.create", kExample).has_value()) << name;
    EXPECT_FALSE(challenge_of(as_text(client_data), "webauthn.get", kRecords).has_value()) << name;
  }
}

TEST(WebAuthnVectors, AnAttestationIsTakenOnlyWhenItIsNone) {
  for (auto const& vector : vectors().find("vectors")->items()) {
    auto const name = vector.text_of("name");
    auto const object = hex(vector.find("register"), "attestationObject");
    auto const data = data_in(object);
    bool const verified = (std::to_integer<unsigned>(data[32]) & 0x04U) != 0;
    EXPECT_EQ(read_attestation(object, kExample).has_value(), name.starts_with("none-") && verified) << name;
  }
}

TEST(WebAuthn, TakesAnAssertionOfEachAlgorithmAndTellsItsCounter) {
  using enum SoftAuthenticator::Algorithm;
  for (auto const algorithm : {kEs256, kEdDsa, kRs256}) {
    SoftAuthenticator authenticator("id", algorithm);
    auto const passkey = read_attestation(authenticator.attestation_object(), kRecords);
    ASSERT_TRUE(passkey.has_value()) << passkey.error().message();
    EXPECT_EQ(passkey->credential_id, "id");
    EXPECT_EQ(passkey->sign_count, 1U);
    authenticator.count = 70'000;
    auto const data = authenticator.authenticator_data(false);
    auto const client_data = authenticator.client_data("webauthn.get", "AAAA");
    auto const signature = authenticator.sign(data, client_data);
    EXPECT_EQ(verify_assertion(*passkey, {data, client_data, signature}, kRecords).value_or(0), 70'000U);
    SoftAuthenticator const other("id", algorithm);
    EXPECT_FALSE(
        verify_assertion(*passkey, {data, client_data, other.sign(data, client_data)}, kRecords).has_value());
  }
}

TEST(WebAuthn, RefusesAuthenticatorDataThatIsNotExactlyRight) {
  SoftAuthenticator authenticator("id");
  auto const taken = [&] {
    return read_attestation(authenticator.attestation_object(), kRecords).has_value();
  };
  EXPECT_TRUE(taken());
  for (unsigned const flags : {0x00U, 0x01U, 0x04U, 0x15U}) {
    authenticator.flags = static_cast<std::uint8_t>(flags);
    EXPECT_FALSE(taken()) << flags;
  }
  authenticator.flags = 0x1D;
  EXPECT_TRUE(taken()) << "a synced passkey";
  authenticator.flags = 0x05;
  authenticator.rp_id = "records.example.org.evil.example";
  EXPECT_FALSE(taken());
  authenticator.rp_id = kRecords.id;
  authenticator.format = "packed";
  EXPECT_FALSE(taken());
  authenticator.format = "none";
  authenticator.credential_id = "";
  EXPECT_FALSE(taken());
  authenticator.credential_id = std::string(1'023, 'x');
  EXPECT_TRUE(taken());
  authenticator.credential_id = std::string(1'024, 'x');
  EXPECT_FALSE(taken());
}

TEST(WebAuthn, RefusesEveryCutAndEveryAddition) {
  SoftAuthenticator const authenticator("id");
  auto const object = authenticator.attestation_object();
  for (std::size_t size = 0; size < object.size(); ++size)
    EXPECT_FALSE(read_attestation(ByteView(object).first(size), kRecords).has_value()) << size;
  auto longer = object;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(read_attestation(longer, kRecords).has_value());
  auto data = authenticator.authenticator_data(true);
  data.push_back(std::byte{0xA0});
  EXPECT_FALSE(read_credential(data, kRecords).has_value());
}

TEST(WebAuthn, AnAssertionHasNoCredentialOfItsOwn) {
  SoftAuthenticator const authenticator("id");
  auto const passkey = read_attestation(authenticator.attestation_object(), kRecords).value();
  auto const data = authenticator.authenticator_data(true);
  auto const client_data = authenticator.client_data("webauthn.get", "AAAA");
  EXPECT_FALSE(verify_assertion(passkey, {data, client_data, authenticator.sign(data, client_data)}, kRecords)
                   .has_value());
}

TEST(WebAuthn, RefusesClientDataOfAnotherPage) {
  auto const taken = [](std::string const& json) {
    return challenge_of(json, "webauthn.get", kRecords).has_value();
  };
  std::string const right = R"("type":"webauthn.get","challenge":"AAAA")";
  EXPECT_TRUE(taken("{" + right + R"(,"origin":"https://records.example.org"})"));
  EXPECT_TRUE(
      taken("{" + right + R"(,"origin":"https://records.example.org","crossOrigin":false,"new":[1]})"));
  for (auto const* origin : {"https://records.example.org:8443", "http://records.example.org",
                             "https://records.example.org.evil.example", "https://evil.example", "", "null"})
    EXPECT_FALSE(taken("{" + right + R"(,"origin":")" + origin + "\"}")) << origin;
  EXPECT_FALSE(taken("{" + right + R"(,"origin":"https://records.example.org","crossOrigin":true})"));
  EXPECT_FALSE(taken("{" + right + R"(,"origin":"https://records.example.org","crossOrigin":1})"));
  EXPECT_FALSE(taken(
      "{" + right + R"(,"origin":"https://records.example.org","topOrigin":"https://records.example.org"})"));
  EXPECT_FALSE(taken(R"({"type":"webauthn.get","challenge":"A+/=","origin":"https://records.example.org"})"));
  EXPECT_FALSE(taken("[]"));
  EXPECT_FALSE(taken(""));
  EXPECT_FALSE(taken(std::string(5'000, ' ') + "{}"));
}

TEST(Cbor, HoldsCountsToTheBytesThereAre) {
  auto const walks = [](std::string_view text) {
    CborReader reader(as_bytes(text));
    return reader.skip().has_value() && reader.done();
  };
  EXPECT_TRUE(walks(std::string_view("\x00", 1)));
  EXPECT_TRUE(
      walks("\x82\x01\x43"
            "abc"));
  EXPECT_TRUE(
      walks("\xA1\x61"
            "a\xF5"));
  EXPECT_FALSE(walks("\x9B\x7F\xFF\xFF\xFF\xFF\xFF\xFF\xFF")) << "an array of 2^63";
  EXPECT_FALSE(
      walks("\x5F\x41"
            "a\xFF"))
      << "indefinite";
  EXPECT_FALSE(walks("\x18\x17")) << "a longer number than need be";
  EXPECT_FALSE(walks(std::string_view("\xC0\x00", 2))) << "a tag";
  EXPECT_FALSE(walks(std::string_view("\xF9\x00\x00", 3))) << "a float";
  EXPECT_FALSE(walks("\x81\x81\x81\x81\x81\x01")) << "too deep";
  EXPECT_FALSE(walks(""));
}

}  // namespace
}  // namespace tacenda::identity
