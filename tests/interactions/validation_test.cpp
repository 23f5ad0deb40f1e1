#include "operations/validation.hpp"

#include <set>

#include <gtest/gtest.h>

#include "fhir/examples_testing.hpp"
#include "interactions/test_server.hpp"
#include "operations/internal/profiles.hpp"
#include "operations/vocabulary.hpp"

namespace tacenda::operations {
namespace {

using codec::Json;
using test::TestServer;

/// "code path" of every error.
std::set<std::string> errors_of(fhir::Report const& report) {
  std::set<std::string> texts;
  for (auto const& finding : report) {
    if (finding.severity != fhir::Severity::kError) continue;
    texts.insert(std::string(code_of(finding.kind)) + " " + finding.path);
  }
  return texts;
}

fhir::Resource resource(std::string const& text) {
  return fhir::parse_resource(text).value();
}

/// A profile with one invariant on the whole resource.
std::string with_invariant(std::string const& url, std::string const& type, std::string const& expression,
                           std::string const& version = "1") {
  return R"({"resourceType":"StructureDefinition","url":")" + url + R"(","version":")" + version +
         R"(","name":"X","status":"active","kind":"resource","abstract":false,"type":")" + type +
         R"(","derivation":"constraint","snapshot":{"element":[{"id":")" + type + R"(","path":")" + type +
         R"(","min":0,"max":"*","constraint":[{"key":"ex-1","severity":"error","human":"Holds","expression":")" +
         expression + R"("}]}]}})";
}

std::string claiming(std::string const& url, std::string const& type, std::string const& rest) {
  return R"({"resourceType":")" + type + R"(","meta":{"profile":[")" + url + R"("]},)" + rest + "}";
}

struct Place {
  TestServer server;
  identity::Principal doctor = server.sign_in("administrator");
  Validation validation{server.store(), server.gate(), {}};

  std::set<std::string> errors(std::string const& text) {
    return errors_of(Validation::Session(validation, {}).validate(resource(text)));
  }
};

// Seven of the 727 break the specification that they are part of (fhir/validate_examples_test.cpp has the
// reasons), and four have a narrative that says nothing (txt-1, txt-2).
TEST(Validation, FindsTheFaultsOfTheOfficialExamplesAndNoOthers) {
  Place place;
  std::string bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (auto const& [name, json] : fhir::testing::profile_definitions()) {
    if (!bundle.ends_with('[')) bundle.push_back(',');
    bundle += R"({"request":{"method":"POST","url":"StructureDefinition"},"resource":)" +
              codec::write_json(json) + "}";
  }
  ASSERT_TRUE(place.server.bundle(place.doctor, bundle + "]}").has_value());
  Validation::Session session(place.validation, SystemClock().now());
  std::set<std::string> faulty;
  std::set<std::string> silent;
  std::size_t unjudged = 0;
  for (auto const& [name, text] : fhir::testing::examples()) {
    auto const report = session.validate(resource(text));
    std::string const type(name.substr(0, name.find('-')));
    bool const is_silent = errors_of(report) == std::set<std::string>{"invariant " + type + ".text.div"};
    if (!report.is_valid()) (is_silent ? silent : faulty).insert(name);
    for (auto const& finding : report) {
      bool const is_unjudged = finding.text.view() == "an invariant could not be judged";
      EXPECT_FALSE(is_unjudged && finding.severity == fhir::Severity::kError);
      if (is_unjudged) ++unjudged;
    }
  }
  EXPECT_EQ(faulty, (std::set<std::string>{"Basic-referral.json", "DeviceMetric-example.json",
                                           "DeviceUseStatement-example.json", "ImplementationGuide-fhir.json",
                                           "MedicationRequest-medrx0301.json",
                                           "Observation-clinical-gender.json", "Questionnaire-qs1.json"}));
  EXPECT_EQ(silent, (std::set<std::string>{"ActivityDefinition-blood-tubes-supply.json",
                                           "ActivityDefinition-heart-valve-replacement.json",
                                           "EventDefinition-example.json",
                                           "Questionnaire-zika-virus-exposure-assessment.json"}));
  EXPECT_EQ(unjudged, 0U);
}

TEST(Validation, ComparesQuantitiesByTheirUnits) {
  Place place;
  std::string const url = "http://example.org/heavy";
  ASSERT_TRUE(
      place.server
          .create(place.doctor, with_invariant(url, "Observation", "value.ofType(Quantity) >= 1 'kg'"))
          .has_value());
  auto const weighing = [&](std::string const& value, std::string const& unit) {
    return claiming(url, "Observation",
                    R"("status":"final","code":{"text":"w"},"valueQuantity":{"value":)" + value +
                        R"(,"system":"http://unitsofmeasure.org","code":")" + unit + R"("})");
  };
  EXPECT_EQ(place.errors(weighing("1200", "g")), std::set<std::string>());
  EXPECT_EQ(place.errors(weighing("1.2", "g")), std::set<std::string>{"invariant Observation"});
}

TEST(Validation, AnInvariantThatIsEmptyOrCannotBeJudgedBreaksNothing) {
  Place place;
  std::string const empty = "http://example.org/empty";
  std::string const wrong = "http://example.org/wrong";
  ASSERT_TRUE(place.server.create(place.doctor, with_invariant(empty, "Patient", "birthDate > @2000-01-01"))
                  .has_value());
  ASSERT_TRUE(place.server.create(place.doctor, with_invariant(wrong, "Patient", "nonsense(((")).has_value());
  EXPECT_EQ(place.errors(claiming(empty, "Patient", R"("active":true)")), std::set<std::string>());
  EXPECT_EQ(place.errors(claiming(empty, "Patient", R"("birthDate":"1999-01-01")")),
            std::set<std::string>{"invariant Patient"});
  auto const report = Validation::Session(place.validation, {})
                          .validate(resource(claiming(wrong, "Patient", R"("active":true)")));
  EXPECT_TRUE(report.is_valid());
  std::size_t unjudged = 0;
  for (auto const& finding : report)
    if (finding.rule == "ex-1") ++unjudged;
  EXPECT_EQ(unjudged, 1U);
}

TEST(Validation, ResolvesReferencesWithinTheDocumentAlone) {
  Place place;
  std::string const url = "http://example.org/resolves";
  ASSERT_TRUE(
      place.server.create(place.doctor, with_invariant(url, "Observation", "subject.resolve().exists()"))
          .has_value());
  auto const stored =
      place.server.create(place.doctor, R"({"resourceType":"Patient","active":true})").value();
  auto const about = [&](std::string const& reference, std::string const& more = "") {
    return claiming(url, "Observation",
                    R"("status":"final","code":{"text":"w"},)" + more + R"("subject":{"reference":")" +
                        reference + R"("})");
  };
  auto const entries = [&](std::string const& reference) {
    return R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":"urn:uuid:1e6fdb5c-6b5c-4a3c-9c43-4d0d0d9f4a11","resource":{"resourceType":"Patient","id":"a","active":true}},{"fullUrl":"urn:uuid:2e6fdb5c-6b5c-4a3c-9c43-4d0d0d9f4a11","resource":)" +
           about(reference) + "}]}";
  };
  EXPECT_EQ(place.errors(about("#p", R"("contained":[{"resourceType":"Patient","id":"p","active":true}],)")),
            std::set<std::string>());
  EXPECT_EQ(place.errors(about("Patient/" + stored.id)), std::set<std::string>{"invariant Observation"});
  EXPECT_EQ(place.errors(entries("urn:uuid:1e6fdb5c-6b5c-4a3c-9c43-4d0d0d9f4a11")), std::set<std::string>());
  EXPECT_EQ(place.errors(entries("Patient/a")), std::set<std::string>());
  EXPECT_EQ(place.errors(entries("Patient/b")), std::set<std::string>{"invariant Bundle.entry[1].resource"});
}

TEST(Validation, AsksForValueSetsThatTheDefinitionsDoNotHave) {
  Place place;
  std::string const url = "http://example.org/coded";
  std::string const set = "http://example.org/ValueSet/colours";
  std::string profile = with_invariant(url, "Patient", "gender.memberOf('" + set + "')");
  ASSERT_TRUE(place.server.create(place.doctor, profile).has_value());
  ASSERT_TRUE(place.server
                  .create(place.doctor, R"({"resourceType":"ValueSet","status":"active","url":")" + set +
                                            R"(","compose":{"include":[{"system":"http://example.org/x",
                                               "concept":[{"code":"female"}]}]}})")
                  .has_value());
  Vocabulary const vocabulary(place.server.store());
  Validation const asking(place.server.store(), place.server.gate(), {}, &vocabulary);
  auto const errors = [&](std::string const& gender) {
    auto const patient = resource(claiming(url, "Patient", R"("gender":")" + gender + "\""));
    return errors_of(Validation::Session(asking, {}).validate(patient));
  };
  EXPECT_EQ(errors("female"), std::set<std::string>());
  EXPECT_EQ(errors("male"), std::set<std::string>{"invariant Patient"});
  EXPECT_EQ(place.errors(claiming(url, "Patient", R"("gender":"male")")),
            std::set<std::string>());  // nobody knows
}

TEST(Validation, EndsWhenExpressionsCostTooMuchTogether) {
  Place place;
  std::string const url = "http://example.org/costly";
  auto profile = test::parse(with_invariant(url, "Patient", "true"));
  Json& element = profile.find("snapshot")->find("element")->items().front();
  for (int i = 0; i < 40; ++i) {
    Json one = element.find("constraint")->items().front();
    one.set("key", Json::string("ex-" + std::to_string(100 + i)));
    one.set("expression",
            Json::string("name.all(%resource.descendants().count() >= " + std::to_string(i) + ")"));
    element.find("constraint")->push(std::move(one));
  }
  ASSERT_TRUE(place.server.create(place.doctor, codec::write_json(profile)).has_value());
  std::string names;
  for (int i = 0; i < 1'000; ++i) names += R"({"given":["a","b"],"family":"c"},)";
  names.pop_back();
  auto const found = place.errors(claiming(url, "Patient", R"("name":[)" + names + "]"));
  EXPECT_EQ(found, std::set<std::string>{"too-costly Patient"});
}

TEST(Profiles, AreOrderedByTheNumbersOfTheirVersions) {
  EXPECT_TRUE(is_older("1.9.0", "1.10.0"));
  EXPECT_TRUE(is_older("1.0", "1.0.1"));
  EXPECT_TRUE(is_older("", "0"));
  EXPECT_TRUE(is_older("1.0.0-a", "1.0.0-b"));
  EXPECT_FALSE(is_older("2", "1.10"));
  EXPECT_FALSE(is_older("01.0", "1.0"));
  EXPECT_FALSE(is_older("1.0", "1.0"));
}

TEST(Profiles, AreTheOnesThatAreStoredNow) {
  Place place;
  Profiles profiles(place.server.store(), place.server.gate());
  auto const find = [&](std::string const& canonical) { return profiles.find(canonical).value(); };
  std::string const url = "http://example.org/a,b$c";  // what would part alternatives of a search
  EXPECT_EQ(find(url), nullptr);
  auto const first = place.server.create(place.doctor, with_invariant(url, "Patient", "true", "1.9")).value();
  auto const kept = find(url);
  ASSERT_NE(kept, nullptr);
  EXPECT_EQ(find(url), kept);  // parsed once
  auto const second =
      place.server.create(place.doctor, with_invariant(url, "Patient", "true", "1.10")).value();
  EXPECT_EQ(find(url)->version(), "1.10");
  EXPECT_EQ(find(url + "|1.9"), kept);
  EXPECT_EQ(find(url + "|2"), nullptr);
  ASSERT_TRUE(place.server.remove(place.doctor, "StructureDefinition", second.id).has_value());
  EXPECT_EQ(find(url)->version(), "1.9");
  auto changed = test::parse(with_invariant(url, "Patient", "false", "1.9"));
  changed.set("id", Json::string(first.id));
  ASSERT_TRUE(place.server.update(place.doctor, codec::write_json(changed)).has_value());
  EXPECT_NE(find(url), kept);
}

}  // namespace
}  // namespace tacenda::operations
