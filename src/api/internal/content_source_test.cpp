#include "api/internal/content_source.hpp"

#include <utility>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::api {
namespace {

constexpr std::size_t kPiece = ContentSource::kPieceBytes;

TEST(ContentSource, GivesARangeInPiecesThatEndWhereChunksDo) {
  std::vector<std::pair<std::uint64_t, std::size_t>> asked;
  ContentSource source(
      [&](std::uint64_t first, std::size_t size) -> Result<std::string> {
        asked.emplace_back(first, size);
        return std::string(size, 'x');
      },
      kPiece - 10, 2 * kPiece);
  std::size_t given = 0;
  while (source.left() > 0) given += source.next().value().size();
  EXPECT_EQ(given, 2 * kPiece);
  EXPECT_EQ(asked, (std::vector<std::pair<std::uint64_t, std::size_t>>{
                       {kPiece - 10, 10}, {kPiece, kPiece}, {2 * kPiece, kPiece - 10}}));
}

TEST(ContentSource, PassesOnThatNothingCanBeRead) {
  ContentSource source(
      [](std::uint64_t, std::size_t) -> Result<std::string> { return fail(ErrorKind::kCorrupt, "damaged"); },
      0, 10);
  EXPECT_EQ(source.next().error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(source.left(), 10U);
}

}  // namespace
}  // namespace tacenda::api
