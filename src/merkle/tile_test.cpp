#include "merkle/tile.hpp"

#include <gtest/gtest.h>

#include "merkle/internal/vectors_testing.hpp"

namespace tacenda::merkle {
namespace {

// Paths and widths that C2SP tlog-tiles gives as examples.
TEST(Tile, PathsAreThoseOfTheSpecification) {
  EXPECT_EQ(tile_path({0, 1'234'067}), "tile/0/x001/x234/067");
  EXPECT_EQ(tile_path({0, 0}), "tile/0/000");
  EXPECT_EQ(tile_path({1, 999}), "tile/1/999");
  EXPECT_EQ(tile_path({1, 1'000}), "tile/1/x001/000");
  EXPECT_EQ(tile_path({0, 273}, 112), "tile/0/273.p/112");
  EXPECT_EQ(entries_path(1'234'067), "tile/entries/x001/x234/067");
  EXPECT_EQ(entries_path(273, 112), "tile/entries/273.p/112");
}

TEST(Tile, WidthsAreThoseOfTheSpecification) {
  // "a tree of size 70,000 will be represented by 273 full level 0 tiles, one partial level 0 tile of width
  // 112, one full level 1 tile, one partial level 1 tile of width 17, and one partial level 2 tile of width
  // 1"
  EXPECT_EQ(tile_width({0, 272}, 70'000), 256U);
  EXPECT_EQ(tile_width({0, 273}, 70'000), 112U);
  EXPECT_EQ(tile_width({0, 274}, 70'000), 0U);
  EXPECT_EQ(tile_width({1, 0}, 70'000), 256U);
  EXPECT_EQ(tile_width({1, 1}, 70'000), 17U);
  EXPECT_EQ(tile_width({1, 2}, 70'000), 0U);
  EXPECT_EQ(tile_width({2, 0}, 70'000), 1U);
  EXPECT_EQ(tile_width({3, 0}, 70'000), 0U);
  // "a tree of size 256 will be represented by a full level 0 tile and a partial level 1 tile of width 1"
  EXPECT_EQ(tile_width({0, 0}, 256), 256U);
  EXPECT_EQ(tile_width({0, 1}, 256), 0U);
  EXPECT_EQ(tile_width({1, 0}, 256), 1U);
  EXPECT_EQ(tile_width({0, 0}, 0), 0U);
  EXPECT_EQ(tile_width({8, 0}, std::numeric_limits<std::uint64_t>::max()), 0U);
  EXPECT_EQ(tile_width({7, 0}, std::numeric_limits<std::uint64_t>::max()), 255U);
}

TEST(Tile, SliceOfANodeHashesToTheNode) {
  testing::MemoryTree const tree(700);
  auto const read = tree.reader();
  std::size_t count = 0;
  for (std::uint32_t level = 0; level < 10; ++level) {
    for (std::uint64_t index = 0; (index + 1) << level <= 700; ++index) {
      TileSlice const slice = tile_slice_of({level, index});
      ASSERT_LE(slice.first + slice.count, tile_width(slice.tile, 700)) << level << "/" << index;
      std::vector<Digest> hashes;
      for (std::uint32_t i = 0; i < slice.count; ++i) {
        NodeId const of_tile{kTileHeight * slice.tile.level, kTileWidth * slice.tile.index + slice.first + i};
        hashes.push_back(read(of_tile).value());
      }
      EXPECT_EQ(root_of(hashes), read({level, index}).value()) << level << "/" << index;
      ++count;
    }
  }
  EXPECT_EQ(count, tree.node_count());
}

}  // namespace
}  // namespace tacenda::merkle
