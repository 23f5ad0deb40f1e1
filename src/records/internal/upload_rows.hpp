#pragma once

#include <cstdint>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "vault/chunk_seal.hpp"

/// The row of an upload that is under way (docs/data-file.md, "Record rows"): `U` content id(16), whose value
/// is
///   format(1) = 1 | state(1): 1 under way, 2 being removed | begun, Unix ms (8)
/// Its chunks lie under `B` and the same id. The commit of the version that holds them takes the row away.
namespace tacenda::records {

enum class UploadState : std::uint8_t { kUnderWay = 1, kEnding = 2 };

struct UploadRow {
  UploadState state = UploadState::kUnderWay;
  Time begun{};
};

Bytes upload_key(vault::ChunkSeal::Id const& id);
/// Errors: kCorrupt.
Result<vault::ChunkSeal::Id> parse_upload_key(ByteView key);

Bytes encode_upload(UploadRow const& row);
/// Errors: kCorrupt.
Result<UploadRow> decode_upload(ByteView row);

}  // namespace tacenda::records
