#include "fhir/outcome.hpp"

#include <gtest/gtest.h>

#include "fhir/resource.hpp"

namespace tacenda::fhir {
namespace {

TEST(Outcome, HasOneIssueForEachOfTheReport) {
  auto const checked = check_resource(R"({"resourceType":"Patient","active":"yes","birthDate":"1999-13"})");
  EXPECT_EQ(outcome_text(checked.error()),
            R"({"resourceType":"OperationOutcome","issue":[)"
            R"({"severity":"error","code":"structure","diagnostics":"a boolean is not true or false",)"
            R"("expression":["Patient.active"]},)"
            R"({"severity":"error","code":"value",)"
            R"("diagnostics":"a date is not YYYY, YYYY-MM or YYYY-MM-DD of the calendar",)"
            R"("expression":["Patient.birthDate"]}]})");
}

TEST(Outcome, HasNoExpressionWithoutAnElement) {
  auto const checked = check_resource("{");
  auto const outcome = to_outcome(checked.error());
  EXPECT_EQ(outcome.find("issue")->items().front().find("expression"), nullptr);
}

TEST(Outcome, IsAWellFormedResource) {
  auto const checked = check_resource(R"({"resourceType":"Patient","active":"yes","x":1})");
  auto const outcome = Resource::check(to_outcome(checked.error()));
  ASSERT_TRUE(outcome.has_value());
  EXPECT_TRUE(missing_elements(*outcome).empty());
}

}  // namespace
}  // namespace tacenda::fhir
