#include "crypto/certificate.hpp"

#include <algorithm>

#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "crypto/internal/openssl.hpp"

namespace tacenda::crypto {

using internal::must;
using internal::Owned;

namespace {

using X509Ptr = Owned<X509, X509_free>;
using BioPtr = Owned<BIO, BIO_free_all>;
constexpr std::size_t kCommonNameBytes = 64;  // ub-common-name of RFC 5280
constexpr std::size_t kDnsNameBytes = 253;
constexpr int kDaysMax = 10 * 366;

// Wipes what was written to it: one of the two texts that go through here is a private key.
class MemoryBio {
 public:
  MemoryBio() = default;
  MemoryBio(MemoryBio const&) = delete;
  MemoryBio& operator=(MemoryBio const&) = delete;
  ~MemoryBio() {
    auto const bytes = content();
    ::OPENSSL_cleanse(const_cast<std::byte*>(bytes.data()), bytes.size());
  }
  BIO* get() const { return bio_.get(); }
  ByteView content() const {
    char* data = nullptr;
    long const size = BIO_get_mem_data(bio_.get(), &data);
    return as_bytes({data, static_cast<std::size_t>(size)});
  }

 private:
  BioPtr bio_{must(BIO_new(BIO_s_mem()))};
};

std::string certificate_to_pem(X509* certificate) {
  MemoryBio const bio;
  must(PEM_write_bio_X509(bio.get(), certificate));
  return std::string(as_text(bio.content()));
}

SecretBuffer key_to_pem(EVP_PKEY* key) {
  MemoryBio const bio;
  must(PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr));
  return SecretBuffer(bio.content());
}

// The library asks on the terminal for a passphrase unless it is given a way to ask that says no.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

X509Ptr certificate_from_pem(std::string const& pem) {
  if (pem.size() > INT_MAX) return nullptr;
  BioPtr const bio(must(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size()))));
  return X509Ptr(PEM_read_bio_X509(bio.get(), nullptr, no_passphrase, nullptr));
}

internal::Key key_from_pem(SecretBuffer const& pem) {
  ByteView const bytes = pem.reveal();
  BioPtr const bio(must(BIO_new_mem_buf(bytes.data(), internal::int_size(bytes))));
  return internal::Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_passphrase, nullptr));
}

// --- names ------------------------------------------------------------------------------------------

bool is_dns_name(std::string_view name) {
  if (name.starts_with("*.")) name.remove_prefix(2);
  constexpr auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !name.empty() && name.size() <= kDnsNameBytes && name.front() != '.' &&
         std::ranges::all_of(name, allowed);
}

// Built by hand and not from the library's text form "DNS:a,IP:b", in which a name could smuggle others.
Result<void> add_alternative_names(X509* certificate, CertificateRequest const& request) {
  Owned<GENERAL_NAMES, GENERAL_NAMES_free> const names(must(sk_GENERAL_NAME_new_null()));
  auto const add = [&](int type, void* value) {
    GENERAL_NAME* const name = must(GENERAL_NAME_new());
    GENERAL_NAME_set0_value(name, type, value);
    TACENDA_ASSERT(sk_GENERAL_NAME_push(names.get(), name) > 0);
  };
  for (std::string const& text : request.dns_names) {
    if (!is_dns_name(text)) return fail(ErrorKind::kInvalid, "DNS name of a certificate is malformed");
    ASN1_IA5STRING* const value = must(ASN1_IA5STRING_new());
    must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())));
    add(GEN_DNS, value);
  }
  for (std::string const& text : request.ip_addresses) {
    ASN1_OCTET_STRING* const value = a2i_IPADDRESS(text.c_str());
    if (value == nullptr) return fail(ErrorKind::kInvalid, "IP address of a certificate is malformed");
    add(GEN_IPADD, value);
  }
  if (sk_GENERAL_NAME_num(names.get()) == 0) return {};
  must(X509_add1_ext_i2d(certificate, NID_subject_alt_name, names.get(), 0, 0));
  return {};
}

// --- fields -----------------------------------------------------------------------------------------

struct Subject {
  std::string const& common_name;
  Time not_before;
  int days;
};

Result<void> check(Subject const& subject) {
  if (subject.common_name.empty() || subject.common_name.size() > kCommonNameBytes) {
    return fail(ErrorKind::kInvalid, "common name is not 1 to 64 bytes");
  }
  if (subject.days < 1 || subject.days > kDaysMax) {
    return fail(ErrorKind::kInvalid, "life of a certificate is not 1 to 3,660 days");
  }
  return {};
}

void add_extension(X509* certificate, X509* issuer, int nid, char const* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  Owned<X509_EXTENSION, X509_EXTENSION_free> const extension(
      must(X509V3_EXT_nconf_nid(nullptr, &context, nid, value)));
  must(X509_add_ext(certificate, extension.get(), -1));
}

// Version, random serial, subject, times and public key.
Result<X509Ptr> start_certificate(Subject const& subject, EVP_PKEY* key) {
  TACENDA_TRY_VOID(check(subject));
  X509Ptr certificate(must(X509_new()));
  must(X509_set_version(certificate.get(), X509_VERSION_3));

  Owned<BIGNUM, BN_free> const serial(must(BN_new()));
  // 127 random bits: positive, and more than the 64 that the CA/Browser Forum asks for.
  if (BN_rand(serial.get(), 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) != 1) {
    return fail(ErrorKind::kUnavailable, "system random source failed");
  }
  must(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate.get())));

  X509_NAME* const name = must(X509_get_subject_name(certificate.get()));
  if (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
                                 internal::in(as_bytes(subject.common_name)),
                                 static_cast<int>(subject.common_name.size()), -1, 0) != 1) {
    return fail(ErrorKind::kInvalid, "common name is not UTF-8");
  }
  auto const begin = std::chrono::floor<std::chrono::seconds>(subject.not_before).time_since_epoch().count();
  must(ASN1_TIME_adj(X509_getm_notBefore(certificate.get()), begin, 0, 0));
  // RFC 5280: notAfter belongs to the validity, so the last second of the last day is one less.
  must(ASN1_TIME_adj(X509_getm_notAfter(certificate.get()), begin, subject.days, -1));
  must(X509_set_pubkey(certificate.get(), key));
  return certificate;
}

Result<internal::Key> make_key() {
  internal::Key key(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256"));
  if (!key) return fail(ErrorKind::kUnavailable, "key could not be made");
  return key;
}

Result<Identity> sign(X509* certificate, EVP_PKEY* key, EVP_PKEY* issuer_key) {
  if (X509_sign(certificate, issuer_key, EVP_sha256()) <= 0) {
    return fail(ErrorKind::kUnavailable, "certificate could not be signed");
  }
  return Identity{certificate_to_pem(certificate), key_to_pem(key)};
}

}  // namespace

Result<Identity> make_certificate_authority(std::string const& common_name, Time not_before, int days) {
  internal::Key const key = TACENDA_TRY(make_key());
  X509Ptr const certificate = TACENDA_TRY(start_certificate({common_name, not_before, days}, key.get()));
  must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(certificate.get())));
  X509* const self = certificate.get();
  add_extension(self, self, NID_basic_constraints, "critical,CA:TRUE,pathlen:0");
  add_extension(self, self, NID_key_usage, "critical,keyCertSign,cRLSign");
  add_extension(self, self, NID_subject_key_identifier, "hash");
  add_extension(self, self, NID_authority_key_identifier, "keyid:always");
  return sign(self, key.get(), key.get());
}

Result<Identity> issue_certificate(Identity const& authority, CertificateRequest const& request) {
  X509Ptr const issuer = certificate_from_pem(authority.certificate_pem);
  internal::Key const issuer_key = key_from_pem(authority.private_key_pem);
  if (!issuer || !issuer_key) return fail(ErrorKind::kInvalid, "certificate authority cannot be read");
  if (X509_check_private_key(issuer.get(), issuer_key.get()) != 1 || X509_check_ca(issuer.get()) != 1) {
    return fail(ErrorKind::kInvalid, "certificate authority is none, or its key is another's");
  }
  internal::Key const key = TACENDA_TRY(make_key());
  X509Ptr const certificate =
      TACENDA_TRY(start_certificate({request.common_name, request.not_before, request.days}, key.get()));
  must(X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer.get())));
  add_extension(certificate.get(), issuer.get(), NID_basic_constraints, "critical,CA:FALSE");
  add_extension(certificate.get(), issuer.get(), NID_key_usage, "critical,digitalSignature");
  add_extension(certificate.get(), issuer.get(), NID_ext_key_usage,
                request.use == CertificateUse::kServer ? "serverAuth" : "clientAuth");
  add_extension(certificate.get(), issuer.get(), NID_subject_key_identifier, "hash");
  add_extension(certificate.get(), issuer.get(), NID_authority_key_identifier, "keyid:always");
  TACENDA_TRY_VOID(add_alternative_names(certificate.get(), request));
  return sign(certificate.get(), key.get(), issuer_key.get());
}

Result<Digest> certificate_digest(std::string const& pem) {
  X509Ptr const certificate = certificate_from_pem(pem);
  if (!certificate) return fail(ErrorKind::kInvalid, "not a PEM certificate");
  Digest digest;
  must(X509_digest(certificate.get(), internal::sha256_algorithm(), internal::out(digest), nullptr));
  return digest;
}

}  // namespace tacenda::crypto
