#include "records/internal/search_lists.hpp"

#include <gtest/gtest.h>

namespace tacenda::records {
namespace {

SearchLists::Key key_of(std::uint32_t number) {
  SearchLists::Key key{};
  for (std::size_t i = 0; i < 4; ++i) key[i] = static_cast<std::byte>(number >> (8U * i));
  return key;
}

SearchLists::List list_of(std::size_t documents) {
  return std::make_shared<std::vector<std::uint64_t> const>(documents);
}

TEST(SearchLists, GivesTheOrderThatWasKeptUnderAKey) {
  SearchLists lists;
  lists.put(key_of(1), list_of(3));
  ASSERT_NE(lists.get(key_of(1)), nullptr);
  EXPECT_EQ(lists.get(key_of(1))->size(), 3U);
  EXPECT_EQ(lists.get(key_of(2)), nullptr);
}

TEST(SearchLists, ForgetsTheOldestOfManyShortOrders) {
  SearchLists lists;
  for (std::uint32_t i = 0; i < 20'000; ++i) lists.put(key_of(i), list_of(2));
  EXPECT_EQ(lists.get(key_of(0)), nullptr);
  EXPECT_NE(lists.get(key_of(19'999)), nullptr);
}

TEST(SearchLists, KeepsTheNewestHoweverLongItIs) {
  SearchLists lists;
  lists.put(key_of(1), list_of(2));
  lists.put(key_of(2), list_of(5'000'000));
  EXPECT_EQ(lists.get(key_of(1)), nullptr);
  EXPECT_NE(lists.get(key_of(2)), nullptr);
}

}  // namespace
}  // namespace tacenda::records
