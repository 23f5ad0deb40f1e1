#pragma once

#include <algorithm>
#include <filesystem>
#include <map>
#include <stdexcept>
#include <string>
#include <vector>

#include <simdjson.h>

#include "core/bytes.hpp"
#include "merkle/internal/base64.hpp"
#include "merkle/proof.hpp"
#include "merkle/tree.hpp"

/// Reads the known answers of tests/vectors/merkle/ and keeps a tree in memory, for merkle's tests alone.
namespace tacenda::merkle::testing {

inline std::string vector_path(std::string_view name) {
  return std::string(TACENDA_SOURCE_DIR "/tests/vectors/merkle/") + std::string(name);
}

inline Bytes from_hex(std::string_view text) {
  constexpr auto digit = [](char c) {
    return static_cast<unsigned>(c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
  };
  Bytes bytes;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    bytes.push_back(static_cast<std::byte>(digit(text[i]) << 4U | digit(text[i + 1])));
  }
  return bytes;
}

/// A hash of the suite. Some of its cases have a few bytes of text in place of a hash; they are filled up
/// with zeros, so that equal ones stay equal and none becomes a hash of anything.
inline Digest digest_of(ByteView bytes) {
  if (bytes.size() > sizeof(Digest)) throw std::invalid_argument("hash is longer than 32 bytes");
  Digest digest{};
  std::ranges::copy(bytes, digest.begin());
  return digest;
}
inline Digest digest_of(simdjson::dom::element text) {
  return digest_of(internal::base64_decode(std::string_view(text)).value());
}

inline Proof proof_of(simdjson::dom::element element) {
  Proof proof;
  if (element.is_null()) return proof;
  for (simdjson::dom::element const hash : simdjson::dom::array(element)) proof.push_back(digest_of(hash));
  return proof;
}

/// Every .json file below a folder, in order of their names.
inline std::vector<std::filesystem::path> files_below(std::string_view folder) {
  std::vector<std::filesystem::path> files;
  for (auto const& entry : std::filesystem::recursive_directory_iterator(vector_path(folder))) {
    if (entry.path().extension() == ".json") files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// A tree whose leaf i is the decimal text of i.
class MemoryTree {
 public:
  explicit MemoryTree(std::uint64_t size) {
    for (std::uint64_t i = 0; i < size; ++i) append(leaf(i));
  }
  static Digest leaf(std::uint64_t index) { return leaf_hash(as_bytes(std::to_string(index))); }
  void append(Digest const& hash) {
    leaves_.push_back(hash);
    frontier_.append(hash, [&](Node const& node) { nodes_.emplace(node.id, node.hash); });
  }
  /// Gives every complete subtree, and fails for a node that is not one.
  HashReader reader() const {
    return [this](NodeId id) -> Result<Digest> {
      auto const found = nodes_.find(id);
      if (found == nodes_.end()) return fail(ErrorKind::kNotFound, "no such node");
      return found->second;
    };
  }
  Digest root(std::uint64_t size) const { return root_of(std::span(leaves_).first(size)); }
  TreeHead head(std::uint64_t size) const { return {size, root(size)}; }
  Digest subtree_root(std::uint64_t begin, std::uint64_t end) const {
    return root_of(std::span(leaves_).subspan(begin, end - begin));
  }
  Frontier const& frontier() const { return frontier_; }
  std::size_t node_count() const { return nodes_.size(); }

 private:
  std::vector<Digest> leaves_;
  std::map<NodeId, Digest> nodes_;
  Frontier frontier_;
};

}  // namespace tacenda::merkle::testing
