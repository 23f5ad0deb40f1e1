#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/toml.hpp"
#include "core/error.hpp"

/// How a policy writes rights and lists.
namespace tacenda::access {

/// What a policy calls a value of an enumeration.
template <typename E>
struct Word {
  std::string_view name;
  E value;
};
inline constexpr std::size_t kWordBytes = 64;

template <typename E>
constexpr std::uint32_t bit(E action) {
  return 1U << static_cast<unsigned>(action);
}

/// The bits of a list of words out of `names`. Errors: kInvalid.
template <typename Names>
Result<std::uint32_t> bits_of(toml::node const& node, Names const& names) {
  auto const* list = node.as_array();
  if (list == nullptr) return fail(ErrorKind::kInvalid, "a right of a role is not a list of actions");
  std::uint32_t bits = 0;
  for (auto const& item : *list) {
    auto const word = item.value<std::string_view>();
    auto const found =
        std::ranges::find_if(names, [&](auto const& entry) { return word && entry.name == *word; });
    if (found == names.end()) return fail(ErrorKind::kInvalid, "a role names an unknown action");
    bits |= bit(found->value);
  }
  return bits;
}

/// A list of words, each of 1 to 64 characters. Errors: kInvalid.
inline Result<std::vector<std::string>> words_of(toml::node const& node) {
  auto const* list = node.as_array();
  if (list == nullptr) return fail(ErrorKind::kInvalid, "a list of words is expected in the policy");
  std::vector<std::string> words;
  for (auto const& item : *list) {
    auto const word = item.value<std::string_view>();
    if (!word || word->empty() || word->size() > kWordBytes)
      return fail(ErrorKind::kInvalid, "a list of the policy holds something that is no word");
    words.emplace_back(*word);
  }
  return words;
}

}  // namespace tacenda::access
