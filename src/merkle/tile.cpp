#include "merkle/tile.hpp"

#include <algorithm>

#include "core/process.hpp"

namespace tacenda::merkle {
namespace {

// Three digits an element; all but the last begin with 'x', so that no file is also a folder.
std::string index_path(std::uint64_t index) {
  std::string path;
  for (bool last = true; last || index > 0; index /= 1'000, last = false) {
    std::string const digits = std::to_string(index % 1'000);
    path.insert(0, (last ? "/" : "/x") + std::string(3 - digits.size(), '0') + digits);
  }
  return path;
}

std::string partial_suffix(std::uint32_t width) {
  TACENDA_ASSERT(width >= 1 && width <= kTileWidth);
  return width == kTileWidth ? "" : ".p/" + std::to_string(width);
}

}  // namespace

TileSlice tile_slice_of(NodeId node) {
  std::uint32_t const height = node.level % kTileHeight;  // of the node above the hashes of its tile
  std::uint32_t const nodes_per_tile = kTileWidth >> height;
  return {{node.level / kTileHeight, node.index / nodes_per_tile},
          static_cast<std::uint32_t>(node.index % nodes_per_tile) << height,
          1U << height};
}

std::uint32_t tile_width(TileId tile, std::uint64_t tree_size) {
  std::uint64_t const hashes = tile.level < 8 ? tree_size >> (kTileHeight * tile.level) : 0;
  if (tile.index > hashes / kTileWidth) return 0;
  return static_cast<std::uint32_t>(std::min<std::uint64_t>(hashes - tile.index * kTileWidth, kTileWidth));
}

std::string tile_path(TileId tile, std::uint32_t width) {
  return "tile/" + std::to_string(tile.level) + index_path(tile.index) + partial_suffix(width);
}

std::string entries_path(std::uint64_t index, std::uint32_t width) {
  return "tile/entries" + index_path(index) + partial_suffix(width);
}

}  // namespace tacenda::merkle
