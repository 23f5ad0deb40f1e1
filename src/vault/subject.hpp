#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "crypto/aead.hpp"
#include "crypto/nonce.hpp"

namespace tacenda::vault {

/// Whose key a record lies under: "Patient/<id>", "Practitioner/<id>", "Binary/<id>", or the tenant's
/// ("Tenant"); and the keys of one export ("Export/<id>"), which end with it. The text is the row key of the
/// key vault.
class Subject {
 public:
  static Subject patient(std::string_view id) { return Subject("Patient/" + std::string(id)); }
  static Subject practitioner(std::string_view id) { return Subject("Practitioner/" + std::string(id)); }
  static Subject binary(std::string_view id) { return Subject("Binary/" + std::string(id)); }
  static Subject export_job(std::string_view id) { return Subject("Export/" + std::string(id)); }
  static Subject tenant() { return Subject("Tenant"); }
  std::string const& text() const { return text_; }
  bool is_patient() const { return text_.starts_with("Patient/"); }
  auto operator<=>(Subject const&) const = default;

 private:
  explicit Subject(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

using Alias = std::array<std::byte, 16>;  // random; what the audit log knows a subject by

/// A key that needs several keys, and 32 bytes that bind what is sealed under it to them.
struct KeyForAll {
  crypto::AeadKey key;
  Digest commitment{};
};

/// The two keys of one subject, unwrapped: one for records (DEK), one for audit entries. Lent as a
/// pinned shared_ptr, so that sealing does not run under the key vault's lock; wiped with the last
/// holder. Thread-safe.
class SubjectKeys {
 public:
  SubjectKeys(Alias alias, std::uint32_t generation, crypto::AeadKey dek, crypto::AeadKey audit_key,
              crypto::Random& random);

  Alias const& alias() const { return alias_; }
  std::uint32_t generation() const { return generation_; }  // dek_gen of the record envelope

  /// ver(1) | alg(1) | dek_gen(4) | nonce(24) | ciphertext | tag(16), appended to `out`.
  Result<void> seal_record(ByteView associated_data, ByteView plaintext, Bytes& out) const;
  /// Errors: kCorrupt.
  Result<void> open_record(ByteView associated_data, ByteView envelope, Bytes& plaintext) const;
  /// ver(1) | alg(1) | nonce(24) | ciphertext | tag(16).
  Result<void> seal_audit(ByteView associated_data, ByteView plaintext, Bytes& out) const;
  Result<void> open_audit(ByteView associated_data, ByteView envelope, Bytes& plaintext) const;
  /// 32 bytes that bind an audit entry to this audit key (key commitment).
  Digest const& audit_key_commitment() const { return audit_commitment_; }

  /// The keys for a resource of several subjects: HKDF over **all** DEKs in the order of their subjects'
  /// texts, so that losing any one closes the record. Its audit key is that of the tenant.
  static Result<std::shared_ptr<SubjectKeys const>> combine(
      std::vector<std::shared_ptr<SubjectKeys const>> const& all, SubjectKeys const& tenant,
      crypto::Random& random);

  /// HKDF over `own` and the audit keys of **all** in the order of their aliases, whatever order they come in
  /// and however often: whoever lacks one of them learns nothing of the key. A new `salt` gives a new key.
  static KeyForAll for_all(crypto::AeadKey const& own,
                           std::span<std::shared_ptr<SubjectKeys const> const> all, ByteView salt);

 private:
  Alias alias_;
  std::uint32_t generation_;
  crypto::AeadKey dek_;
  crypto::AeadKey audit_key_;
  Digest audit_commitment_;
  crypto::Xaes256Gcm record_aead_;
  crypto::Xaes256Gcm audit_aead_;
  mutable crypto::HedgedNonces record_nonces_;
  mutable crypto::HedgedNonces audit_nonces_;
};

}  // namespace tacenda::vault
