#include <map>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "fhir/examples_testing.hpp"
#include "fhirpath/expression.hpp"
#include "fhirpath/internal/suite_testing.hpp"

namespace tacenda::fhirpath {
namespace {

using codec::Json;

Json const& expressions() {
  static Json const json =
      testing::parsed(testing::read_whole(TACENDA_SOURCE_DIR "/tests/vectors/fhir-r4-expressions.json"));
  return json;
}

std::vector<Json> const& documents() {
  static auto const all = [] {
    std::vector<Json> out;
    for (auto const& [name, text] : fhir::testing::examples()) out.push_back(testing::parsed(text));
    return out;
  }();
  return all;
}

Expression compiled(std::string_view text) {
  auto expression = Expression::compile(text);
  if (!expression) throw std::runtime_error("does not compile: " + std::string(text));
  return *std::move(expression);
}

TEST(Definitions, EverySearchParameterOfR4Compiles) {
  auto const& rows = expressions().find("parameters")->items();
  ASSERT_EQ(rows.size(), 1'372U);
  for (Json const& row : rows) {
    auto const result = Expression::compile(row.text_of("expression"));
    EXPECT_TRUE(result.has_value()) << row.text_of("id") << ": " << row.text_of("expression");
  }
}

TEST(Definitions, EveryInvariantOfR4Compiles) {
  for (Json const& row : expressions().find("invariants")->items()) {
    auto const result = Expression::compile(row.text_of("expression"));
    EXPECT_TRUE(result.has_value()) << row.text_of("key") << ": " << row.text_of("expression");
  }
}

TEST(Definitions, EverySearchParameterIsEvaluatedOverTheOfficialExamplesWithoutError) {
  std::map<std::string, std::vector<Expression>, std::less<>> by_type;
  for (Json const& row : expressions().find("parameters")->items()) {
    for (Json const& base : row.find("base")->items()) {
      by_type[std::string(base.as_string())].push_back(compiled(row.text_of("expression")));
    }
  }
  std::size_t found = 0;
  for (Json const& document : documents()) {
    for (Expression const& expression : by_type[std::string(document.text_of("resourceType"))]) {
      auto const result = expression.evaluate(document);
      EXPECT_TRUE(result.has_value()) << expression.text();
      if (result && !result->empty()) ++found;
    }
  }
  EXPECT_GT(found, 5'000U);  // they do select something
}

/// Invariants by the type or element that they are stated for.
struct Invariants {
  std::map<std::string, std::vector<std::pair<std::string, Expression>>, std::less<>> by_type;
  Invariants() {
    for (Json const& row : expressions().find("invariants")->items()) {
      std::string const path(row.text_of("path"));
      if (row.text_of("severity") != "error" || path.empty()) continue;
      by_type[path].emplace_back(row.text_of("key"), compiled(row.text_of("expression")));
    }
  }
};

TEST(Definitions, TheOfficialExamplesHoldTheInvariantsOfTheirTypes) {
  Invariants const invariants;
  Expression const everything = compiled("$this | descendants()");
  std::size_t checked = 0;
  for (Json const& document : documents()) {
    Item const root = item_of(document);
    Context context;
    context.limits.steps = 50'000'000;
    context.root_resource = root;
    auto const all = everything.evaluate(context, root);
    ASSERT_TRUE(all.has_value());
    for (Item const& item : *all) {
      auto const rows = invariants.by_type.find(item.type_name());
      if (rows == invariants.by_type.end()) continue;
      for (auto const& [key, expression] : rows->second) {
        auto const holds = expression.condition(context, item);
        ++checked;
        ASSERT_TRUE(holds.has_value()) << key << " " << expression.text();
        EXPECT_NE(*holds, false) << key << " in " << document.text_of("id");
      }
    }
  }
  EXPECT_GT(checked, 20'000U);
}

}  // namespace
}  // namespace tacenda::fhirpath
