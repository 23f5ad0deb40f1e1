#pragma once

#include <memory>
#include <string>
#include <string_view>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "codec/json.hpp"
#include "codec/text.hpp"
#include "core/bytes.hpp"

/// Signs as a client does, with OpenSSL and not with the product's own crypto; for tests only.
namespace tacenda::authorization::testing {

class TestKey {
 public:
  static TestKey rsa(unsigned bits = 2'048) {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{bits}), true, {});
  }
  static TestKey ec(char const* curve = "P-384") {
    return TestKey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", curve), false, curve);
  }

  /// Its public half, as a JWK with this kid.
  codec::Json jwk(std::string_view key_id) const {
    codec::Json json = codec::Json::object();
    json.set("kid", codec::Json::string(key_id));
    if (is_rsa_) {
      json.set("kty", codec::Json::string("RSA"));
      json.set("n", number(OSSL_PKEY_PARAM_RSA_N, 0));
      json.set("e", number(OSSL_PKEY_PARAM_RSA_E, 0));
    } else {
      json.set("kty", codec::Json::string("EC"));
      json.set("crv", codec::Json::string(curve_));
      json.set("x", number(OSSL_PKEY_PARAM_EC_PUB_X, field()));
      json.set("y", number(OSSL_PKEY_PARAM_EC_PUB_Y, field()));
    }
    return json;
  }
  std::string jwks(std::string_view key_id) const {
    return R"({"keys":[)" + codec::write_json(jwk(key_id)) + "]}";
  }

  /// `text` signed in the way of RS384 or ES384, or with another digest.
  Bytes sign(std::string_view text, char const* digest = "SHA384") const {
    EVP_MD_CTX* const context = EVP_MD_CTX_new();
    EVP_DigestSignInit_ex(context, nullptr, digest, nullptr, nullptr, key_.get(), nullptr);
    auto const* in = reinterpret_cast<unsigned char const*>(text.data());
    std::size_t size = 0;
    EVP_DigestSign(context, nullptr, &size, in, text.size());
    Bytes signature(size);
    EVP_DigestSign(context, reinterpret_cast<unsigned char*>(signature.data()), &size, in, text.size());
    signature.resize(size);
    EVP_MD_CTX_free(context);
    return is_rsa_ ? signature : joined(signature);
  }

  /// A compact JWS of these two texts.
  std::string jws(std::string_view header, std::string_view payload, char const* digest = "SHA384") const {
    std::string const signed_text = unsigned_jws(header, payload);
    return signed_text + "." + codec::base64url_encode(sign(signed_text, digest));
  }
  static std::string unsigned_jws(std::string_view header, std::string_view payload) {
    return codec::base64url_encode(as_bytes(header)) + "." + codec::base64url_encode(as_bytes(payload));
  }

  /// The public half as DER: what a confused verifier would take for the secret of an HMAC.
  Bytes public_der() const {
    unsigned char* out = nullptr;
    int const size = i2d_PUBKEY(key_.get(), &out);
    Bytes der(reinterpret_cast<std::byte*>(out), reinterpret_cast<std::byte*>(out) + size);
    OPENSSL_free(out);
    return der;
  }

 private:
  TestKey(EVP_PKEY* key, bool is_rsa, std::string curve)
      : key_(key, EVP_PKEY_free), is_rsa_(is_rsa), curve_(std::move(curve)) {}

  int field() const { return curve_ == "P-384" ? 48 : 32; }

  codec::Json number(char const* name, int size) const {
    BIGNUM* value = nullptr;
    EVP_PKEY_get_bn_param(key_.get(), name, &value);
    Bytes bytes(static_cast<std::size_t>(size == 0 ? BN_num_bytes(value) : size));
    BN_bn2binpad(value, reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
    BN_free(value);
    return codec::Json::string(codec::base64url_encode(bytes));
  }

  /// R || S of the DER that OpenSSL gives (RFC 7518 section 3.4).
  Bytes joined(Bytes const& der) const {
    auto const* in = reinterpret_cast<unsigned char const*>(der.data());
    ECDSA_SIG* const pair = d2i_ECDSA_SIG(nullptr, &in, static_cast<long>(der.size()));
    Bytes both(static_cast<std::size_t>(2 * field()));
    auto* out = reinterpret_cast<unsigned char*>(both.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, field());
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + field(), field());
    ECDSA_SIG_free(pair);
    return both;
  }

  std::shared_ptr<EVP_PKEY> key_;  // shared: copies are one key
  bool is_rsa_;
  std::string curve_;
};

inline Bytes hmac_sha384(ByteView key, std::string_view text) {
  Bytes mac(48);
  unsigned int size = 48;
  HMAC(EVP_sha384(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<unsigned char const*>(text.data()), text.size(),
       reinterpret_cast<unsigned char*>(mac.data()), &size);
  return mac;
}

}  // namespace tacenda::authorization::testing
