#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace tacenda::vault {

class Vault;

/// Which chunk of its content one is: none passes for another, and a content that is cut off has no last one.
struct ChunkPlace {
  std::uint32_t index = 0;
  bool is_last = false;
};

/// Seals one content in chunks under a key of its own, so that each can be opened without the others. The key
/// belongs into the text of the record that owns the content, where the keys of its subjects seal it: whoever
/// destroys those closes the chunks with it.
///
/// A chunk: ver(1) | alg(1) | nonce(24) | ciphertext | tag(16). Associated data: `tacenda/content/1` with its
/// length, store id, tenant id, content id, index(4), 1 for the last chunk, else 0 (1). The nonce is the
/// first 24 bytes of an HMAC over associated data and SHA-256 of the plaintext under a key derived from the
/// content's: even in a cloned machine, which may draw one key for two contents, two different chunks get two
/// nonces.
///
/// Owner: one content at a time. Thread-safe.
class ChunkSeal {
 public:
  using Id = std::array<std::byte, 16>;
  static constexpr std::size_t kSecretBytes = 48;  // id(16) | key(32)

  /// A new content. Errors: kUnavailable (no randomness).
  static Result<ChunkSeal> make(Vault const& vault);
  /// One whose record was opened. `secret`: what put_secret gave. Errors: kCorrupt.
  static Result<ChunkSeal> restore(Vault const& vault, ByteView secret);
  ~ChunkSeal();
  ChunkSeal(ChunkSeal&&) noexcept;
  ChunkSeal& operator=(ChunkSeal&&) noexcept;

  Id const& id() const;
  /// True of one that `make` made: no record of it is stored.
  bool is_new() const;
  /// Appends id(16) | key(32), for the text of the owning record and nothing else.
  void put_secret(Bytes& out) const;

  Bytes seal(ChunkPlace place, ByteView plaintext) const;
  /// Appends the plaintext; on failure `out` is as before. Errors: kCorrupt.
  Result<void> open(ChunkPlace place, ByteView sealed, Bytes& out) const;

 private:
  struct State;
  explicit ChunkSeal(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

/// Where a chunk lies in the view of Keeper::kRecords: `B` content id(16) index(4).
Bytes chunk_key(ChunkSeal::Id const& id, std::uint32_t index);

}  // namespace tacenda::vault
