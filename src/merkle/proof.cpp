#include "merkle/proof.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace tacenda::merkle {
namespace {

// The leaves [begin, end). `begin` is a multiple of the smallest power of two that is at least the size:
// every subtree that RFC 6962's recursion meets is of this form.
struct Range {
  std::uint64_t begin;
  std::uint64_t end;
  std::uint64_t size() const { return end - begin; }
};

// The largest power of two below n (RFC 6962: k), n > 1.
std::uint64_t split_of(std::uint64_t n) {
  return std::bit_floor(n - 1);
}

Result<Digest> hash_of(Range range, HashReader const& read) {
  if (std::has_single_bit(range.size())) {
    auto const level = static_cast<std::uint32_t>(std::countr_zero(range.size()));
    return read({level, range.begin >> level});
  }
  // Only the last subtree of a tree is not complete; its left halves are, so this goes down one way.
  std::vector<Digest> left;
  while (!std::has_single_bit(range.size())) {
    std::uint64_t const middle = range.begin + split_of(range.size());
    left.push_back(TACENDA_TRY(hash_of({range.begin, middle}, read)));
    range.begin = middle;
  }
  Digest root = TACENDA_TRY(hash_of(range, read));
  for (; !left.empty(); left.pop_back()) root = node_hash(left.back(), root);
  return root;
}

bool is_subtree(SubtreeHead const& subtree) {
  if (subtree.begin > subtree.end) return false;
  // Asked without rounding the size up to a power of two, which overflows for a size above 2^63.
  std::uint64_t const size = subtree.end - subtree.begin;
  return size <= 1 || subtree.begin == 0 ||
         std::cmp_greater_equal(std::countr_zero(subtree.begin), std::bit_width(size - 1));
}

}  // namespace

Result<Proof> inclusion_proof(LeafPosition position, HashReader const& read) {
  if (position.index >= position.tree_size) return fail(ErrorKind::kInvalid, "leaf is beyond the tree");
  Proof proof;
  Range range{0, position.tree_size};
  while (range.size() > 1) {
    std::uint64_t const middle = range.begin + split_of(range.size());
    bool const left = position.index < middle;
    proof.push_back(TACENDA_TRY(hash_of(left ? Range{middle, range.end} : Range{range.begin, middle}, read)));
    (left ? range.end : range.begin) = middle;
  }
  std::ranges::reverse(proof);  // found from the root down
  return proof;
}

Result<Proof> consistency_proof(Growth growth, HashReader const& read) {
  if (growth.old_size > growth.new_size) return fail(ErrorKind::kInvalid, "older tree is the larger one");
  Proof proof;
  if (growth.old_size == 0 || growth.old_size == growth.new_size) return proof;
  // SUBPROOF(m, D[n], b) of RFC 6962: b says that the subtree in hand is the whole old tree.
  Range range{0, growth.new_size};
  bool is_old_root = true;
  while (range.end != growth.old_size) {
    std::uint64_t const middle = range.begin + split_of(range.size());
    bool const left = growth.old_size <= middle;
    proof.push_back(TACENDA_TRY(hash_of(left ? Range{middle, range.end} : Range{range.begin, middle}, read)));
    if (left) {
      range.end = middle;
    } else {
      range.begin = middle;
      is_old_root = false;
    }
  }
  if (!is_old_root) proof.push_back(TACENDA_TRY(hash_of(range, read)));
  std::ranges::reverse(proof);
  return proof;
}

Result<void> verify_inclusion(Digest const& leaf_hash, std::uint64_t index, TreeHead const& head,
                              std::span<Digest const> proof) {
  return verify_subtree_inclusion(leaf_hash, index, {0, head.size, head.root}, proof);
}

Result<void> verify_consistency(TreeHead const& older, TreeHead const& newer, std::span<Digest const> proof) {
  if (older.size == 0) return fail(ErrorKind::kInvalid, "older tree is empty");
  return verify_subtree_consistency({0, older.size, older.root}, newer, proof);
}

Result<void> verify_subtree_inclusion(Digest const& leaf_hash, std::uint64_t index,
                                      SubtreeHead const& subtree, std::span<Digest const> proof) {
  if (!is_subtree(subtree)) return fail(ErrorKind::kInvalid, "range of leaves is not a subtree");
  if (index < subtree.begin || index >= subtree.end)
    return fail(ErrorKind::kInvalid, "leaf is beyond the tree");
  std::uint64_t node = index - subtree.begin;            // fn of RFC 9162
  std::uint64_t last = subtree.end - subtree.begin - 1;  // sn: the last node of node's level
  Digest root = leaf_hash;
  for (Digest const& sibling : proof) {
    if (last == 0) return fail(ErrorKind::kCorrupt, "inclusion proof is too long");
    if ((node & 1U) != 0 || node == last) {
      root = node_hash(sibling, root);
      for (; (node & 1U) == 0 && node != 0; node >>= 1U) last >>= 1U;
    } else {
      root = node_hash(root, sibling);
    }
    node >>= 1U;
    last >>= 1U;
  }
  if (last != 0) return fail(ErrorKind::kCorrupt, "inclusion proof is too short");
  if (root != subtree.root) return fail(ErrorKind::kCorrupt, "inclusion proof leads to another root");
  return {};
}

namespace {

// Where a consistency proof stands: a level, as the numbers of three nodes on it.
struct Climb {
  std::uint64_t first;  // of the subtree (fn); RFC 9162 has none because its subtree begins at leaf 0
  std::uint64_t last;   // of the subtree (sn)
  std::uint64_t end;    // of the tree (tn)

  void up() {
    first >>= 1U;
    last >>= 1U;
    end >>= 1U;
  }
};

// The largest complete subtree at the right edge of `subtree`: the proof begins with its hash.
Climb start_of(SubtreeHead const& subtree, TreeHead const& head) {
  Climb at{subtree.begin, subtree.end - 1, head.size - 1};
  if (at.last == at.end) {
    // The subtree ends where the tree does, so that it is a node of the tree, complete or not.
    while (at.first != at.last) at.up();
  } else {
    while (at.first != at.last && (at.last & 1U) != 0) at.up();
  }
  return at;
}

}  // namespace

Result<void> verify_subtree_consistency(SubtreeHead const& subtree, TreeHead const& head,
                                        std::span<Digest const> proof) {
  if (!is_subtree(subtree) || subtree.end > head.size) {
    return fail(ErrorKind::kInvalid, "older tree is the larger one, or no subtree");
  }
  if (subtree.begin == subtree.end) {
    if (!proof.empty()) return fail(ErrorKind::kCorrupt, "consistency proof is too long");
    if (subtree.root != empty_root())
      return fail(ErrorKind::kCorrupt, "tree of no leaves has not the empty root");
    return {};
  }
  Climb at = start_of(subtree, head);
  Digest old_root = subtree.root;
  if (at.first != at.last) {
    if (proof.empty()) return fail(ErrorKind::kCorrupt, "consistency proof is too short");
    old_root = proof.front();
    proof = proof.subspan(1);
  }
  Digest new_root = old_root;
  for (Digest const& sibling : proof) {
    if (at.end == 0) return fail(ErrorKind::kCorrupt, "consistency proof is too long");
    if ((at.last & 1U) != 0 || at.last == at.end) {
      if (at.first < at.last) old_root = node_hash(sibling, old_root);
      new_root = node_hash(sibling, new_root);
      while ((at.last & 1U) == 0 && at.last != 0) at.up();
    } else {
      new_root = node_hash(new_root, sibling);
    }
    at.up();
  }
  if (at.end != 0) return fail(ErrorKind::kCorrupt, "consistency proof is too short");
  if (old_root != subtree.root)
    return fail(ErrorKind::kCorrupt, "consistency proof leads to another old root");
  if (new_root != head.root) return fail(ErrorKind::kCorrupt, "consistency proof leads to another new root");
  return {};
}

}  // namespace tacenda::merkle
