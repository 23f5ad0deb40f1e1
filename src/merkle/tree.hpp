#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/error.hpp"

namespace tacenda::merkle {

/// Names one complete subtree: it covers the leaves [index * 2^level, (index + 1) * 2^level).
/// Level 0 is a leaf hash.
struct NodeId {
  std::uint32_t level = 0;
  std::uint64_t index = 0;
  auto operator<=>(NodeId const&) const = default;
};

struct Node {
  NodeId id;
  Digest hash{};
};

/// Gives the hash of a complete subtree of the stored tree; only asked for subtrees that are complete at
/// the tree size in question. Errors: passed on to the caller of the function that was given the reader.
using HashReader = std::function<Result<Digest>(NodeId)>;

/// SHA-256(0x00 || entry). Source: RFC 6962 section 2.1.
Digest leaf_hash(ByteView entry);
/// SHA-256(0x01 || left || right).
Digest node_hash(Digest const& left, Digest const& right);
/// Root of the tree without leaves: SHA-256 of nothing.
Digest empty_root();
/// Root of the tree with these leaf hashes.
Digest root_of(std::span<Digest const> leaf_hashes);
/// Root of the tree with the first `size` leaves of a stored tree; at most 64 reads.
Result<Digest> root_of(std::uint64_t size, HashReader const& read);

/// The right edge of a growing tree: the roots of the complete subtrees that its size falls into, largest
/// first. All that is needed to append a leaf and to know the root. Not thread-safe.
/// Source: RFC 6962 section 2.1; the "compact range" of Trillian.
class Frontier {
 public:
  Frontier() = default;
  /// Rebuilds the frontier of the first `size` leaves of a stored tree.
  static Result<Frontier> read(std::uint64_t size, HashReader const& read);
  /// Reads what `serialise` wrote. Errors: kCorrupt.
  static Result<Frontier> parse(ByteView bytes);

  /// Appends a leaf in O(1) amortised hashes.
  void append(Digest const& leaf_hash) {
    append(leaf_hash, [](Node const&) {});
  }
  /// Appends a leaf and calls `completed` with each node that it completes, the leaf (level 0) first:
  /// exactly the nodes a HashReader over the larger tree can be asked for and could not before.
  template <std::invocable<Node const&> Completed>
  void append(Digest const& leaf_hash, Completed completed);

  std::uint64_t size() const { return size_; }
  Digest root() const;
  /// size (8 bytes, big-endian) || one hash per 1 bit of size, largest subtree first.
  Bytes serialise() const;

 private:
  std::uint64_t size_ = 0;
  std::vector<Digest> roots_;  // one per 1 bit of size_, largest first
};

template <std::invocable<Node const&> Completed>
void Frontier::append(Digest const& leaf_hash, Completed completed) {
  Node node{{0, size_}, leaf_hash};
  completed(node);
  for (std::uint64_t carry = size_; (carry & 1U) != 0; carry >>= 1U) {
    node = {{node.id.level + 1, node.id.index >> 1U}, node_hash(roots_.back(), node.hash)};
    roots_.pop_back();
    completed(node);
  }
  roots_.push_back(node.hash);
  ++size_;
}

}  // namespace tacenda::merkle
