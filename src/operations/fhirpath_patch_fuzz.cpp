#include "operations/fhirpath_patch.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "core/limits.hpp"
#include "fhir/resource.hpp"

namespace {

std::size_t depth_of(tacenda::codec::Json const& value) {
  std::size_t deepest = 0;
  for (auto const& item : value.items()) deepest = std::max(deepest, depth_of(item));
  for (auto const& member : value.members()) deepest = std::max(deepest, depth_of(member.value));
  return deepest + 1;
}

}  // namespace

// A resource and a patch, one per line: whatever comes out is an object no deeper than what can be sent, and
// is judged without harm.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line = text.find('\n');
  if (line == std::string_view::npos) return 0;
  auto const resource = fhir::parse_resource(text.substr(0, line));
  auto const patch = fhir::parse_resource(text.substr(line + 1));
  if (!resource.has_value() || !patch.has_value()) return 0;
  auto result = operations::apply_fhirpath_patch(resource->json(), patch->json());
  if (!result.has_value()) return 0;
  if (depth_of(*result) > limits::kJsonDepth + 1) std::abort();
  auto const checked = fhir::Resource::parse(std::move(*result));
  if (checked.has_value() && checked->type() != resource->type()) std::abort();
  return 0;
}
