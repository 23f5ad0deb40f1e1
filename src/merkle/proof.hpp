#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "merkle/tree.hpp"

namespace tacenda::merkle {

/// Sibling hashes, from the leaf's side up to the root's.
using Proof = std::vector<Digest>;

/// The tree at one size, as a checkpoint states it.
struct TreeHead {
  std::uint64_t size = 0;
  Digest root{};
  bool operator==(TreeHead const&) const = default;
};

/// A leaf and the size of the tree that it is looked up in.
struct LeafPosition {
  std::uint64_t index = 0;
  std::uint64_t tree_size = 0;
};

/// Two sizes of one tree that only grows.
struct Growth {
  std::uint64_t old_size = 0;
  std::uint64_t new_size = 0;
};

/// PATH(m, D[n]). At most 64 hashes; reads at most that many subtrees times their log.
/// Errors: kInvalid when the index is not below the size; those of `read`.
/// Source: RFC 6962 section 2.1.1.
Result<Proof> inclusion_proof(LeafPosition position, HashReader const& read);
/// PROOF(m, D[n]); empty when the sizes are equal or the old one is 0.
/// Errors: kInvalid when the old size is beyond the new one; those of `read`.
/// Source: RFC 6962 section 2.1.2.
Result<Proof> consistency_proof(Growth growth, HashReader const& read);

/// Checks that `leaf_hash` is leaf `index` of the tree with this head. Hostile input allowed everywhere.
/// Errors: kInvalid (index not below the size), kCorrupt (wrong length of the proof, or another root).
/// Source: RFC 9162 section 2.1.3.2.
Result<void> verify_inclusion(Digest const& leaf_hash, std::uint64_t index, TreeHead const& head,
                              std::span<Digest const> proof);
/// Checks that the tree `newer` only added leaves to the tree `older`, which is not empty: about an empty
/// tree there is nothing to prove.
/// Errors: kInvalid (older is empty or larger), kCorrupt (wrong length of the proof, or another root).
/// Source: RFC 9162 section 2.1.4.2.
Result<void> verify_consistency(TreeHead const& older, TreeHead const& newer, std::span<Digest const> proof);

/// The tree over the leaves [begin, end) of a larger one; `begin` is a multiple of the smallest power of two
/// that is not below the number of leaves.
struct SubtreeHead {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  Digest root{};
};

/// verify_inclusion in a subtree; `index` is the leaf's in the whole tree.
/// Errors: kInvalid (no such subtree, or index not in it), kCorrupt.
/// Source: draft-ietf-plants-merkle-tree-certs section 4.3.
Result<void> verify_subtree_inclusion(Digest const& leaf_hash, std::uint64_t index,
                                      SubtreeHead const& subtree, std::span<Digest const> proof);
/// Checks that `subtree` is one of the tree with this head. One of no leaves is one of every tree.
/// Errors: kInvalid (no such subtree in a tree of this size), kCorrupt.
/// Source: draft-ietf-plants-merkle-tree-certs section 4.4.
Result<void> verify_subtree_consistency(SubtreeHead const& subtree, TreeHead const& head,
                                        std::span<Digest const> proof);

}  // namespace tacenda::merkle
