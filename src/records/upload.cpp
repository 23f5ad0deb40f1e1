#include "records/upload.hpp"

#include <algorithm>
#include <utility>

#include "core/process.hpp"
#include "records/internal/content.hpp"
#include "records/internal/upload_rows.hpp"
#include "vault/vault.hpp"

namespace tacenda::records {

Upload::Upload(vault::Vault const& vault, vault::ChunkSeal seal)
    : vault_(&vault), seal_(std::move(seal)), batch_(vault) {}

Result<Upload> Upload::begin(vault::Vault const& vault) {
  return Upload(vault, TACENDA_TRY(vault::ChunkSeal::make(vault)));
}

void Upload::seal_waiting(bool is_last) {
  batch_.add(seal_, {.index = sealed_++, .is_last = is_last}, waiting_);
  waiting_.clear();
}

void Upload::add(ByteView bytes) {
  digest_.add(bytes);
  size_bytes_ += bytes.size();
  while (!bytes.empty()) {
    if (waiting_.size() == kContentChunkBytes) seal_waiting(false);
    auto const count = std::min(bytes.size(), kContentChunkBytes - waiting_.size());
    append(waiting_, bytes.first(count));
    bytes = bytes.subspan(count);
  }
}

void Upload::finish() {
  TACENDA_ASSERT(!waiting_.empty());
  seal_waiting(true);
}

void Upload::begin_in(vault::WriteSet& set, Time now) const {
  vault_->view(vault::Keeper::kRecords)
      .put(set, upload_key(id()), encode_upload({UploadState::kUnderWay, now}));
}

vault::ChunkBatch Upload::next_batch() {
  return std::exchange(batch_, vault::ChunkBatch(*vault_));
}

UploadedContent Upload::content() {
  UploadedContent content{.id = id(), .size_bytes = size_bytes_, .digest = digest_.finish(), .secret = {}};
  seal_.put_secret(content.secret);
  return content;
}

}  // namespace tacenda::records
