#include "fhirpath/expression.hpp"

#include <chrono>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "fhirpath/internal/suite_testing.hpp"

namespace tacenda::fhirpath {
namespace {

using codec::Json;

Json const& patient() {
  static Json const json = testing::parsed(R"({"resourceType":"Patient","id":"p","active":true,
    "contained":[{"resourceType":"Organization","id":"o1","name":"Acme"}],
    "name":[{"family":"Chalmers","given":["Peter",null],"_given":[null,{"extension":[{"url":"u","valueCode":"c"}]}]}],
    "telecom":[{"system":"phone","value":"1"},{"system":"email","value":"2"}],
    "birthDate":"1974-12-25","deceasedDateTime":"2001-02-03T04:05:06Z","multipleBirthInteger":2,
    "managingOrganization":{"reference":"#o1"},
    "generalPractitioner":[{"reference":"Practitioner/1"},{"reference":"https://other/fhir/Organization/2"},
                           {"type":"PractitionerRole","identifier":{"value":"x"}}],
    "link":[{"other":{"reference":"urn:uuid:0"},"type":"refer"}]})");
  return json;
}

/// What an expression gives, as texts; "error:" and its kind's number when it fails.
std::vector<std::string> run(std::string_view text, Context const& context = {},
                             Json const& document = patient()) {
  auto const expression = Expression::compile(text);
  if (!expression) return {"does not compile"};
  auto const result = expression->evaluate(context, item_of(document));
  if (!result) return {"error"};
  std::vector<std::string> out;
  for (Item const& item : *result) out.push_back(item.to_text().value_or(std::string(item.type_name())));
  return out;
}

using Texts = std::vector<std::string>;

ErrorKind kind_of(std::string_view text, Context const& context = {}) {
  auto const expression = Expression::compile(text);
  if (!expression) return expression.error().kind();
  auto const result = expression->evaluate(context, item_of(patient()));
  return result ? ErrorKind::kBug : result.error().kind();
}

TEST(Expression, SelectsWithoutCopyingTheDocument) {
  auto const result = Expression::compile("Patient.name.family")->evaluate(patient());
  ASSERT_EQ(result->size(), 1U);
  EXPECT_EQ(result->front().value(), patient().find("name")->items()[0].find("family"));
  EXPECT_EQ(result->front().resource(), &patient());
  EXPECT_EQ(result->front().type(), fhir::TypeCode::kString);
}

TEST(Expression, TheNameOfAnotherTypeSelectsNothing) {
  EXPECT_EQ(run("Practitioner.name"), Texts());
  EXPECT_EQ(run("Practitioner.name | Patient.name.family"), Texts{"Chalmers"});
  EXPECT_EQ(run("Resource.id"), Texts{"p"});
}

TEST(Expression, TypesTheValueOfAChoice) {
  EXPECT_EQ(run("(Patient.deceased as dateTime)"), Texts{"2001-02-03T04:05:06Z"});
  EXPECT_EQ(run("Patient.deceased.as(DateTime)"), Texts{"2001-02-03T04:05:06Z"});
  EXPECT_EQ(run("Patient.deceased.ofType(boolean)"), Texts());
  EXPECT_EQ(run("Patient.multipleBirth + 1"), Texts{"3"});
  EXPECT_EQ(kind_of("Patient.deceasedDateTime"), ErrorKind::kInvalid);
}

TEST(Expression, APrimitiveWithoutValueKeepsItsExtensions) {
  EXPECT_EQ(run("name.given.count()"), Texts{"2"});
  EXPECT_EQ(run("name.given.where(hasValue())"), Texts{"Peter"});
  EXPECT_EQ(run("name.given.extension('u').value"), Texts{"c"});
}

TEST(Expression, ResolveIsFollowsFromTheReferenceAlone) {
  EXPECT_EQ(run("generalPractitioner.where(resolve() is Practitioner).reference"), Texts{"Practitioner/1"});
  EXPECT_EQ(run("generalPractitioner.where(resolve() is Organization).reference"),
            Texts{"https://other/fhir/Organization/2"});
  EXPECT_EQ(run("generalPractitioner.where(resolve() is PractitionerRole).identifier.value"), Texts{"x"});
  EXPECT_EQ(run("managingOrganization.where(resolve() is Organization).reference"), Texts{"#o1"});
  EXPECT_EQ(run("generalPractitioner.resolve()"), Texts());
}

TEST(Expression, ResolvesContainedResourcesAndThoseOfTheHook) {
  EXPECT_EQ(run("managingOrganization.resolve().name"), Texts{"Acme"});
  Json const other = testing::parsed(R"({"resourceType":"Practitioner","id":"1","active":false})");
  Context context;
  context.resolve = [&](std::string_view text) { return text == "Practitioner/1" ? &other : nullptr; };
  EXPECT_EQ(run("generalPractitioner.resolve().active", context), Texts{"false"});
}

TEST(Expression, KnowsItsEnvironment) {
  Context context;
  context.now = Time(std::chrono::sys_days(std::chrono::year(2026) / 11 / 23) + std::chrono::hours(23));
  context.offset_minutes = 120;
  context.variables.emplace_back("limit", Collection{Item::integer(7)});
  EXPECT_EQ(run("today()", context), Texts{"2026-11-24"});
  EXPECT_EQ(run("now()", context), Texts{"2026-11-24T01:00:00.000+02:00"});
  EXPECT_EQ(run("%limit + 1", context), Texts{"8"});
  EXPECT_EQ(run("contained.select(%resource.id | %rootResource.id)", context), Texts{"p"});
  EXPECT_EQ(run("%`vs-name`", context), Texts{"http://hl7.org/fhir/ValueSet/name"});
  EXPECT_EQ(kind_of("%unknown"), ErrorKind::kInvalid);
}

TEST(Expression, DecimalsAreExact) {
  EXPECT_EQ(run("0.1 + 0.2"), Texts{"0.3"});
  EXPECT_EQ(run("1.50"), Texts{"1.50"});
  EXPECT_EQ(run("123456789012345678901234567.5 - 0.5"), Texts{"123456789012345678901234567.0"});
  EXPECT_EQ(run("2147483647 + 1"), Texts());
  EXPECT_EQ(run("99999999999999999999999999999999999.0 * 10.0"), Texts());
}

TEST(Expression, RefusesWhatIsNoExpression) {
  for (auto const* text :
       {"", "1 +", "(1", "name.", "a b", "'x", "1 and and 2", "nothing()", "count(1)", "'a'.matches('(')",
        "x is string1", "@2015-02-30", "\xC3\x28", "$that", "5000000000"}) {
    EXPECT_EQ(kind_of(text), ErrorKind::kInvalid) << text;
  }
  EXPECT_EQ(kind_of("slice('u', 'x')"), ErrorKind::kUnsupported);
}

TEST(Expression, AHookThatIsMissingIsUnsupported) {
  EXPECT_EQ(kind_of("gender.memberOf('u')"), ErrorKind::kBug);  // nothing to ask about
  EXPECT_EQ(kind_of("id.memberOf('u')"), ErrorKind::kUnsupported);
  EXPECT_EQ(kind_of("id.subsumes('u')"), ErrorKind::kUnsupported);
}

TEST(Expression, BoundsItsTextDepthAndParts) {
  EXPECT_EQ(kind_of(std::string(20'000, ' ') + "1"), ErrorKind::kTooLarge);
  EXPECT_EQ(kind_of(std::string(1'000, '(') + "1" + std::string(1'000, ')')), ErrorKind::kTooLarge);
  EXPECT_EQ(kind_of(std::string(1'000, '-') + "1"), ErrorKind::kTooLarge);
  std::string sum = "1";
  for (int i = 0; i < 4'000; ++i) sum += "+1";
  EXPECT_EQ(kind_of(sum), ErrorKind::kTooLarge);
  std::string path = "a";
  for (int i = 0; i < 5'000; ++i) path += ".a";
  EXPECT_EQ(run(path), Texts());
}

TEST(Expression, HostileExpressionsEndWithAnErrorAndNotNever) {
  EXPECT_EQ(kind_of("name.repeat($this | 'x' | $index.toString() + 'y')"), ErrorKind::kTooLarge);
  EXPECT_EQ(kind_of("('a').repeat($this + 'a')"), ErrorKind::kTooLarge);
  std::string doubled = "'aaaaaaaaaaaaaaaa'";
  for (int i = 0; i < 40; ++i) doubled += ".replace('a', 'aaaa')";
  EXPECT_EQ(kind_of(doubled), ErrorKind::kTooLarge);
  std::string product = "(1|2|3|4|5|6|7|8|9|10)";
  for (int i = 0; i < 24; ++i) product += ".select($this.combine($this + 1))";
  EXPECT_EQ(kind_of(product), ErrorKind::kTooLarge);
}

TEST(Expression, ARegularExpressionTakesLinearTime) {
  EXPECT_EQ(run("'" + std::string(5'000, 'a') + "b'.matches('^(a+)+$')"), Texts{"false"});
  EXPECT_EQ(kind_of("'a'.matches('((a{100}){100}){100}')"), ErrorKind::kInvalid);
}

TEST(Expression, NarrativesAreChecked) {
  EXPECT_EQ(run("'<div xmlns=\"http://www.w3.org/1999/xhtml\"><p>x &amp; y</p></div>'.htmlChecks()"),
            Texts{"true"});
  for (auto const* bad : {"<div><script>x</script></div>", "<div onclick=\"x\">x</div>", "<div><p>x</div>",
                          "<div> </div>", "<p>x</p>", "<div>a & b</div>", "<div>x</div><div>y</div>"}) {
    EXPECT_EQ(run("'" + std::string(bad) + "'.htmlChecks()"), Texts{"false"}) << bad;
  }
}

TEST(Expression, UnitsWithoutAHookCompareWhenTheyAreTheSameOrDurations) {
  EXPECT_EQ(run("1 'mg' < 2 'mg'"), Texts{"true"});
  EXPECT_EQ(run("24 hours = 1 'd'"), Texts{"true"});
  EXPECT_EQ(run("12 months = 1 year"), Texts{"true"});
  EXPECT_EQ(run("1 'g' > 1 'mg'"), Texts());
}

TEST(Expression, DatesKeepTheirPrecision) {
  EXPECT_EQ(run("@2014 + 24 months"), Texts{"2016"});
  EXPECT_EQ(run("@2024-01-31 + 1 month"), Texts{"2024-02-29"});
  EXPECT_EQ(run("@T23:30 + 1 hour"), Texts{"00:30"});
  EXPECT_EQ(run("@9999-12-31 + 1 day"), Texts());
  EXPECT_EQ(run("@2012-04-15T10:00:00Z > @2012-04-13T10:00:00"), Texts{"true"});
}

}  // namespace
}  // namespace tacenda::fhirpath
