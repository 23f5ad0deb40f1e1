// Takes away what an upload that broke off has left.
#include "records/internal/content.hpp"
#include "records/internal/upload_rows.hpp"
#include "records/store.hpp"

namespace tacenda::records {

Result<std::vector<UploadId>> Store::uploads(std::size_t limit) const {
  std::vector<UploadId> ids;
  TACENDA_TRY_VOID(view_.scan(as_bytes("U"), [&](ByteView key, ByteView) -> Result<bool> {
    // What is no such key is damage, which `verify` names: the others are not left for its sake.
    if (auto const id = parse_upload_key(key); id.has_value()) ids.push_back(*id);
    return ids.size() < limit;
  }));
  return ids;
}

Result<UploadSweep> Store::sweep_upload(UploadId const& id, std::size_t rows_max) const {
  auto const at = vault_->read_point();
  Bytes const key = upload_key(id);
  UploadSweep sweep;
  auto const row = TACENDA_TRY(view_.get(key, &at));
  if (!row) return sweep;
  sweep.was_there = true;
  // Of the commit of a version and this one, the later is refused.
  sweep.set.read_at(at.sequence());
  sweep.set.depends_on(view_.guard(key));
  sweep.set.touches(view_.guard(key));
  // A row that cannot be read is taken away all the same: its chunks are known by its key.
  auto upload = decode_upload(*row).value_or(UploadRow());
  sweep.is_first = upload.state == UploadState::kUnderWay;
  Bytes prefix;
  ByteWriter(prefix).u8('B').raw(id);
  TACENDA_TRY_VOID(view_.scan(
      prefix, {}, storage::Direction::kForward,
      [&](ByteView chunk, ByteView) -> Result<bool> {
        if (sweep.chunks == rows_max) {
          sweep.is_done = false;
          return false;
        }
        view_.erase(sweep.set, chunk);
        ++sweep.chunks;
        return true;
      },
      &at));
  if (sweep.is_done) {
    view_.erase(sweep.set, key);
  } else {
    // No version may be made of what is left.
    upload.state = UploadState::kEnding;
    view_.put(sweep.set, key, encode_upload(upload));
  }
  return sweep;
}

}  // namespace tacenda::records
