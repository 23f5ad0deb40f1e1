#include "merkle/proof.hpp"

#include <bit>

#include <gtest/gtest.h>

#include "merkle/internal/vectors_testing.hpp"

namespace tacenda::merkle {
namespace {

using simdjson::dom::element;
using testing::digest_of;
using testing::MemoryTree;
using testing::proof_of;

struct Count {
  std::size_t cases = 0;
  std::size_t accepted = 0;
};

// One case has nothing for both hashes. A Digest cannot be empty, so its type refuses it; filled up with
// zeros the two would be equal and so right.
bool has_hashes(element test) {
  return !std::string_view(test["leafHash"]).empty() || !std::string_view(test["root"]).empty();
}
Result<void> refused_by_type() {
  return fail(ErrorKind::kInvalid, "not a hash");
}

// Runs `verify` over every case of a folder of the transparency-dev suite.
template <typename Verify>
Count check_suite(std::string_view folder, Verify verify) {
  Count count;
  simdjson::dom::parser parser;
  for (auto const& file : testing::files_below("testdata/" + std::string(folder))) {
    SCOPED_TRACE(file.string());
    element const test = parser.load(file.string());
    Result<void> const verified = verify(test);
    EXPECT_EQ(!verified.has_value(), bool(test["wantErr"])) << std::string_view(test["desc"]);
    if (!verified) {
      EXPECT_TRUE(verified.error().kind() == ErrorKind::kInvalid ||
                  verified.error().kind() == ErrorKind::kCorrupt);
    }
    ++count.cases;
    count.accepted += verified.has_value();
  }
  return count;
}

TEST(Suite, InclusionProofsAreJudgedAsExpected) {
  std::size_t without_hash = 0;
  auto const count = check_suite("inclusion", [&](element test) {
    if (!has_hashes(test)) return ++without_hash, refused_by_type();
    return verify_inclusion(digest_of(element(test["leafHash"])), test["leafIdx"],
                            {test["treeSize"], digest_of(element(test["root"]))}, proof_of(test["proof"]));
  });
  EXPECT_EQ(count.cases, 98U);
  EXPECT_EQ(count.accepted, 6U);
  EXPECT_EQ(without_hash, 1U);
}

TEST(Suite, ConsistencyProofsAreJudgedAsExpected) {
  auto const count = check_suite("consistency", [](element test) {
    return verify_consistency({test["size1"], digest_of(element(test["root1"]))},
                              {test["size2"], digest_of(element(test["root2"]))}, proof_of(test["proof"]));
  });
  EXPECT_EQ(count.cases, 98U);
  EXPECT_EQ(count.accepted, 6U);
}

TEST(Suite, SubtreeInclusionProofsAreJudgedAsExpected) {
  std::size_t without_hash = 0;
  auto const count = check_suite("subtreeinclusion", [&](element test) {
    if (!has_hashes(test)) return ++without_hash, refused_by_type();
    return verify_subtree_inclusion(digest_of(element(test["leafHash"])), test["leafIdx"],
                                    {test["start"], test["end"], digest_of(element(test["root"]))},
                                    proof_of(test["proof"]));
  });
  EXPECT_EQ(count.cases, 204U);
  EXPECT_EQ(count.accepted, 12U);
  EXPECT_EQ(without_hash, 2U);
}

TEST(Suite, SubtreeConsistencyProofsAreJudgedAsExpected) {
  auto const count = check_suite("subtreeconsistency", [](element test) {
    return verify_subtree_consistency({test["start"], test["end"], digest_of(element(test["root1"]))},
                                      {test["size"], digest_of(element(test["root2"]))},
                                      proof_of(test["proof"]));
  });
  EXPECT_EQ(count.cases, 118U);
  EXPECT_EQ(count.accepted, 12U);
}

constexpr std::uint64_t kSize = 70;

TEST(InclusionProof, OfEveryLeafOfEverySizeVerifies) {
  MemoryTree const tree(kSize);
  for (std::uint64_t size = 1; size <= kSize; ++size) {
    for (std::uint64_t index = 0; index < size; ++index) {
      auto const proof = inclusion_proof({index, size}, tree.reader());
      ASSERT_TRUE(proof.has_value()) << index << " of " << size;
      EXPECT_TRUE(verify_inclusion(MemoryTree::leaf(index), index, tree.head(size), *proof).has_value());
      EXPECT_LE(proof->size(), static_cast<std::size_t>(std::bit_width(size - 1)));
    }
  }
}

TEST(InclusionProof, FitsNoOtherLeafIndexOrSize) {
  MemoryTree const tree(kSize);
  std::uint64_t const size = 13;
  for (std::uint64_t index = 0; index < size; ++index) {
    Proof const proof = inclusion_proof({index, size}, tree.reader()).value();
    for (std::uint64_t other = 0; other < size; ++other) {
      if (other == index) continue;
      EXPECT_FALSE(verify_inclusion(MemoryTree::leaf(other), index, tree.head(size), proof).has_value());
      EXPECT_FALSE(verify_inclusion(MemoryTree::leaf(index), other, tree.head(size), proof).has_value());
    }
    for (std::uint64_t other = index + 1; other <= kSize; ++other) {
      if (other == size) continue;
      EXPECT_FALSE(verify_inclusion(MemoryTree::leaf(index), index, tree.head(other), proof).has_value());
    }
  }
}

TEST(InclusionProof, RefusesALeafBeyondTheTree) {
  MemoryTree const tree(4);
  EXPECT_EQ(inclusion_proof({4, 4}, tree.reader()).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(inclusion_proof({0, 0}, tree.reader()).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(verify_inclusion({}, 4, tree.head(4), {}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(verify_inclusion({}, 0, {}, {}).error().kind(), ErrorKind::kInvalid);
}

TEST(InclusionProof, PassesOnThatANodeCannotBeRead) {
  MemoryTree const tree(4);
  EXPECT_EQ(inclusion_proof({0, 7}, tree.reader()).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(consistency_proof({3, 7}, tree.reader()).error().kind(), ErrorKind::kNotFound);
}

TEST(ConsistencyProof, OfEveryPairOfSizesVerifies) {
  MemoryTree const tree(kSize);
  for (std::uint64_t new_size = 1; new_size <= kSize; ++new_size) {
    for (std::uint64_t old_size = 1; old_size <= new_size; ++old_size) {
      auto const proof = consistency_proof({old_size, new_size}, tree.reader());
      ASSERT_TRUE(proof.has_value()) << old_size << " to " << new_size;
      EXPECT_TRUE(verify_consistency(tree.head(old_size), tree.head(new_size), *proof).has_value())
          << old_size << " to " << new_size;
    }
  }
}

TEST(ConsistencyProof, DoesNotHideAChangedLeaf) {
  MemoryTree const honest(kSize);
  MemoryTree forked(5);
  forked.append(MemoryTree::leaf(999));
  for (std::uint64_t i = 6; i < kSize; ++i) forked.append(MemoryTree::leaf(i));
  for (std::uint64_t old_size = 6; old_size < kSize; ++old_size) {
    Proof const proof = consistency_proof({old_size, kSize}, forked.reader()).value();
    EXPECT_EQ(verify_consistency(honest.head(old_size), forked.head(kSize), proof).error().kind(),
              ErrorKind::kCorrupt);
  }
}

TEST(ConsistencyProof, FromAnEmptyTreeProvesNothing) {
  MemoryTree const tree(4);
  EXPECT_TRUE(consistency_proof({0, 4}, tree.reader()).value().empty());
  EXPECT_EQ(verify_consistency({0, empty_root()}, tree.head(4), {}).error().kind(), ErrorKind::kInvalid);
}

TEST(ConsistencyProof, RefusesAShrinkingTree) {
  MemoryTree const tree(4);
  EXPECT_EQ(consistency_proof({4, 3}, tree.reader()).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(verify_consistency(tree.head(4), tree.head(3), {}).error().kind(), ErrorKind::kInvalid);
}

// Sizes that no tree reaches must neither overflow nor loop.
TEST(Proof, OfTheLargestSizesIsRefusedInBoundedTime) {
  constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();
  Proof const proof(200);
  EXPECT_FALSE(verify_inclusion({}, kMost - 1, {kMost, {}}, proof).has_value());
  EXPECT_FALSE(verify_inclusion({}, 0, {kMost, {}}, {}).has_value());
  EXPECT_FALSE(verify_consistency({kMost - 1, {}}, {kMost, {}}, proof).has_value());
  EXPECT_FALSE(verify_consistency({1, {}}, {kMost, {}}, proof).has_value());
  EXPECT_FALSE(verify_subtree_consistency({kMost - 1, kMost, {}}, {kMost, {}}, proof).has_value());
  auto const read = [](NodeId) -> Result<Digest> { return Digest{}; };
  EXPECT_EQ(inclusion_proof({kMost - 1, kMost}, read).value().size(), 63U);
  EXPECT_EQ(inclusion_proof({0, kMost}, read).value().size(), 64U);
  EXPECT_TRUE(consistency_proof({kMost - 1, kMost}, read).has_value());
}

TEST(SubtreeInclusion, HoldsForEverySubtree) {
  MemoryTree const tree(kSize);
  std::size_t count = 0;
  for (std::uint64_t begin = 0; begin < kSize; ++begin) {
    for (std::uint64_t end = begin + 1; end <= kSize; ++end) {
      if (begin % std::bit_ceil(end - begin) != 0) continue;
      SubtreeHead const subtree{begin, end, tree.subtree_root(begin, end)};
      for (std::uint64_t index = begin; index < end; ++index) {
        // The subtree is a tree of its own whose leaf numbers begin at `begin`.
        auto const read = [&](NodeId id) {
          return tree.reader()({id.level, id.index + (begin >> id.level)});
        };
        Proof const proof = inclusion_proof({index - begin, end - begin}, read).value();
        EXPECT_TRUE(verify_subtree_inclusion(MemoryTree::leaf(index), index, subtree, proof).has_value());
        ++count;
      }
    }
  }
  EXPECT_GT(count, 1'000U);
}

TEST(SubtreeInclusion, RefusesARangeThatIsNoSubtree) {
  MemoryTree const tree(8);
  EXPECT_EQ(verify_subtree_inclusion({}, 2, {2, 5, tree.subtree_root(2, 5)}, {}).error().kind(),
            ErrorKind::kInvalid);
  EXPECT_EQ(verify_subtree_inclusion({}, 2, {5, 2, {}}, {}).error().kind(), ErrorKind::kInvalid);
}

}  // namespace
}  // namespace tacenda::merkle
