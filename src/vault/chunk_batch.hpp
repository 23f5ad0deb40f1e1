#pragma once

#include <cstddef>

#include "vault/chunk_seal.hpp"
#include "vault/view.hpp"
#include "vault/write_set.hpp"

namespace tacenda::audit {
class Log;  // commits it
}

namespace tacenda::vault {

class Vault;

/// Chunks of a content on their way to the store before the record that will own it. Their key is in nobody's
/// record yet: no reader can meet them or open them, so that their commit has no event to tell of
/// (audit::Log::commit_unseen). Nothing else gets in: a row enters by being sealed here, under the key of a
/// content that this process made itself.
///
/// Owner: one thread.
class ChunkBatch {
 public:
  explicit ChunkBatch(Vault const& vault);

  /// `seal` must be one of ChunkSeal::make (asserted).
  void add(ChunkSeal const& seal, ChunkPlace place, ByteView plaintext);
  bool empty() const { return set_.empty(); }
  std::size_t size_bytes() const { return set_.size_bytes(); }

  /// The same rows, to be committed with an event.
  WriteSet into_set() && { return std::move(set_); }

 private:
  friend class audit::Log;
  View view_;
  WriteSet set_;
};

}  // namespace tacenda::vault
