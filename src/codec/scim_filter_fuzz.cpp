// A filter or a path, and a resource, with a line break between them: what is understood can be asked of any
// resource.
#include "codec/scim_filter.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const end = text.find('\n');
  auto const asked = text.substr(0, end);
  auto const resource =
      codec::parse_json(end == std::string_view::npos ? "{}" : text.substr(end + 1), {.depth = 8});
  auto const filter = codec::parse_scim_filter(asked);
  if (filter.has_value() && resource.has_value()) {
    codec::ScimFilter negated;
    negated.kind = codec::ScimFilter::Kind::kNot;
    negated.operands.push_back(*filter);
    TACENDA_ASSERT(codec::matches(*filter, *resource) != codec::matches(negated, *resource));
  }
  auto const path = codec::parse_scim_path(asked);
  if (!path.has_value()) return 0;
  TACENDA_ASSERT(!path->attribute.name.empty() && path->chooses.size() <= 1);
  for (auto const& chosen : path->chooses) {
    if (resource.has_value()) (void)codec::matches(chosen, *resource);
  }
  return 0;
}
