// SearchParameters come from whoever may write them.
#include "fhir/search_parameters.hpp"

#include <cstddef>
#include <cstdint>

#include "codec/json.hpp"
#include "core/process.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;  // NOLINT(google-build-using-namespace): the harness is the whole file
  auto const json = codec::parse_json({reinterpret_cast<char const*>(data), size});
  if (!json.has_value()) return 0;
  auto definition = fhir::read_definition(*json);
  if (!definition.has_value()) return 0;
  for (auto& each : fhir::effective({*definition, *definition})) {
    fhir::SearchParameters const known({{each, true}});
    auto const found = known.find("Patient", each.code);
    TACENDA_ASSERT(found == nullptr || found->code == each.code);
  }
  return 0;
}
