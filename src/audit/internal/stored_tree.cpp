#include "audit/internal/stored_tree.hpp"

#include <algorithm>

#include "audit/internal/rows.hpp"

namespace tacenda::audit {
namespace {

constexpr std::size_t kTilesKept = 64;  // 512 KiB; a proof needs at most 8 levels of two paths

}  // namespace

Result<std::vector<Digest>> parse_hashes(ByteView row) {
  if (row.size() % sizeof(Digest) != 0) return fail(ErrorKind::kCorrupt, "audit tree: row of hashes is cut");
  std::vector<Digest> out(row.size() / sizeof(Digest));
  for (std::size_t i = 0; i < out.size(); ++i) {
    std::ranges::copy(row.subspan(i * sizeof(Digest), sizeof(Digest)), out[i].begin());
  }
  return out;
}

Result<std::vector<Digest>> StoredTree::tile(merkle::TileId id) {
  std::uint32_t const width = merkle::tile_width(id, size_);
  if (id.level == 0 && width < merkle::kTileWidth) {
    std::vector<Digest> leaves;
    for (std::uint64_t i = 0; i < width; ++i) {
      auto const entry =
          TACENDA_TRY(rows_.get(rows::of(rows::kEntry, id.index * merkle::kTileWidth + i), at_));
      if (!entry) return fail(ErrorKind::kCorrupt, "audit log: an entry is missing");
      leaves.push_back(merkle::leaf_hash(*entry));
    }
    return leaves;
  }
  auto const row = TACENDA_TRY(rows_.get(rows::tile(id.level, id.index), at_));
  if (!row) return fail(ErrorKind::kCorrupt, "audit tree: a tile is missing");
  auto hashes = TACENDA_TRY(parse_hashes(*row));
  if (hashes.size() < width) return fail(ErrorKind::kCorrupt, "audit tree: a tile is too short");
  hashes.resize(width);  // a newer state of the growing tile has more
  return hashes;
}

Result<Digest> StoredTree::hash_of(merkle::NodeId node) {
  merkle::TileSlice const slice = merkle::tile_slice_of(node);
  auto found = tiles_.find(slice.tile);
  if (found == tiles_.end()) {
    auto hashes = TACENDA_TRY(tile(slice.tile));
    if (tiles_.size() >= kTilesKept) tiles_.erase(tiles_.begin());
    found = tiles_.emplace(slice.tile, std::move(hashes)).first;
  }
  auto const& hashes = found->second;
  if (slice.first + slice.count > hashes.size())
    return fail(ErrorKind::kCorrupt, "audit tree: a hash is missing");
  std::span<Digest const> const part(hashes.data() + slice.first, slice.count);
  return merkle::root_of(part);
}

}  // namespace tacenda::audit
