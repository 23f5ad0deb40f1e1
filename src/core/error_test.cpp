#include "core/error.hpp"

#include <concepts>
#include <string>

#include <gtest/gtest.h>

namespace tacenda {
namespace {

Result<int> half(int value) {
  if (value % 2 != 0) return fail(ErrorKind::kInvalid, "value is odd");
  return value / 2;
}

Result<int> quarter(int value) {
  int const once = TACENDA_TRY(half(value));
  return half(once);
}

TEST(Try, PassesValuesOnAndFailuresUp) {
  EXPECT_EQ(quarter(8).value(), 2);
  EXPECT_EQ(quarter(6).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(quarter(7).error().message(), "value is odd");
}

// A run-time text must not become an error message (no patient data in errors).
static_assert(!std::convertible_to<std::string, Literal>);
static_assert(!std::constructible_from<Error, ErrorKind, std::string>);

}  // namespace
}  // namespace tacenda
