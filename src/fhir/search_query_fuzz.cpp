// Search parameters and criteria: outside text that names types, parameters, chains and values.
#include "fhir/search_query.hpp"

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "codec/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  std::string_view const query(reinterpret_cast<char const*>(data), size);
  for (auto const type : {"Patient", "Observation", "Group"}) {
    static_cast<void>(fhir::parse_criteria(fhir::r4_parameters(), type, query));
    auto const parameters = codec::parse_query(query);
    if (!parameters.has_value()) continue;
    auto const strict = fhir::parse_search(fhir::r4_parameters(), type, *parameters, fhir::Handling::kStrict);
    auto const lenient =
        fhir::parse_search(fhir::r4_parameters(), type, *parameters, fhir::Handling::kLenient);
    // What strict handling takes, lenient handling takes whole.
    if (strict.has_value() && (!lenient.has_value() || !lenient->ignored.empty())) __builtin_trap();
  }
  return 0;
}
