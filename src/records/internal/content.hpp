#pragma once

#include <cstddef>
#include <cstdint>
#include <string>

#include "core/error.hpp"
#include "core/limits.hpp"
#include "records/internal/judging.hpp"
#include "records/internal/row.hpp"
#include "records/upload.hpp"
#include "vault/chunk_seal.hpp"
#include "vault/vault.hpp"

/// What a Binary holds, when it is large: in chunks beside its resource, so that a part can be read without
/// the rest. To everybody else a Binary is one text, with its data in it.
namespace tacenda::records {

inline constexpr std::size_t kContentChunkBytes =
    std::size_t{64} * 1024;  // of plaintext; the last may be shorter

/// How much a Binary may hold for its resource to be given, or changed in part, with all of it: what the body
/// of a request may bring. What is larger is read as the content it is.
inline constexpr std::uint64_t kContentInTextBytes = limits::kBodyBytes;
/// The most that any record can say it holds.
inline constexpr std::uint64_t kContentBytesMax = std::uint64_t{1} << 40U;

/// The key of a chunk is vault::chunk_key, its value one of vault::ChunkSeal.
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
/// Puts what was uploaded in the place of the data of a Binary, which is not empty.
void put_uploaded_apart(UploadedContent held, Document& document);

/// Errors: kCorrupt (a chunk is missing or does not open), kInvalid (a range beyond the end).
Result<std::string> read_content(Rows const& rows, ContentApart const& content, ContentRange range);

/// The text as it was sent; does nothing where nothing lies apart. Where that is more than
/// kContentInTextBytes the text stays without it and is tagged SUBSETTED, so that it is not taken for the
/// whole or written back. Errors: kCorrupt.
Result<void> put_content_back(Rows const& rows, Document& document);

/// Opens every chunk and compares the whole with what the record says of it. Errors: kCorrupt, kUnavailable.
Result<void> verify_content(Rows const& rows, ContentApart const& content);

}  // namespace tacenda::records
