#pragma once

#include <map>
#include <vector>

#include "merkle/proof.hpp"
#include "merkle/tile.hpp"
#include "merkle/tree.hpp"
#include "vault/view.hpp"

namespace tacenda::audit {

/// The stored hashes of the first `size` leaves, as one state of the store has them. The growing tile of
/// level 0 is not stored: its hashes are made from the entries.
///
/// Owner: one thread; keeps the tiles it read.
class StoredTree {
 public:
  StoredTree(vault::View const& rows, std::uint64_t size, vault::ReadPoint const* at)
      : rows_(rows), size_(size), at_(at) {}

  std::uint64_t size() const { return size_; }
  /// For merkle's functions; must not outlive this object.
  merkle::HashReader reader() {
    return [this](merkle::NodeId node) { return hash_of(node); };
  }
  /// Hashes of one tile, as many as it holds in this tree. Errors: kCorrupt (missing or too short).
  Result<std::vector<Digest>> tile(merkle::TileId id);

 private:
  Result<Digest> hash_of(merkle::NodeId node);

  vault::View rows_;
  std::uint64_t size_;
  vault::ReadPoint const* at_;
  std::map<merkle::TileId, std::vector<Digest>> tiles_;
};

/// Takes a stored row of hashes apart. Errors: kCorrupt when it is no whole number of hashes.
Result<std::vector<Digest>> parse_hashes(ByteView row);

}  // namespace tacenda::audit
