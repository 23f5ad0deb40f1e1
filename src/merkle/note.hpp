#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "crypto/signature.hpp"

namespace tacenda::merkle {

inline constexpr std::size_t kNoteBytes = 64 * 1024;  // a note larger than this is refused
inline constexpr std::size_t kNoteSignatures = 64;

/// Name of a note's key: non-empty UTF-8 without control characters, Unicode spaces or '+'. Only `parse`
/// makes one. Errors: kInvalid.
class KeyName {
 public:
  static Result<KeyName> parse(std::string_view text);
  std::string const& text() const { return text_; }
  bool operator==(KeyName const&) const = default;

 private:
  explicit KeyName(std::string text) : text_(std::move(text)) {}
  std::string text_;
};

/// A public key that can vouch for a note (Ed25519, signature type 0x01).
/// Source: C2SP signed-note, "Verifier keys".
class NoteVerifier {
 public:
  NoteVerifier(KeyName name, crypto::Ed25519PublicKey const& key);
  /// Reads a vkey, `name+hex(key id)+base64(0x01 || key)`. Errors: kInvalid (also when the id is not the
  /// key's), kUnsupported (another algorithm).
  static Result<NoteVerifier> parse(std::string_view vkey);

  KeyName const& name() const { return name_; }
  std::uint32_t key_id() const { return key_id_; }
  crypto::Ed25519PublicKey const& key() const { return key_; }
  std::string vkey() const;

 private:
  KeyName name_;
  crypto::Ed25519PublicKey key_;
  std::uint32_t key_id_;
};

/// Signs notes under one name. Thread-safe.
class NoteSigner {
 public:
  NoteSigner(KeyName name, crypto::Ed25519Signer signer);

  NoteVerifier const& verifier() const { return verifier_; }
  /// The note: `text`, an empty line, one signature line.
  /// Errors: kInvalid when `text` is not UTF-8, has control characters or does not end in a newline.
  Result<std::string> sign(std::string_view text) const;
  /// A note that gets a further signature line, e.g. of a new key at rotation. Errors: kInvalid.
  Result<std::string> cosign(std::string_view note) const;

 private:
  crypto::Ed25519Signer signer_;
  NoteVerifier verifier_;
};

struct NoteSignature {
  KeyName name;
  std::uint32_t key_id = 0;
  Bytes signature;  // without the key id
};

/// A note taken apart; nothing of it is verified.
struct Note {
  std::string text;  // ends in a newline
  std::vector<NoteSignature> signatures;
};

/// Errors: kInvalid (not a signed note), kTooLarge.
Result<Note> parse_note(std::string_view note);

/// Gives the text of a note that `key` signed. Signatures of other keys are ignored.
/// Errors: kInvalid and kTooLarge as parse_note, kCorrupt when no signature is of `key` or one that claims
/// to be is not.
Result<std::string> open_note(std::string_view note, NoteVerifier const& key);

}  // namespace tacenda::merkle
