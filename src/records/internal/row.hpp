#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/vault.hpp"

/// One stored version (docs/data-file.md, "Record rows", formats 2 to 4), value of a C or V key:
///
///   sequence(8) | time in Unix ms(8)       written by the committer
///   format(1) = 2, or 3: its content lies apart, or 4: purged | flags(1): bit 0 deleted | version(8)
///   | document(8)
///   document: the number of the resource in the index: the sequence of its first version, where 0 stands for
///   that version's own
///   previous(32)                           SHA-256 of the body of the version before; zeros for the first
///   subjects(2) | {length(4) text}...      whose keys it lies under, sorted: "Patient/123"
///   envelope                               SubjectKeys::seal_record over the body
///
///   body: salt(16) | meta offset(4) | size of the text(4), in format 3 with the highest bit set | in format
///   3 the content | zstd frame of the text content: offset in the text(4) | size(8) | SHA-256(32) | secret
///   of vault::ChunkSeal(48)
///
/// A purged version is what an erasure leaves of one that was of the erased patient as well, in the history
/// of a record that others still have: an empty body under the tenant's keys, with the `previous` of the
/// version that it stands for. The leaf of its purging binds it.
///
/// The salt makes `previous` a hiding commitment. It covers the body and not the envelope, so that sealing
/// a version anew breaks no later one. The associated data binds format, store, tenant, type, id, version,
/// aliases, key generation, deleted flag, document and `previous`: no row can stand in another's place.
namespace tacenda::records {

struct RowHeader {
  std::uint64_t sequence = 0;
  Time time{};
  bool deleted = false;            // also of a purged version
  bool purged = false;             // format 4
  bool has_content_apart = false;  // format 3
  std::uint64_t version = 0;
  std::uint64_t document = 0;  // as stored: see document_number
  Digest previous{};
  std::vector<std::string> subjects;  // vault subject texts
  ByteView envelope;                  // into the row

  /// Logical ids of the patients among the subjects.
  std::vector<std::string> patients() const;
  /// The resource's number in the index.
  std::uint64_t document_number() const { return document == 0 ? sequence : document; }
};

/// Errors: kCorrupt.
Result<RowHeader> parse_row(ByteView row);

/// What a Binary holds, when it lies in chunks beside the resource (internal/content.hpp).
struct ContentApart {
  std::uint32_t offset = 0;  // in Document::text: where its base64 belongs
  std::uint64_t size_bytes = 0;
  Digest digest{};  // SHA-256
  Bytes secret;     // of vault::ChunkSeal
};

/// A resource as text, and where `"versionId":..,"lastUpdated":..` belongs in it: right after `"meta":{`.
struct Document {
  std::string text;  // empty for a deleted version
  std::uint32_t meta_offset = 0;
  std::optional<ContentApart> content = {};  // `text` is without it
  /// Of a Binary that is about to be written: where the base64 of its data stands in `text`.
  struct Part {
    std::size_t offset = 0;
    std::size_t size = 0;
  };
  Part data = {};
};

struct RowPlace {
  std::string_view type;
  std::string_view id;
};

/// Seals `document` as version `header.version` at `place`. Fills the row; gives the digest of its envelope
/// for the audit leaf. `header.sequence`, `time` and `envelope` are not looked at.
struct SealedRow {
  Bytes row;
  Digest digest;
};
Result<SealedRow> seal_row(vault::Vault const& vault, vault::SubjectKeys const& keys, RowPlace const& place,
                           RowHeader const& header, Document const& document, Bytes* body_out);

/// The body, decrypted and authenticated but still compressed. Errors: kCorrupt, kGone (keys shredded).
Result<Bytes> open_body(vault::Vault const& vault, RowPlace const& place, RowHeader const& header);
/// Errors: kCorrupt.
Result<Document> open_document(ByteView body);

/// What version n+1 holds of version n.
Digest commit_to(ByteView body);

/// The text with the server's meta: versionId and lastUpdated.
std::string render(Document const& document, std::uint64_t version, Time last_updated);

/// What the multiset hash of the current state counts: one item per current version.
Bytes state_item(RowPlace const& place, std::uint64_t version, Digest const& envelope_digest);

/// The subjects named in a row, as the vault knows them. Errors: kCorrupt.
Result<std::vector<vault::Subject>> subjects_of(RowHeader const& header);

}  // namespace tacenda::records
