#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/bytes.hpp"
#include "merkle/tree.hpp"

namespace tacenda::merkle {

inline constexpr std::uint32_t kTileHeight = 8;
inline constexpr std::uint32_t kTileWidth = 256;  // hashes of a full tile: 8,192 bytes

/// Names one tile: hash i of tile (level, index) is the root of the complete subtree
/// NodeId{8 * level, 256 * index + i}. Source: C2SP tlog-tiles.
struct TileId {
  std::uint32_t level = 0;  // 0 to 7
  std::uint64_t index = 0;
  auto operator<=>(TileId const&) const = default;
};

/// Where the hash of a node comes from: the root of `count` consecutive hashes of a tile (count 1: the hash
/// itself), beginning with hash `first`.
struct TileSlice {
  TileId tile;
  std::uint32_t first = 0;
  std::uint32_t count = 1;
};

TileSlice tile_slice_of(NodeId node);

/// Number of hashes, 0 to 256, that the tile holds in a tree of `tree_size` leaves.
std::uint32_t tile_width(TileId tile, std::uint64_t tree_size);

/// "tile/0/x001/x234/067", or with ".p/<width>" when `width` is under 256.
std::string tile_path(TileId tile, std::uint32_t width = kTileWidth);
/// "tile/entries/x001/x234/067", or with ".p/<width>".
std::string entries_path(std::uint64_t index, std::uint32_t width = kTileWidth);

}  // namespace tacenda::merkle
