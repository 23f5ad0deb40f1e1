#include "merkle/tree.hpp"

#include <array>
#include <bit>

#include "crypto/hash.hpp"

namespace tacenda::merkle {
namespace {

constexpr std::array kLeafPrefix{std::byte{0x00}};
constexpr std::array kNodePrefix{std::byte{0x01}};

// MTH over the complete subtrees of a right edge, largest first: folds them from the smallest up.
Digest fold(std::span<Digest const> roots) {
  if (roots.empty()) return empty_root();
  Digest root = roots.back();
  for (std::size_t i = roots.size() - 1; i-- > 0;) root = node_hash(roots[i], root);
  return root;
}

}  // namespace

Digest leaf_hash(ByteView entry) {
  return crypto::sha256({kLeafPrefix, entry});
}
Digest node_hash(Digest const& left, Digest const& right) {
  return crypto::sha256({kNodePrefix, left, right});
}
Digest empty_root() {
  return crypto::sha256(ByteView());
}

Digest root_of(std::span<Digest const> leaf_hashes) {
  Frontier frontier;
  for (Digest const& leaf : leaf_hashes) frontier.append(leaf);
  return frontier.root();
}

Result<Digest> root_of(std::uint64_t size, HashReader const& read) {
  return TACENDA_TRY(Frontier::read(size, read)).root();
}

Result<Frontier> Frontier::read(std::uint64_t size, HashReader const& read) {
  Frontier frontier;
  frontier.size_ = size;
  std::uint64_t first_leaf = 0;
  for (std::uint32_t level = 64; level-- > 0;) {
    if ((size >> level & 1U) == 0) continue;
    frontier.roots_.push_back(TACENDA_TRY(read({level, first_leaf >> level})));
    first_leaf += std::uint64_t{1} << level;
  }
  return frontier;
}

Result<Frontier> Frontier::parse(ByteView bytes) {
  ByteReader reader(bytes);
  Frontier frontier;
  frontier.size_ = TACENDA_TRY(reader.u64());
  for (int i = std::popcount(frontier.size_); i > 0; --i) {
    ByteView const hash = TACENDA_TRY(reader.raw(sizeof(Digest)));
    std::ranges::copy(hash, frontier.roots_.emplace_back().begin());
  }
  if (!reader.done()) return fail(ErrorKind::kCorrupt, "frontier has bytes after its last hash");
  return frontier;
}

Digest Frontier::root() const {
  return fold(roots_);
}

Bytes Frontier::serialise() const {
  Bytes bytes;
  ByteWriter writer(bytes);
  writer.u64(size_);
  for (Digest const& root : roots_) writer.raw(root);
  return bytes;
}

}  // namespace tacenda::merkle
