#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

#include "codec/text.hpp"
#include "crypto/hash.hpp"
#include "identity/relying_party.hpp"

namespace tacenda::identity::testing {

/// An authenticator in software with the browser around it, for tests only: one credential, whose every part
/// can be made wrong.
class SoftAuthenticator {
 public:
  enum class Algorithm : std::uint8_t { kEs256, kEdDsa, kRs256 };

  explicit SoftAuthenticator(std::string id, Algorithm algorithm = Algorithm::kEs256)
      : credential_id(std::move(id)), algorithm_(algorithm) {
    switch (algorithm) {
      case Algorithm::kEs256:
        key_.reset(::EVP_EC_gen("P-256"));
        break;
      case Algorithm::kEdDsa:
        key_.reset(::EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        break;
      case Algorithm::kRs256:
        key_.reset(::EVP_RSA_gen(2048));
        break;
    }
  }

  std::string credential_id;
  std::string rp_id = "records.example.org";
  std::string origin = "https://records.example.org";
  std::string more;  // of the client data: `,"crossOrigin":true`
  std::string format = "none";
  std::uint8_t flags = 0x05;  // UP, UV
  std::uint32_t count = 1;
  std::string user_handle;

  Bytes client_data(std::string_view type, std::string_view challenge) const {
    return to_bytes(R"({"type":")" + std::string(type) + R"(","challenge":")" + std::string(challenge) +
                    R"(","origin":")" + origin + "\"" + more + "}");
  }

  Bytes attestation_object() const {
    Bytes object;
    object.push_back(std::byte{0xA3});
    text(object, "fmt");
    text(object, format);
    text(object, "attStmt");
    object.push_back(std::byte{0xA0});
    text(object, "authData");
    auto const data = authenticator_data(true);
    append(object, head(2, data.size()));
    append(object, data);
    return object;
  }

  Bytes authenticator_data(bool attested) const {
    Bytes data = to_bytes(crypto::sha256(as_bytes(rp_id)));
    ByteWriter writer(data);
    writer.u8(attested ? flags | 0x40 : flags).u32(count);
    if (!attested) return data;
    writer.raw(Bytes(16)).u16(static_cast<std::uint16_t>(credential_id.size())).raw(as_bytes(credential_id));
    append(data, cose_key());
    return data;
  }

  Bytes sign(ByteView authenticator_data, ByteView client_data) const {
    Bytes signed_bytes = to_bytes(authenticator_data);
    append(signed_bytes, crypto::sha256(client_data));
    std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> const context(::EVP_MD_CTX_new(),
                                                                            ::EVP_MD_CTX_free);
    auto const* digest = algorithm_ == Algorithm::kEdDsa ? nullptr : ::EVP_sha256();
    EXPECT_EQ(::EVP_DigestSignInit(context.get(), nullptr, digest, nullptr, key_.get()), 1);
    auto const* in = reinterpret_cast<unsigned char const*>(signed_bytes.data());
    std::size_t size = 0;
    EXPECT_EQ(::EVP_DigestSign(context.get(), nullptr, &size, in, signed_bytes.size()), 1);
    Bytes signature(size);
    EXPECT_EQ(::EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size, in,
                               signed_bytes.size()),
              1);
    signature.resize(size);
    return signature;
  }

 private:
  static Bytes head(unsigned major, std::size_t value) {
    Bytes bytes;
    ByteWriter writer(bytes);
    auto const first = static_cast<std::uint8_t>(major << 5U);
    if (value < 24) {
      writer.u8(static_cast<std::uint8_t>(first | value));
    } else if (value < 256) {
      writer.u8(first | 24U).u8(static_cast<std::uint8_t>(value));
    } else {
      writer.u8(first | 25U).u16(static_cast<std::uint16_t>(value));
    }
    return bytes;
  }
  static void text(Bytes& out, std::string_view value) {
    append(out, head(3, value.size()));
    append(out, value);
  }
  /// `label` and value of a byte string of a COSE key; labels below 0 only.
  static void field(Bytes& out, int label, ByteView value) {
    append(out, head(1, static_cast<std::size_t>(-1 - label)));
    append(out, head(2, value.size()));
    append(out, value);
  }
  Bytes number(char const* name, std::size_t size) const {
    ::BIGNUM* value = nullptr;
    EXPECT_EQ(::EVP_PKEY_get_bn_param(key_.get(), name, &value), 1);
    Bytes bytes(size);
    EXPECT_GE(::BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(size)),
              0);
    ::BN_free(value);
    return bytes;
  }
  Bytes cose_key() const {
    // kty, alg and, but for RSA, the curve, in canonical order.
    switch (algorithm_) {
      case Algorithm::kEs256: {
        Bytes key = to_bytes(std::string_view("\xA5\x01\x02\x03\x26\x20\x01"));
        field(key, -2, number(OSSL_PKEY_PARAM_EC_PUB_X, 32));
        field(key, -3, number(OSSL_PKEY_PARAM_EC_PUB_Y, 32));
        return key;
      }
      case Algorithm::kEdDsa: {
        Bytes key = to_bytes(std::string_view("\xA4\x01\x01\x03\x27\x20\x06"));
        Bytes point(32);
        std::size_t size = point.size();
        EXPECT_EQ(
            ::EVP_PKEY_get_raw_public_key(key_.get(), reinterpret_cast<unsigned char*>(point.data()), &size),
            1);
        field(key, -2, point);
        return key;
      }
      case Algorithm::kRs256: {
        Bytes key = to_bytes(std::string_view("\xA4\x01\x03\x03\x39\x01\x00", 7));
        field(key, -1, number(OSSL_PKEY_PARAM_RSA_N, 256));
        field(key, -2, number(OSSL_PKEY_PARAM_RSA_E, 3));
        return key;
      }
    }
    return {};
  }

  Algorithm algorithm_;
  struct Free {
    void operator()(EVP_PKEY* it) const { ::EVP_PKEY_free(it); }
  };
  std::unique_ptr<EVP_PKEY, Free> key_;
};

}  // namespace tacenda::identity::testing
