#include "crypto/lthash.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "crypto/internal/vectors_testing.hpp"

namespace tacenda::crypto {
namespace {

LtHash lthash(unsigned char byte = 1) {
  return LtHash(testing::secret_of<MacKey>(Bytes(32, std::byte{byte})));
}

LtHashSum sum_of(std::vector<std::string> const& items, LtHash const& hash) {
  LtHashSum sum;
  for (std::string const& item : items) hash.add(sum, as_bytes(item));
  return sum;
}

TEST(LtHash, DoesNotDependOnTheOrder) {
  LtHash const hash = lthash();
  EXPECT_EQ(sum_of({"a", "b", "c"}, hash), sum_of({"c", "a", "b"}, hash));
}

TEST(LtHash, RemovingUndoesAdding) {
  LtHash const hash = lthash();
  LtHashSum sum = sum_of({"a", "b"}, hash);
  hash.add(sum, as_bytes("c"));
  hash.remove(sum, as_bytes("a"));
  EXPECT_EQ(sum, sum_of({"b", "c"}, hash));
  hash.remove(sum, as_bytes("b"));
  hash.remove(sum, as_bytes("c"));
  EXPECT_EQ(sum, LtHashSum());
}

TEST(LtHash, RemovingBeforeAddingIsTheSame) {
  LtHash const hash = lthash();
  LtHashSum sum;
  hash.remove(sum, as_bytes("a"));
  EXPECT_NE(sum, LtHashSum());
  hash.add(sum, as_bytes("a"));
  EXPECT_EQ(sum, LtHashSum());
}

TEST(LtHash, TellsMultisetsApart) {
  LtHash const hash = lthash();
  std::vector<LtHashSum> const sums{
      LtHashSum(),          sum_of({"a"}, hash),      sum_of({"b"}, hash), sum_of({"a", "b"}, hash),
      sum_of({"ab"}, hash), sum_of({"a", "a"}, hash), sum_of({""}, hash),  sum_of({"a"}, lthash(2)),
  };
  for (std::size_t i = 0; i < sums.size(); ++i) {
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(sums[i], sums[j]) << i << " " << j;
  }
}

// An XOR hash, and a sum in a group whose order is small, forget an item that is added often enough.
TEST(LtHash, CountsHowOftenAnItemIsIn) {
  LtHash const hash = lthash();
  LtHashSum sum;
  for (int i = 1; i <= 300; ++i) {
    hash.add(sum, as_bytes("a"));
    EXPECT_NE(sum, LtHashSum()) << i;
  }
}

TEST(LtHash, OneItemChangesNearlyEveryByte) {
  LtHash const hash = lthash();
  Bytes const one = sum_of({"item 1"}, hash).serialise();
  Bytes const two = sum_of({"item 2"}, hash).serialise();
  std::size_t different = 0;
  for (std::size_t i = 0; i < one.size(); ++i) different += one[i] != two[i];
  EXPECT_GT(different, 1'980U);  // 2,040 expected, deviation 2.8
}

TEST(LtHashSum, UnionOfSumsIsTheSumOfUnions) {
  LtHash const hash = lthash();
  LtHashSum sum = sum_of({"a", "b"}, hash);
  sum += sum_of({"c"}, hash);
  EXPECT_EQ(sum, sum_of({"a", "b", "c"}, hash));
  sum -= sum_of({"a", "c"}, hash);
  EXPECT_EQ(sum, sum_of({"b"}, hash));
}

TEST(LtHashSum, ReadsWhatItWrote) {
  LtHashSum const sum = sum_of({"a", "b"}, lthash());
  Bytes const bytes = sum.serialise();
  EXPECT_EQ(bytes.size(), kLtHashBytes);
  EXPECT_EQ(LtHashSum::parse(bytes).value(), sum);
  EXPECT_EQ(LtHashSum().serialise(), Bytes(kLtHashBytes));
}

TEST(LtHashSum, RefusesAnotherLength) {
  EXPECT_EQ(LtHashSum::parse(Bytes(kLtHashBytes - 1)).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(LtHashSum::parse(Bytes(kLtHashBytes + 1)).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(LtHashSum::parse({}).error().kind(), ErrorKind::kCorrupt);
}

}  // namespace
}  // namespace tacenda::crypto
