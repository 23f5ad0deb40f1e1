#pragma once

#include <vector>

#include "audit/internal/stored_tree.hpp"
#include "merkle/tile.hpp"
#include "merkle/tree.hpp"
#include "vault/view.hpp"

namespace tacenda::audit {

/// The right edge of the tree in memory: frontier and growing tiles, and what of them a batch must store.
/// Copies are cheap (some KiB), so that a batch that was not stored is undone by putting the copy back.
///
/// Owner: the Committer's thread.
class GrowingTree {
 public:
  GrowingTree() = default;
  /// Reads the edge of a stored tree. Errors: kCorrupt, kUnavailable.
  static Result<GrowingTree> read(StoredTree& stored);

  void append(Digest const& leaf_hash);
  std::uint64_t size() const { return frontier_.size(); }
  merkle::TreeHead head() const { return {frontier_.size(), frontier_.root()}; }

  /// Adds the rows that changed since the last call: completed tiles, the growing tiles above level 0 and
  /// the leaf hashes of this batch that are in no completed tile.
  void store(vault::View const& rows, vault::WriteSet& set);

 private:
  struct Level {
    std::vector<Digest> hashes;  // of the growing tile, fewer than 256
    bool changed = false;
  };
  struct Completed {
    merkle::TileId id;
    Bytes hashes;
  };

  void add(std::uint32_t level, std::uint64_t index, Digest const& hash);

  merkle::Frontier frontier_;
  std::vector<Level> levels_;
  std::vector<Completed> completed_;
  std::uint64_t stored_size_ = 0;
};

}  // namespace tacenda::audit
