#include "fhirpath/internal/functions.hpp"

#include <algorithm>
#include <vector>

namespace tacenda::fhirpath {
namespace {

std::vector<FunctionRow> all_functions() {
  std::vector<FunctionRow> rows;
  for (auto const table : {collection_functions(), conversion_functions(), string_functions(),
                           math_functions(), time_functions(), fhir_functions()}) {
    rows.insert(rows.end(), table.begin(), table.end());
  }
  std::ranges::sort(rows, {}, &FunctionRow::name);
  return rows;
}

}  // namespace

FunctionRow const* find_function(std::string_view name) {
  static std::vector<FunctionRow> const rows = all_functions();
  auto const at = std::ranges::lower_bound(rows, name, {}, &FunctionRow::name);
  return at == rows.end() || at->name != name ? nullptr : &*at;
}

}  // namespace tacenda::fhirpath
