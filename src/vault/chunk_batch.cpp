#include "vault/chunk_batch.hpp"

#include "core/process.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

ChunkBatch::ChunkBatch(Vault const& vault) : view_(vault.view(Keeper::kRecords)) {}

void ChunkBatch::add(ChunkSeal const& seal, ChunkPlace place, ByteView plaintext) {
  // Of a content that a record owns, this would write over what somebody reads.
  TACENDA_ASSERT(seal.is_new());
  view_.put(set_, chunk_key(seal.id(), place.index), seal.seal(place, plaintext));
}

}  // namespace tacenda::vault
