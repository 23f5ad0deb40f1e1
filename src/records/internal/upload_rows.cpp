#include "records/internal/upload_rows.hpp"

#include <algorithm>

namespace tacenda::records {
namespace {

constexpr std::uint8_t kFormat = 1;
constexpr std::uint8_t kPrefix = 'U';

}  // namespace

Bytes upload_key(vault::ChunkSeal::Id const& id) {
  Bytes key;
  ByteWriter(key).u8(kPrefix).raw(id);
  return key;
}

Result<vault::ChunkSeal::Id> parse_upload_key(ByteView key) {
  ByteReader reader(key);
  if (TACENDA_TRY(reader.u8()) != kPrefix) return fail(ErrorKind::kCorrupt, "a key of an upload has another form");
  vault::ChunkSeal::Id id;
  std::ranges::copy(TACENDA_TRY(reader.raw(id.size())), id.begin());
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "a key of an upload has another form");
  return id;
}

Bytes encode_upload(UploadRow const& row) {
  Bytes out;
  ByteWriter(out).u8(kFormat).u8(static_cast<std::uint8_t>(row.state)).u64(to_unix_ms(row.begun));
  return out;
}

Result<UploadRow> decode_upload(ByteView bytes) {
  ByteReader reader(bytes);
  if (TACENDA_TRY(reader.u8()) != kFormat) return fail(ErrorKind::kCorrupt, "an upload row has another format");
  auto const state = TACENDA_TRY(reader.u8());
  if (state != static_cast<std::uint8_t>(UploadState::kUnderWay) &&
      state != static_cast<std::uint8_t>(UploadState::kEnding))
    return fail(ErrorKind::kCorrupt, "an upload row has an unknown state");
  UploadRow row;
  row.state = static_cast<UploadState>(state);
  row.begun = from_unix_ms(TACENDA_TRY(reader.u64()));
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "an upload row has another size");
  return row;
}

}  // namespace tacenda::records
