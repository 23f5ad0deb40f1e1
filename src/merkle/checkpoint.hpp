#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "merkle/note.hpp"
#include "merkle/proof.hpp"

namespace tacenda::merkle {

/// A tree head under the name of its log. Source: C2SP tlog-checkpoint.
struct Checkpoint {
  std::string origin;  // unique name of the log; also the name of its key
  TreeHead head;
  std::vector<std::string> extensions;  // opaque lines, none empty
  bool operator==(Checkpoint const&) const = default;
};

/// origin, size, base64 of the root, extension lines; each ends in a newline.
/// Errors: kInvalid when the origin or an extension is empty or has a newline.
Result<std::string> format_checkpoint(Checkpoint const& checkpoint);
/// Reads the text of a checkpoint, without signatures. Errors: kInvalid.
Result<Checkpoint> parse_checkpoint(std::string_view text);

/// The signed note of a checkpoint. Errors: as format_checkpoint; kInvalid also when the signer's name is
/// not the origin.
Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, NoteSigner const& signer);
/// Reads a signed checkpoint and checks that `key` signed it and that its origin is the key's name.
/// Errors: kInvalid (not a checkpoint), kTooLarge, kCorrupt (not signed by `key`, or another log's).
Result<Checkpoint> open_checkpoint(std::string_view note, NoteVerifier const& key);

}  // namespace tacenda::merkle
