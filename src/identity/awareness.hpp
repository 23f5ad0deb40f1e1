#pragma once

#include <cstdint>
#include <span>
#include <string_view>

namespace tacenda::identity {

/// A text that people who use the server must know (M17). `version` rises with every change of meaning: who
/// has read an earlier one is asked again.
struct AwarenessTopic {
  std::string_view id;
  std::uint32_t version;
  std::string_view title;
  std::string_view text;
};

std::span<AwarenessTopic const> awareness_topics();
/// nullptr: there is no such topic.
AwarenessTopic const* find_awareness_topic(std::string_view id);

}  // namespace tacenda::identity
