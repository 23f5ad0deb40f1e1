#include "fhir/identifiers.hpp"

#include <algorithm>

#include "fhir/generated/tables.hpp"
#include "fhir/path.hpp"

namespace tacenda::fhir {
namespace {

std::vector<Identifier> collect(codec::Json const& json) {
  std::vector<Identifier> found;
  auto const rows = std::ranges::equal_range(generated::identifier_paths(), json.text_of("resourceType"), {},
                                             &generated::Path::type);
  for (auto const& row : rows) {
    for_each_at(json, row.path, [&](codec::Json const& value) {
      auto const text = value.text_of("value");
      if (!text.empty()) found.emplace_back(std::string(value.text_of("system")), std::string(text));
    });
  }
  std::ranges::sort(found);
  found.erase(std::ranges::unique(found).begin(), found.end());
  return found;
}

}  // namespace

Result<std::vector<Identifier>> identifiers_of(Resource const& resource) {
  return collect(resource.json());
}

Result<std::vector<Identifier>> identifiers_of_text(std::string_view text) {
  auto const json = codec::parse_json(text);
  if (!json.has_value()) return fail(ErrorKind::kCorrupt, "a stored text is not JSON");
  return collect(*json);
}

}  // namespace tacenda::fhir
