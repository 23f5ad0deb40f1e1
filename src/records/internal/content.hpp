#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/row.hpp"
#include "vault/chunk_seal.hpp"
#include "vault/vault.hpp"

/// What a Binary holds, when it is large: in chunks beside its resource, so that a part can be read without
/// the rest. To everybody else a Binary is one text, with its data in it.
namespace tacenda::records {

inline constexpr std::size_t kContentChunkBytes =
    std::size_t{64} * 1024;  // of plaintext; the last may be shorter

/// The key of a chunk: `B` content id(16) chunk(4); its value is one of vault::ChunkSeal.
Bytes content_key(vault::ChunkSeal::Id const& id, std::uint32_t index);
struct ContentKey {
  vault::ChunkSeal::Id id{};
  std::uint32_t index = 0;
};
/// Errors: kCorrupt.
Result<ContentKey> parse_content_key(ByteView key);

/// Takes the data of a Binary out of its text and puts it into `set` in chunks, when it is longer than one
/// chunk and base64 gives it back letter by letter. Then it gives the text as it was; else empty. Errors:
/// kUnavailable.
Result<std::string> put_content_apart(vault::Vault const& vault, vault::View const& view,
                                      vault::WriteSet& set, Document& document);

/// Errors: kCorrupt (a chunk is missing or does not open), kInvalid (a range beyond the end).
Result<std::string> read_content(Rows const& rows, ContentApart const& content, ContentRange range);

/// The text as it was sent; does nothing where nothing lies apart. Errors: kCorrupt.
Result<void> put_content_back(Rows const& rows, Document& document);

/// Opens every chunk and compares the whole with what the record says of it. Errors: kCorrupt, kUnavailable.
Result<void> verify_content(Rows const& rows, ContentApart const& content);

}  // namespace tacenda::records
