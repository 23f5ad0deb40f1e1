#include "operations/internal/care_date.hpp"

#include <gtest/gtest.h>

#include "fhir/search_parameter.hpp"
#include "fhir/types.hpp"

namespace tacenda::operations {
namespace {

TEST(CareDate, OfEveryTypeIsADateParameterThatR4Has) {
  std::size_t dated = 0;
  for (auto const type : fhir::resource_types()) {
    auto const code = care_date_of(type);
    if (code.empty()) continue;
    ++dated;
    auto const* parameter = fhir::find_search_parameter(type, code);
    ASSERT_NE(parameter, nullptr) << type;
    EXPECT_EQ(parameter->type, fhir::SearchType::kDate) << type;
  }
  EXPECT_EQ(dated, 50U);
}

}  // namespace
}  // namespace tacenda::operations
