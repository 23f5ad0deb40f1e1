#include "storage/engine.hpp"

namespace tacenda::storage {

Range prefix_range(ByteView prefix) {
  Range range{.begin = to_bytes(prefix), .end = to_bytes(prefix)};
  // The first key behind all keys with the prefix: the prefix plus one, without the bytes that overflow.
  while (!range.end.empty() && range.end.back() == std::byte{0xFF}) range.end.pop_back();
  if (!range.end.empty()) {
    range.end.back() = static_cast<std::byte>(std::to_integer<unsigned>(range.end.back()) + 1U);
  }
  return range;
}

Result<std::vector<std::optional<Bytes>>> Reader::get_many(std::span<Bytes const> keys) const {
  std::vector<std::optional<Bytes>> values;
  values.reserve(keys.size());
  for (auto const& key : keys) values.push_back(TACENDA_TRY(get(key)));
  return values;
}

}  // namespace tacenda::storage
