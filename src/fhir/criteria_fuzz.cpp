#include "fhir/criteria.hpp"

#include <cstdint>
#include <cstdlib>
#include <string_view>

// Criteria that parse say something in every part.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  auto const criteria = tacenda::fhir::parse_criteria({reinterpret_cast<char const*>(data), size});
  if (!criteria.has_value()) return 0;
  if (criteria->empty()) std::abort();
  for (auto const& criterion : *criteria) {
    if (criterion.name.empty() || criterion.tokens.empty() || criterion.value.empty()) std::abort();
    for (auto const& token : criterion.tokens) {
      if (token.code.empty() && token.system.value_or("").empty()) std::abort();
    }
  }
  return 0;
}
