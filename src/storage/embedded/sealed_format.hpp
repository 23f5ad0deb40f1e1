#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "crypto/aead.hpp"
#include "crypto/nonce.hpp"
#include "crypto/random.hpp"

namespace tacenda::storage {

// Byte layout of sealed files, version 1 (docs/data-file.md, "Sealed files"). Integers are big-endian.
//
// Header, 512 bytes in clear at the start of each file:
//     0   8  "TACENDA" and the version byte 1
//     8   1  kind: 1 chunks, 2 log, 3 registry, 4 marks
//     9   1  algorithm: 1 AES-256-GCM with counter nonces (kind 1), 2 XAES-256-GCM with hedged nonces (2, 3,
//     4)
//    10  16  random file id
//    26   2  n, 1 to 384
//    28   n  the file's key, wrapped by the lender
//  28+n      zeros to byte 512
// SHA-256 of these 512 bytes is in every associated data below, so no byte of a header can change and no
// chunk or record can stand in another file.
//
// Chunks (tables, CURRENT, OPTIONS, IDENTITY: written once), from byte 512 on:
//     ciphertext of 16,384 bytes (the last: 0 to 16,384), tag 16
//     nonce = 0 (4 bytes) || chunk index (8)
//     associated data = "tacenda/chunk/1" || header digest || chunk index (8) || 1 if last, else 0 (1)
//
// Records (write-ahead log, MANIFEST, registry: appended to), from byte 512 on:
//     0   4  n, at most 1 MiB
//     4   1  1 when the record ends a group, else 0; a reader gets whole groups only
//     5   8  record number, from 0
//    13   8  file offset below which an fsync had succeeded when the record was sealed
//    21  16  chain: first half of SHA-256(chain before || tag before); of the header digest at first
//    37  24  nonce
//    61   n  ciphertext
//  61+n  16  tag
//     associated data = "tacenda/record/1" || header digest || bytes 0 to 36

inline constexpr std::size_t kHeaderBytes = 512;
inline constexpr std::size_t kFileIdBytes = 16;
inline constexpr std::size_t kChunkBytes = 16 * 1024;
inline constexpr std::size_t kSealedChunkBytes = kChunkBytes + crypto::kTagBytes;
inline constexpr std::size_t kRecordBytesMax = 1024 * 1024;
inline constexpr std::size_t kRecordFrameBytes = 61;
inline constexpr std::size_t kRecordOverheadBytes = kRecordFrameBytes + crypto::kTagBytes;

using FileId = std::array<std::byte, kFileIdBytes>;
using HeaderBytes = std::array<std::byte, kHeaderBytes>;

enum class FileKind : std::uint8_t { kChunks = 1, kLog = 2, kRegistry = 3, kMarks = 4 };

struct FileHeader {
  FileKind kind;
  FileId id;
  Bytes wrapped_key;
};

HeaderBytes encode_header(FileHeader const& header);
/// Errors: kCorrupt.
Result<FileHeader> parse_header(ByteView bytes);

enum class ChunkPlace : std::uint8_t { kInner = 0, kLast = 1 };

/// Plaintext length of a chunk file by its length on disk. Errors: kCorrupt when no chunk file is so long.
Result<std::uint64_t> plain_size(std::uint64_t sealed_size);

/// Seals and opens the chunks of one file. Thread-safe.
class ChunkCodec {
 public:
  ChunkCodec(crypto::AeadKey const& key, HeaderBytes const& header);
  /// `out` is chunk.size() + 16 long. The caller never seals one index twice: the nonce would repeat.
  void seal(std::uint64_t index, ChunkPlace place, ByteView chunk, std::span<std::byte> out) const;
  /// `out` is sealed.size() - 16 long. Errors: kCorrupt.
  Result<void> open(std::uint64_t index, ChunkPlace place, ByteView sealed, std::span<std::byte> out) const;

 private:
  crypto::Aes256Gcm aead_;
  Digest header_digest_;
};

using Chain = std::array<std::byte, 16>;
enum class GroupEnd : std::uint8_t { kNo = 0, kYes = 1 };

/// Seals the records of one file that is being written. Owner: one thread.
class RecordSealer {
 public:
  /// `random` must outlive the object.
  RecordSealer(crypto::AeadKey const& key, HeaderBytes const& header, crypto::MacKey const& nonce_key,
               crypto::Random& random);
  /// Appends the sealed record to `out`. Errors: kUnavailable (no randomness).
  Result<void> seal(ByteView payload, GroupEnd end, std::uint64_t synced, Bytes& out);

 private:
  crypto::Xaes256Gcm aead_;
  crypto::HedgedNonces nonces_;
  Digest header_digest_;
  std::uint64_t number_ = 0;
  Chain chain_;
};

/// What a log holds up to the end of its last whole group.
struct LogContent {
  Bytes plaintext;
  std::uint64_t end = kHeaderBytes;  // file offset after the last whole group
};

/// Reads a whole log file, header included. `synced` is the file offset that is known from elsewhere to
/// have been fsynced (0: nothing known). What follows the last whole group is a torn tail and is left
/// out, unless it lies below `synced` or a later record proves that it had been synced: then bytes that
/// were promised are gone.
/// Errors: kCorrupt.
Result<LogContent> read_log(crypto::AeadKey const& key, ByteView file, std::uint64_t synced);

}  // namespace tacenda::storage
