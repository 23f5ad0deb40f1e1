#pragma once

#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "fhir/profile.hpp"

namespace tacenda::fhir {

/// Reads the elements of a snapshot in document order into a tree. Elements nest by their paths: a slice and
/// its children follow the element that they slice (R4 profiling.html#snapshot).
class ProfileReader {
 public:
  explicit ProfileReader(Profile& profile) : profile_(profile) {}

  Result<void> read(std::vector<codec::Json> const& definitions);

 private:
  /// What is known of an element while the tree is made.
  struct Draft {
    std::string_view path;
    std::string_view id;
    std::string_view content;
    Node const* owner = nullptr;       // whose property it is; nullptr at the root
    Element const* element = nullptr;  // one of a choice's; nullptr at the root
    Node const* value = nullptr;       // of its type; nullptr when it has several, or one that has none
    bool is_kept = false;
  };

  Result<void> add(codec::Json const& definition);
  Result<void> place(Draft& draft, ProfileElement& element, std::uint32_t index);
  Result<void> find_base(Draft& draft, ProfileElement const& element, Draft const& parent) const;
  void attach(std::uint32_t index, std::uint32_t parent);
  void strip(Draft const& draft, ProfileElement& element) const;
  Result<void> link_contents();
  void mark_kept();
  void prune();

  Profile& profile_;  // the caller's, outlives this
  std::vector<Draft> drafts_;
  std::vector<std::uint32_t> open_;  // the path from the root to the last element
};

}  // namespace tacenda::fhir
