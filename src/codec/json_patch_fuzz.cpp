#include "codec/json_patch.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/json_equal.hpp"

namespace {

using tacenda::codec::Json;

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

// The first line is a document, the rest a patch. The input never changes, the result is in bounds and can be
// read again, and a value equals itself.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = std::min(text.find('\n'), text.size());
  auto const document = tacenda::codec::parse_json(text.substr(0, line));
  auto const patch = tacenda::codec::parse_json(text.substr(std::min(line + 1, text.size())));
  if (!document.has_value() || !patch.has_value()) return 0;
  Json before;
  before = *document;
  auto const result = apply_json_patch(*document, *patch, {.size_bytes = 100'000, .values = 10'000});
  require(*document == before);
  require(equal_by_value(*document, before));
  if (!result.has_value()) return 0;
  auto const again = tacenda::codec::parse_json(write_json(*result));
  require(again.has_value() && *again == *result);
  return 0;
}
