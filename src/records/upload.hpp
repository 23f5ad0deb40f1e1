#pragma once

#include <cstddef>
#include <cstdint>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/chunk_batch.hpp"
#include "vault/running_digest.hpp"
#include "vault/write_set.hpp"

namespace tacenda::records {

/// Names an upload, and the content that comes of it.
using UploadId = vault::ChunkSeal::Id;

/// A content whose chunks are stored, for the version that will hold it (Transaction::hold).
struct UploadedContent {
  UploadId id{};
  std::uint64_t size_bytes = 0;
  Digest digest{};  // SHA-256
  Bytes secret;     // of vault::ChunkSeal
};

/// One commit's share of the removal of an upload that broke off.
struct UploadSweep {
  vault::WriteSet set;
  bool was_there = false;  // false: nothing is left of it, `set` is empty
  bool is_first = false;   // of this upload nothing was removed before
  bool is_done = true;     // false: more chunks are left
  std::size_t chunks = 0;  // that `set` removes
};

/// What a Binary is going to hold, on its way into the store: sealed as it comes, in chunks under a key of
/// its own, and committed in batches before there is a version that holds it. Until then nobody can see or
/// open it, and a row says that it is under way: whoever finds the row and no upload removes both
/// (Store::sweep_upload).
///
/// Owner: one thread at a time.
class Upload {
 public:
  /// How much is gathered for one commit.
  static constexpr std::size_t kBatchBytes = std::size_t{1024} * 1024;

  /// Errors: kUnavailable (no randomness).
  static Result<Upload> begin(vault::Vault const& vault);

  UploadId const& id() const { return seal_.id(); }
  std::uint64_t size_bytes() const { return size_bytes_; }

  /// Seals what fills chunks; the last chunk waits, for it has to say that it is the last.
  void add(ByteView bytes);
  /// Seals the last chunk. Nothing is added afterwards; at least one byte was.
  void finish();

  /// True when there is enough for a commit.
  bool is_due() const { return batch_.size_bytes() >= kBatchBytes; }
  /// Puts the row into `set` that says that this is under way: before any batch, with the event that tells of
  /// it.
  void begin_in(vault::WriteSet& set, Time now) const;
  /// What was sealed since the last one.
  vault::ChunkBatch next_batch();

  /// After `finish`.
  UploadedContent content();

 private:
  Upload(vault::Vault const& vault, vault::ChunkSeal seal);
  void seal_waiting(bool is_last);

  vault::Vault const* vault_;
  vault::ChunkSeal seal_;
  vault::ChunkBatch batch_;
  Bytes waiting_;  // not sealed yet: at most one chunk
  std::uint32_t sealed_ = 0;
  std::uint64_t size_bytes_ = 0;
  vault::RunningDigest digest_;
};

}  // namespace tacenda::records
