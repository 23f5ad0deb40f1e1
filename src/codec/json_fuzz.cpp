#include "codec/json.hpp"

#include <cstdint>
#include <cstdlib>

#include <simdjson.h>

namespace {

using tacenda::codec::Json;

/// A second reader's opinion. It may accept what only this product refuses (two members of one name,
/// nesting, lone surrogates) and may refuse numbers that no double or 64-bit integer holds.
void compare_with_simdjson(std::string_view text, tacenda::Result<Json> const& ours) {
  simdjson::dom::parser parser;
  auto const error = parser.parse(simdjson::padded_string(text)).error();
  if (ours.has_value()) {
    if (error != simdjson::SUCCESS && error != simdjson::NUMBER_ERROR) std::abort();
    return;
  }
  if (error != simdjson::SUCCESS) return;
  auto const message = ours.error().message();
  bool const stricter = message.contains("two members") || message.contains("nested too deeply") ||
                        message.contains("lone surrogate");
  if (!stricter) std::abort();
}

}  // namespace

// Whatever parses is written in a form that parses to the same value, and simdjson reads it too.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const json = tacenda::codec::parse_json(text);
  compare_with_simdjson(text, json);
  if (!json.has_value()) return 0;
  auto const again = tacenda::codec::parse_json(tacenda::codec::write_json(*json));
  if (!again.has_value() || !(*again == *json)) std::abort();
  return 0;
}
