#include "merkle/tree.hpp"

#include <set>

#include <gtest/gtest.h>

#include "merkle/internal/vectors_testing.hpp"

namespace tacenda::merkle {
namespace {

using testing::digest_of;
using testing::from_hex;
using testing::MemoryTree;

class ReferenceTree : public ::testing::Test {
 protected:
  simdjson::dom::parser parser_;
  simdjson::dom::element root_ = parser_.load(testing::vector_path("rfc6962-reference.json"));

  std::vector<Digest> leaf_hashes() {
    std::vector<Digest> hashes;
    for (auto const leaf : simdjson::dom::array(root_["leaf_inputs_hex"])) {
      hashes.push_back(leaf_hash(from_hex(std::string_view(leaf))));
    }
    return hashes;
  }
};

TEST_F(ReferenceTree, HasTheRootsOfRfc6962) {
  auto const leaves = leaf_hashes();
  std::size_t size = 0;
  for (auto const expected : simdjson::dom::array(root_["root_hashes_hex_by_size"])) {
    ++size;
    EXPECT_EQ(root_of(std::span(leaves).first(size)), digest_of(from_hex(std::string_view(expected))))
        << size;
  }
  EXPECT_EQ(size, 8U);
}

TEST_F(ReferenceTree, HasTheNodesOfRfc6962) {
  std::map<NodeId, Digest> nodes;
  Frontier frontier;
  for (Digest const& leaf : leaf_hashes()) {
    frontier.append(leaf, [&](Node const& node) { nodes.emplace(node.id, node.hash); });
  }
  std::uint32_t level = 0;
  std::size_t count = 0;
  for (auto const hashes : simdjson::dom::array(root_["node_hashes_hex_by_level"])) {
    std::uint64_t index = 0;
    for (auto const expected : simdjson::dom::array(hashes)) {
      ASSERT_TRUE(nodes.contains({level, index}));
      EXPECT_EQ(nodes.at({level, index}), digest_of(from_hex(std::string_view(expected))))
          << level << "/" << index;
      ++index;
      ++count;
    }
    ++level;
  }
  EXPECT_EQ(count, 15U);
  EXPECT_EQ(nodes.size(), 15U);
}

TEST(Tree, OfNoLeavesHasTheHashOfNothing) {
  Digest const expected =
      digest_of(from_hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"));
  EXPECT_EQ(empty_root(), expected);
  EXPECT_EQ(Frontier().root(), expected);
  EXPECT_EQ(root_of(std::span<Digest const>()), expected);
}

TEST(Tree, LeavesAndNodesCannotBeTakenForEachOther) {
  Digest const left = MemoryTree::leaf(0);
  Digest const right = MemoryTree::leaf(1);
  Bytes both = to_bytes(ByteView(left));
  append(both, right);
  EXPECT_NE(leaf_hash(both), node_hash(left, right));
  EXPECT_NE(node_hash(left, right), node_hash(right, left));
}

TEST(Frontier, FollowsTheTreeAtEverySize) {
  MemoryTree const tree(300);
  Frontier frontier;
  for (std::uint64_t size = 0; size < 300; ++size) {
    EXPECT_EQ(frontier.size(), size);
    EXPECT_EQ(frontier.root(), tree.root(size)) << size;
    EXPECT_EQ(root_of(size, tree.reader()).value(), tree.root(size)) << size;
    frontier.append(MemoryTree::leaf(size));
  }
}

TEST(Frontier, NamesEachCompletedNodeOnceAndNoOther) {
  std::set<NodeId> nodes;
  Frontier frontier;
  for (std::uint64_t i = 0; i < 77; ++i) {
    frontier.append(MemoryTree::leaf(i), [&](Node const& node) {
      EXPECT_TRUE(nodes.insert(node.id).second);
      EXPECT_EQ((node.id.index + 1) << node.id.level, i + 1);  // complete with just this leaf
    });
  }
  std::size_t expected = 0;
  for (std::uint64_t level = 77; level > 0; level /= 2) expected += level;
  EXPECT_EQ(nodes.size(), expected);
}

TEST(Frontier, ReadsBackWhatItWroteAndGoesOn) {
  MemoryTree const tree(130);
  Frontier frontier;
  for (std::uint64_t size = 0; size < 130; ++size) {
    Bytes const bytes = frontier.serialise();
    EXPECT_EQ(bytes.size(), 8U + 32U * static_cast<unsigned>(std::popcount(size)));
    auto parsed = Frontier::parse(bytes);
    ASSERT_TRUE(parsed.has_value());
    EXPECT_EQ(parsed->size(), size);
    EXPECT_EQ(parsed->root(), tree.root(size));
    auto read = Frontier::read(size, tree.reader());
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->serialise(), bytes);
    frontier = std::move(*parsed);
    frontier.append(MemoryTree::leaf(size));
  }
  EXPECT_EQ(frontier.root(), tree.root(130));
}

TEST(Frontier, RefusesTooFewAndTooManyBytes) {
  Bytes bytes = MemoryTree(5).frontier().serialise();
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_EQ(Frontier::parse(ByteView(bytes).first(size)).error().kind(), ErrorKind::kCorrupt) << size;
  }
  bytes.push_back(std::byte{0});
  EXPECT_EQ(Frontier::parse(bytes).error().kind(), ErrorKind::kCorrupt);
}

TEST(Frontier, PassesOnThatANodeCannotBeRead) {
  MemoryTree const tree(4);
  EXPECT_EQ(Frontier::read(7, tree.reader()).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(root_of(7, tree.reader()).error().kind(), ErrorKind::kNotFound);
}

}  // namespace
}  // namespace tacenda::merkle
