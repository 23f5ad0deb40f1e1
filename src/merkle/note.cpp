#include "merkle/note.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/hash.hpp"
#include "merkle/internal/base64.hpp"
#include "merkle/internal/utf8.hpp"

namespace tacenda::merkle {
namespace {

constexpr std::string_view kSignaturePrefix = "\u2014 ";  // em dash, space
constexpr std::byte kEd25519Type{0x01};
constexpr std::size_t kKeyIdBytes = 4;

std::array<std::byte, kKeyIdBytes> big_endian(std::uint32_t value) {
  return {static_cast<std::byte>(value >> 24U), static_cast<std::byte>(value >> 16U & 0xffU),
          static_cast<std::byte>(value >> 8U & 0xffU), static_cast<std::byte>(value & 0xffU)};
}

// SHA-256(name || 0x0A || type || public key)[:4]
std::uint32_t key_id_of(KeyName const& name, crypto::Ed25519PublicKey const& key) {
  constexpr std::array kNewlineAndType{std::byte{'\n'}, kEd25519Type};
  Digest const digest = crypto::sha256({as_bytes(name.text()), kNewlineAndType, key});
  std::uint32_t id = 0;
  for (std::size_t i = 0; i < kKeyIdBytes; ++i) id = id << 8U | std::to_integer<std::uint32_t>(digest[i]);
  return id;
}

bool is_text(std::string_view text) {
  return internal::is_utf8(text) &&
         std::ranges::none_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x20 && c != '\n'; });
}

std::string signature_line(NoteVerifier const& key, crypto::Ed25519Signature const& signature) {
  Bytes bytes = to_bytes(big_endian(key.key_id()));
  append(bytes, signature);
  return std::string(kSignaturePrefix) + key.name().text() + ' ' + internal::base64_encode(bytes) + '\n';
}

Result<NoteSignature> parse_signature(std::string_view line) {
  if (!line.starts_with(kSignaturePrefix))
    return fail(ErrorKind::kInvalid, "note has a malformed signature line");
  line.remove_prefix(kSignaturePrefix.size());
  std::size_t const space = line.find(' ');
  if (space == std::string_view::npos)
    return fail(ErrorKind::kInvalid, "note has a malformed signature line");
  KeyName name = TACENDA_TRY(KeyName::parse(line.substr(0, space)));
  Bytes const bytes = TACENDA_TRY(internal::base64_decode(line.substr(space + 1)));
  if (bytes.size() <= kKeyIdBytes) return fail(ErrorKind::kInvalid, "note has a signature without content");
  ByteReader reader(bytes);
  std::uint32_t const key_id = TACENDA_TRY(reader.u32());
  return NoteSignature{std::move(name), key_id, to_bytes(reader.rest())};
}

}  // namespace

Result<KeyName> KeyName::parse(std::string_view text) {
  if (text.empty() || !is_text(text) || text.contains('\n') || text.contains('+') ||
      internal::has_unicode_space(text)) {
    return fail(ErrorKind::kInvalid, "key name is empty or has a space, a plus or a control character");
  }
  return KeyName(std::string(text));
}

NoteVerifier::NoteVerifier(KeyName name, crypto::Ed25519PublicKey const& key)
    : name_(std::move(name)), key_(key), key_id_(key_id_of(name_, key_)) {}

std::string NoteVerifier::vkey() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string text = name_.text() + '+';
  for (unsigned shift = 32; shift > 0; shift -= 4) text.push_back(kHex[key_id_ >> (shift - 4) & 0xfU]);
  Bytes key{kEd25519Type};
  append(key, key_);
  return text + '+' + internal::base64_encode(key);
}

Result<NoteVerifier> NoteVerifier::parse(std::string_view vkey) {
  std::size_t const first = vkey.find('+');
  std::size_t const second = first == std::string_view::npos ? first : vkey.find('+', first + 1);
  if (second == std::string_view::npos) return fail(ErrorKind::kInvalid, "verifier key has not three parts");
  KeyName name = TACENDA_TRY(KeyName::parse(vkey.substr(0, first)));
  Bytes const key = TACENDA_TRY(internal::base64_decode(vkey.substr(second + 1)));
  if (key.empty()) return fail(ErrorKind::kInvalid, "verifier key has no key");
  if (key.front() != kEd25519Type) return fail(ErrorKind::kUnsupported, "verifier key is not an Ed25519 one");
  crypto::Ed25519PublicKey fixed;
  if (key.size() != 1 + fixed.size()) return fail(ErrorKind::kInvalid, "verifier key is not 32 bytes");
  std::ranges::copy(ByteView(key).subspan(1), fixed.begin());
  NoteVerifier verifier(std::move(name), fixed);
  if (verifier.vkey() != vkey) return fail(ErrorKind::kInvalid, "verifier key has another key's id");
  return verifier;
}

NoteSigner::NoteSigner(KeyName name, crypto::Ed25519Signer signer)
    : signer_(std::move(signer)), verifier_(std::move(name), signer_.public_key()) {}

Result<std::string> NoteSigner::sign(std::string_view text) const {
  if (!text.ends_with('\n') || !is_text(text))
    return fail(ErrorKind::kInvalid, "text of a note is malformed");
  if (text.size() > kNoteBytes / 2) return fail(ErrorKind::kTooLarge, "text of a note is too long");
  auto const signature = TACENDA_TRY(signer_.sign(as_bytes(text)));
  return std::string(text) + '\n' + signature_line(verifier_, signature);
}

Result<std::string> NoteSigner::cosign(std::string_view note) const {
  Note const parsed = TACENDA_TRY(parse_note(note));
  auto const signature = TACENDA_TRY(signer_.sign(as_bytes(parsed.text)));
  return std::string(note) + signature_line(verifier_, signature);
}

Result<Note> parse_note(std::string_view note) {
  if (note.size() > kNoteBytes) return fail(ErrorKind::kTooLarge, "note is too long");
  if (!is_text(note)) return fail(ErrorKind::kInvalid, "note is not UTF-8 or has a control character");
  // The last empty line parts text and signatures; the text may have empty lines of its own.
  std::size_t const blank = note.rfind("\n\n");
  if (blank == std::string_view::npos) return fail(ErrorKind::kInvalid, "note has no signatures");
  Note parsed{std::string(note.substr(0, blank + 1)), {}};
  std::string_view rest = note.substr(blank + 2);
  if (!rest.ends_with('\n')) return fail(ErrorKind::kInvalid, "note has no signatures, or ends within one");
  while (!rest.empty()) {
    std::size_t const end = rest.find('\n');
    if (parsed.signatures.size() == kNoteSignatures)
      return fail(ErrorKind::kTooLarge, "note has too many signatures");
    parsed.signatures.push_back(TACENDA_TRY(parse_signature(rest.substr(0, end))));
    rest.remove_prefix(end + 1);
  }
  return parsed;
}

Result<std::string> open_note(std::string_view note, NoteVerifier const& key) {
  Note parsed = TACENDA_TRY(parse_note(note));
  bool signed_by_key = false;
  for (NoteSignature const& signature : parsed.signatures) {
    if (signature.name != key.name() || signature.key_id != key.key_id()) continue;
    if (!crypto::ed25519_verify(key.key(), as_bytes(parsed.text), signature.signature)) {
      return fail(ErrorKind::kCorrupt, "note has a signature that is not its key's");
    }
    signed_by_key = true;
  }
  if (!signed_by_key) return fail(ErrorKind::kCorrupt, "note is not signed by the key");
  return std::move(parsed.text);
}

}  // namespace tacenda::merkle
