#include "audit/internal/growing_tree.hpp"

#include <algorithm>

#include "audit/internal/rows.hpp"

namespace tacenda::audit {
namespace {

Bytes row_of(std::span<Digest const> hashes) {
  Bytes row;
  row.reserve(hashes.size_bytes());
  for (auto const& hash : hashes) append(row, ByteView(hash));
  return row;
}

}  // namespace

Result<GrowingTree> GrowingTree::read(StoredTree& stored) {
  GrowingTree tree;
  tree.frontier_ = TACENDA_TRY(merkle::Frontier::read(stored.size(), stored.reader()));
  tree.stored_size_ = stored.size();
  std::uint64_t hashes = stored.size();  // of the level in question
  for (std::uint32_t level = 0; hashes > 0; ++level, hashes /= merkle::kTileWidth) {
    Level& edge = tree.levels_.emplace_back();
    if (hashes % merkle::kTileWidth == 0) continue;
    edge.hashes = TACENDA_TRY(stored.tile({level, hashes / merkle::kTileWidth}));
  }
  return tree;
}

void GrowingTree::append(Digest const& leaf_hash) {
  frontier_.append(leaf_hash, [this](merkle::Node const& node) {
    if (node.id.level % merkle::kTileHeight == 0) {
      add(node.id.level / merkle::kTileHeight, node.id.index, node.hash);
    }
  });
}

void GrowingTree::add(std::uint32_t level, std::uint64_t index, Digest const& hash) {
  if (level >= levels_.size()) levels_.resize(level + 1);
  Level& edge = levels_[level];
  edge.hashes.push_back(hash);
  edge.changed = true;
  if (edge.hashes.size() < merkle::kTileWidth) return;
  completed_.push_back({{level, index / merkle::kTileWidth}, row_of(edge.hashes)});
  edge.hashes.clear();
  edge.changed = false;
}

void GrowingTree::store(vault::View const& rows, vault::WriteSet& set) {
  for (auto& tile : completed_)
    rows.put(set, rows::tile(tile.id.level, tile.id.index), std::move(tile.hashes));
  completed_.clear();
  std::uint64_t hashes = frontier_.size();
  for (std::uint32_t level = 0; level < levels_.size(); ++level, hashes /= merkle::kTileWidth) {
    Level& edge = levels_[level];
    if (level > 0 && edge.changed) {
      rows.put(set, rows::tile(level, hashes / merkle::kTileWidth), row_of(edge.hashes));
    }
    edge.changed = false;
  }
  // The tail: what `verify` compares the newest entries with, one by one, before their tile is complete.
  std::uint64_t const tile_start = frontier_.size() - frontier_.size() % merkle::kTileWidth;
  std::uint64_t const first = std::max(stored_size_, tile_start);
  if (first < frontier_.size()) {
    Bytes tail;
    ByteWriter(tail).u64(first);
    auto const& leaves = levels_.front().hashes;
    tacenda::append(tail, row_of(std::span(leaves).subspan(static_cast<std::size_t>(first - tile_start))));
    rows.put(set, rows::tail(first), std::move(tail));
  }
  stored_size_ = frontier_.size();
}

}  // namespace tacenda::audit
