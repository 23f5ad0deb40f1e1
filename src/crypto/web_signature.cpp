#include "crypto/web_signature.hpp"

#include <algorithm>
#include <cstring>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {
namespace {

using internal::must;
using Number = internal::Owned<BIGNUM, BN_free>;
using Parameters = internal::Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParameterBuilder = internal::Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using EcSignature = internal::Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr unsigned long kExponentMin = 65'537;  // FIPS 186-5 section 5.1

std::size_t field_bytes(Curve curve) {
  return curve == Curve::kP256 ? 32 : 48;
}

bool is_rsa(WebAlgorithm algorithm) {
  return algorithm == WebAlgorithm::kRs256 || algorithm == WebAlgorithm::kRs384;
}

char const* digest_of(WebAlgorithm algorithm) {
  bool const short_digest = algorithm == WebAlgorithm::kRs256 || algorithm == WebAlgorithm::kEs256;
  return short_digest ? "SHA256" : "SHA384";
}

Number number_of(ByteView bytes) {
  return Number(must(BN_bin2bn(internal::in(bytes), internal::int_size(bytes), nullptr)));
}

Bytes bytes_of(BIGNUM const* number) {
  Bytes bytes(static_cast<std::size_t>(BN_num_bytes(number)));
  BN_bn2bin(number, internal::out(bytes));
  return bytes;
}

/// The key of these parameters; nothing when OpenSSL refuses them, or its own check of a public key does.
internal::Key key_of(char const* type, OSSL_PARAM* parameters) {
  internal::KeyContext const context(must(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr)));
  EVP_PKEY* made = nullptr;
  must(EVP_PKEY_fromdata_init(context.get()));
  if (EVP_PKEY_fromdata(context.get(), &made, EVP_PKEY_PUBLIC_KEY, parameters) != 1) return {};
  internal::Key key(made);
  internal::KeyContext const checking(must(EVP_PKEY_CTX_new_from_pkey(nullptr, key.get(), nullptr)));
  if (EVP_PKEY_public_check(checking.get()) != 1) return {};
  return key;
}

/// R || S as the DER that OpenSSL wants. Empty: not of the curve's size.
Bytes der_of(ByteView signature, Curve curve) {
  std::size_t const half = field_bytes(curve);
  if (signature.size() != 2 * half) return {};
  EcSignature const pair(must(ECDSA_SIG_new()));
  must(ECDSA_SIG_set0(pair.get(), number_of(signature.first(half)).release(),
                      number_of(signature.subspan(half)).release()));
  int const size = i2d_ECDSA_SIG(pair.get(), nullptr);
  if (size <= 0) return {};
  Bytes der(static_cast<std::size_t>(size));
  unsigned char* out = internal::out(der);
  i2d_ECDSA_SIG(pair.get(), &out);
  return der;
}

}  // namespace

struct WebPublicKey::State {
  internal::Key key;
  bool is_rsa = false;
  Curve curve = Curve::kP256;
};

Result<WebPublicKey> WebPublicKey::rsa(ByteView modulus, ByteView exponent) {
  if (modulus.size() > kRsaBitsMax / 8 + 1 || exponent.size() > 8 || exponent.empty())
    return fail(ErrorKind::kInvalid, "an RSA key has another size");
  auto const n = number_of(modulus);
  auto const e = number_of(exponent);
  auto const bits = static_cast<std::size_t>(BN_num_bits(n.get()));
  if (bits < kRsaBitsMin || bits > kRsaBitsMax || !BN_is_odd(n.get()))
    return fail(ErrorKind::kInvalid, "an RSA key has 2048 to 8192 bits");
  if (!BN_is_odd(e.get()) || BN_get_word(e.get()) < kExponentMin)
    return fail(ErrorKind::kInvalid, "the public exponent of an RSA key is 65537 or more");
  ParameterBuilder const builder(must(OSSL_PARAM_BLD_new()));
  must(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()));
  must(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()));
  Parameters const parameters(must(OSSL_PARAM_BLD_to_param(builder.get())));
  auto state = std::make_shared<State>();
  state->key = key_of("RSA", parameters.get());
  state->is_rsa = true;
  if (!state->key) return fail(ErrorKind::kInvalid, "an RSA key was refused");
  return WebPublicKey(std::move(state));
}

Result<WebPublicKey> WebPublicKey::ec(Curve curve, ByteView x, ByteView y) {
  std::size_t const size = field_bytes(curve);
  // RFC 7518 section 6.2.1.2: "The length of this octet string MUST be the full size of a coordinate".
  if (x.size() != size || y.size() != size)
    return fail(ErrorKind::kInvalid, "a coordinate is not as long as the field of its curve");
  Bytes point{std::byte{4}};  // SEC 1 section 2.3.3: uncompressed
  append(point, x);
  append(point, y);
  ParameterBuilder const builder(must(OSSL_PARAM_BLD_new()));
  must(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                       curve == Curve::kP256 ? "P-256" : "P-384", 0));
  must(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()));
  Parameters const parameters(must(OSSL_PARAM_BLD_to_param(builder.get())));
  auto state = std::make_shared<State>();
  state->key = key_of("EC", parameters.get());
  state->curve = curve;
  if (!state->key) return fail(ErrorKind::kInvalid, "a point is not on its curve");
  return WebPublicKey(std::move(state));
}

bool WebPublicKey::fits(WebAlgorithm algorithm) const {
  if (is_rsa(algorithm)) return state_->is_rsa;
  auto const curve = algorithm == WebAlgorithm::kEs256 ? Curve::kP256 : Curve::kP384;
  return !state_->is_rsa && state_->curve == curve;
}

bool WebPublicKey::verify(WebAlgorithm algorithm, ByteView message, ByteView signature) const {
  if (!fits(algorithm)) return false;
  Bytes der;
  if (!state_->is_rsa) {
    der = der_of(signature, state_->curve);
    if (der.empty()) return false;
    signature = der;
  }
  internal::MdContext const context(must(EVP_MD_CTX_new()));
  EVP_PKEY_CTX* key_context = nullptr;
  if (EVP_DigestVerifyInit_ex(context.get(), &key_context, digest_of(algorithm), nullptr, nullptr,
                              state_->key.get(), nullptr) != 1)
    return false;
  if (state_->is_rsa && EVP_PKEY_CTX_set_rsa_padding(key_context, RSA_PKCS1_PADDING) != 1) return false;
  return EVP_DigestVerify(context.get(), internal::in(signature), signature.size(), internal::in(message),
                          message.size()) == 1;
}

struct RsaSigner::State {
  internal::Key key;
};

RsaSigner::RsaSigner(std::unique_ptr<State> state) : state_(std::move(state)) {}
RsaSigner::~RsaSigner() = default;
RsaSigner::RsaSigner(RsaSigner&&) noexcept = default;
RsaSigner& RsaSigner::operator=(RsaSigner&&) noexcept = default;

Result<RsaSigner> RsaSigner::generate() {
  internal::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", WebPublicKey::kRsaBitsMin));
  if (!key) return fail(ErrorKind::kUnavailable, "an RSA key could not be made");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  return RsaSigner(std::move(state));
}

Result<RsaSigner> RsaSigner::parse(SecretBuffer const& der) {
  auto const bytes = der.reveal();
  unsigned char const* in = internal::in(bytes);
  internal::Key key(d2i_AutoPrivateKey_ex(nullptr, &in, static_cast<long>(bytes.size()), nullptr, nullptr));
  if (!key || EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA)
    return fail(ErrorKind::kInvalid, "the signing key is no RSA key");
  auto state = std::make_unique<State>();
  state->key = std::move(key);
  return RsaSigner(std::move(state));
}

SecretBuffer RsaSigner::der() const {
  using Info = internal::Owned<PKCS8_PRIV_KEY_INFO, PKCS8_PRIV_KEY_INFO_free>;
  Info const info(must(EVP_PKEY2PKCS8(state_->key.get())));
  int const size = i2d_PKCS8_PRIV_KEY_INFO(info.get(), nullptr);
  TACENDA_ASSERT(size > 0);
  SecretBuffer der(static_cast<std::size_t>(size));
  unsigned char* out = internal::out(der.reveal_mutable());
  TACENDA_ASSERT(i2d_PKCS8_PRIV_KEY_INFO(info.get(), &out) == size);
  return der;
}

namespace {

Bytes parameter_of(EVP_PKEY const* key, char const* name) {
  BIGNUM* number = nullptr;
  must(EVP_PKEY_get_bn_param(key, name, &number));
  return bytes_of(Number(number).get());
}

}  // namespace

Bytes RsaSigner::modulus() const {
  return parameter_of(state_->key.get(), OSSL_PKEY_PARAM_RSA_N);
}

Bytes RsaSigner::exponent() const {
  return parameter_of(state_->key.get(), OSSL_PKEY_PARAM_RSA_E);
}

Result<Bytes> RsaSigner::sign(ByteView message) const {
  // Not the thread's context: it would keep a reference to the private key.
  internal::MdContext const context(must(EVP_MD_CTX_new()));
  Bytes signature(static_cast<std::size_t>(EVP_PKEY_get_size(state_->key.get())));
  std::size_t size = signature.size();
  if (EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, state_->key.get(), nullptr) !=
          1 ||
      EVP_DigestSign(context.get(), internal::out(signature), &size, internal::in(message), message.size()) !=
          1) {
    return fail(ErrorKind::kUnavailable, "an RSA signature could not be made");
  }
  signature.resize(size);
  return signature;
}

}  // namespace tacenda::crypto
