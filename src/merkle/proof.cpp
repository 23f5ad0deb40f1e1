#include "merkle/proof.hpp"

#include <algorithm>
#include <bit>

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
  if (index >= head.size) return fail(ErrorKind::kInvalid, "leaf is beyond the tree");
  std::uint64_t fn = index;
  std::uint64_t sn = head.size - 1;
  Digest root = leaf_hash;
  for (Digest const& sibling : proof) {
    if (sn == 0) return fail(ErrorKind::kCorrupt, "inclusion proof is too long");
    if ((fn & 1U) != 0 || fn == sn) {
      root = node_hash(sibling, root);
      for (; (fn & 1U) == 0 && fn != 0; fn >>= 1U) sn >>= 1U;
    } else {
      root = node_hash(root, sibling);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  if (sn != 0) return fail(ErrorKind::kCorrupt, "inclusion proof is too short");
  if (root != head.root) return fail(ErrorKind::kCorrupt, "inclusion proof leads to another root");
  return {};
}

namespace {

// RFC 9162 section 2.1.4.2 from step 2 on: 0 < older.size < newer.size.
Result<void> verify_growth(TreeHead const& older, TreeHead const& newer, std::span<Digest const> proof) {
  // When the old tree is complete its root is the first hash of the path, and the proof leaves it out.
  bool const complete = std::has_single_bit(older.size);
  if (proof.empty()) return fail(ErrorKind::kCorrupt, "consistency proof is too short");
  std::uint64_t fn = older.size - 1;
  std::uint64_t sn = newer.size - 1;
  for (; (fn & 1U) != 0; fn >>= 1U) sn >>= 1U;
  Digest old_root = complete ? older.root : proof.front();
  Digest new_root = old_root;
  for (Digest const& sibling : complete ? proof : proof.subspan(1)) {
    if (sn == 0) return fail(ErrorKind::kCorrupt, "consistency proof is too long");
    if ((fn & 1U) != 0 || fn == sn) {
      old_root = node_hash(sibling, old_root);
      new_root = node_hash(sibling, new_root);
      for (; (fn & 1U) == 0 && fn != 0; fn >>= 1U) sn >>= 1U;
    } else {
      new_root = node_hash(new_root, sibling);
    }
    fn >>= 1U;
    sn >>= 1U;
  }
  if (sn != 0) return fail(ErrorKind::kCorrupt, "consistency proof is too short");
  if (old_root != older.root) return fail(ErrorKind::kCorrupt, "consistency proof leads to another old root");
  if (new_root != newer.root) return fail(ErrorKind::kCorrupt, "consistency proof leads to another new root");
  return {};
}

}  // namespace

Result<void> verify_consistency(TreeHead const& older, TreeHead const& newer, std::span<Digest const> proof) {
  if (older.size > newer.size) return fail(ErrorKind::kInvalid, "older tree is the larger one");
  for (TreeHead const* const head : {&older, &newer}) {
    if (head->size == 0 && head->root != empty_root()) {
      return fail(ErrorKind::kCorrupt, "tree of no leaves has another root than the empty one");
    }
  }
  bool const trivial = older.size == 0 || older.size == newer.size;
  if (!trivial) return verify_growth(older, newer, proof);
  if (!proof.empty()) return fail(ErrorKind::kCorrupt, "consistency proof is too long");
  if (older.size == newer.size && older.root != newer.root) {
    return fail(ErrorKind::kCorrupt, "trees of one size have different roots");
  }
  return {};
}

}  // namespace tacenda::merkle
