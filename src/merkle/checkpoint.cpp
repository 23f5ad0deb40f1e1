#include "merkle/checkpoint.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include "merkle/internal/base64.hpp"

namespace tacenda::merkle {
namespace {

bool is_line(std::string_view text) {
  return !text.empty() && !text.contains('\n');
}

// Takes the next line off `text`, without its newline.
Result<std::string_view> take_line(std::string_view& text) {
  std::size_t const end = text.find('\n');
  if (end == std::string_view::npos) return fail(ErrorKind::kInvalid, "checkpoint ends within a line");
  if (end == 0) return fail(ErrorKind::kInvalid, "checkpoint has an empty line");
  std::string_view const line = text.substr(0, end);
  text.remove_prefix(end + 1);
  return line;
}

Result<std::uint64_t> parse_size(std::string_view line) {
  std::uint64_t size = 0;
  auto const [end, error] = std::from_chars(line.data(), line.data() + line.size(), size);
  // Writing it again refuses leading zeros and what follows the number.
  if (error != std::errc() || std::to_string(size) != line) {
    return fail(ErrorKind::kInvalid, "tree size of a checkpoint is malformed");
  }
  return size;
}

}  // namespace

Result<std::string> format_checkpoint(Checkpoint const& checkpoint) {
  if (!is_line(checkpoint.origin) || !std::ranges::all_of(checkpoint.extensions, is_line)) {
    return fail(ErrorKind::kInvalid, "line of a checkpoint is empty or has a newline");
  }
  std::string text = checkpoint.origin + '\n' + std::to_string(checkpoint.head.size) + '\n' +
                     internal::base64_encode(checkpoint.head.root) + '\n';
  for (std::string const& extension : checkpoint.extensions) text += extension + '\n';
  return text;
}

Result<Checkpoint> parse_checkpoint(std::string_view text) {
  Checkpoint checkpoint;
  checkpoint.origin = TACENDA_TRY(take_line(text));
  std::string_view const size = TACENDA_TRY(take_line(text));
  checkpoint.head.size = TACENDA_TRY(parse_size(size));
  std::string_view const root_text = TACENDA_TRY(take_line(text));
  Bytes const root = TACENDA_TRY(internal::base64_decode(root_text));
  if (root.size() != checkpoint.head.root.size()) {
    return fail(ErrorKind::kInvalid, "root of a checkpoint is not 32 bytes");
  }
  std::ranges::copy(root, checkpoint.head.root.begin());
  while (!text.empty()) checkpoint.extensions.emplace_back(TACENDA_TRY(take_line(text)));
  return checkpoint;
}

Result<std::string> sign_checkpoint(Checkpoint const& checkpoint, NoteSigner const& signer) {
  // Without this a log could sign the head of another under its own name.
  if (checkpoint.origin != signer.verifier().name().text()) {
    return fail(ErrorKind::kInvalid, "checkpoint is of another log than the signer's");
  }
  std::string const text = TACENDA_TRY(format_checkpoint(checkpoint));
  return signer.sign(text);
}

Result<Checkpoint> open_checkpoint(std::string_view note, NoteVerifier const& key) {
  std::string const text = TACENDA_TRY(open_note(note, key));
  Checkpoint checkpoint = TACENDA_TRY(parse_checkpoint(text));
  if (checkpoint.origin != key.name().text()) {
    return fail(ErrorKind::kCorrupt, "checkpoint is of another log than the key's");
  }
  return checkpoint;
}

}  // namespace tacenda::merkle
