#include "merkle/checkpoint.hpp"

#include <array>
#include <cstddef>
#include <cstdint>

#include "core/process.hpp"
#include "merkle/tree.hpp"

// Checkpoints come from witnesses, anchors and backups. Whatever is read must be written the same: two
// spellings of one checkpoint would have two signatures.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  ByteView const bytes = std::as_bytes(std::span(data, size));
  std::string_view const text = as_text(bytes);

  static merkle::NoteVerifier const verifier(merkle::KeyName::parse("example.com/behind-the-sofa").value(),
                                             crypto::Ed25519PublicKey{});
  (void)merkle::open_checkpoint(text, verifier);  // says no to nearly everything; must only not crash
  if (auto const note = merkle::parse_note(text)) {
    TACENDA_ASSERT(!note->signatures.empty() && text.starts_with(note->text));
  }
  if (auto const checkpoint = merkle::parse_checkpoint(text)) {
    auto const written = merkle::format_checkpoint(*checkpoint);
    TACENDA_ASSERT(written && *written == text);
  }
  if (auto const key = merkle::NoteVerifier::parse(text)) TACENDA_ASSERT(key->vkey() == text);
  if (auto const frontier = merkle::Frontier::parse(bytes))
    TACENDA_ASSERT(equal(frontier->serialise(), bytes));
  return 0;
}
