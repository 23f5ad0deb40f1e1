// Security labels: REQUIREMENTS C-15 (levels), C-17 (rules), C-18 (labels stay).
#include "access/labels.hpp"

#include <gtest/gtest.h>

#include "fhir/examples_testing.hpp"

namespace tacenda::access {
namespace {

using codec::Json;

constexpr std::string_view kConfidentiality = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
constexpr std::string_view kActCode = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

Json json(std::string_view text) {
  return codec::parse_json(text).value();
}

Label label(std::string_view system, std::string_view code) {
  return {std::string(system), std::string(code)};
}

/// An Observation with these confidentiality codes.
std::string labelled(std::vector<std::string_view> const& codes) {
  std::string text = R"({"resourceType":"Observation","meta":{"security":[)";
  for (auto const code : codes) {
    if (!text.ends_with('[')) text += ',';
    text += R"({"system":")" + std::string(kConfidentiality) + R"(","code":")" + std::string(code) + R"("})";
  }
  return text + "]}}";
}

TEST(Labels, C15LevelsAscendFromUToV) {
  std::vector<std::string_view> const codes{"U", "L", "M", "N", "R", "V"};
  for (std::size_t i = 0; i < codes.size(); ++i) {
    auto const level = parse_confidentiality(codes[i]).value();
    EXPECT_EQ(code_of(level), codes[i]);
    if (i > 0) {
      EXPECT_LT(parse_confidentiality(codes[i - 1]).value(), level);
    }
  }
  for (auto const* code : {"", "u", "X", "NR", "R ", "HIV"}) {
    ASSERT_FALSE(parse_confidentiality(code).has_value()) << code;
    EXPECT_EQ(parse_confidentiality(code).error().kind(), ErrorKind::kInvalid);
  }
}

TEST(Labels, C15TheHighestLevelCountsAndNWhereNoneIsStated) {
  struct Case {
    std::vector<std::string_view> codes;
    Confidentiality level;
  };
  for (auto const& [codes, level] : std::vector<Case>{
           {{}, Confidentiality::kN},
           {{"U"}, Confidentiality::kU},
           {{"R"}, Confidentiality::kR},
           {{"R", "N"}, Confidentiality::kR},
           {{"L", "V", "M"}, Confidentiality::kV},
           {{"U", "L"}, Confidentiality::kL},
           {{"HIV"}, Confidentiality::kV},  // retired: no level, and meant secret
           {{"r"}, Confidentiality::kV},
       }) {
    EXPECT_EQ(labels_of(json(labelled(codes))).confidentiality, level);
    EXPECT_EQ(labels_of_text(labelled(codes)).confidentiality, level);
  }
}

TEST(Labels, C15ALevelCountsByEachNameOfItsSystemAndByNoOther) {
  auto const with = [](std::string const& system) {
    return labels_of(json(R"({"meta":{"security":[{"system":")" + system + R"(","code":"R"}]}})"))
        .confidentiality;
  };
  EXPECT_EQ(with("http://hl7.org/fhir/v3/Confidentiality"), Confidentiality::kR);
  EXPECT_EQ(with("urn:oid:2.16.840.1.113883.5.25"), Confidentiality::kR);
  EXPECT_EQ(with("http://example.org/levels"), Confidentiality::kN);
}

TEST(Labels, C15ABundleIsAsConfidentialAsTheHighestInIt) {
  auto const bundle = R"({"resourceType":"Bundle","type":"document","entry":[
      {"resource":{"resourceType":"Composition"}},
      {"resource":{"resourceType":"Bundle","entry":[{"resource":)" +
                      labelled({"V"}) + R"(}]}}]})";
  EXPECT_EQ(labels_of(json(bundle)).confidentiality, Confidentiality::kV);
  EXPECT_EQ(labels_of_text(bundle).confidentiality, Confidentiality::kV);
}

TEST(Labels, AreSortedOnceEachAndFoundByCodeWhateverTheirSystem) {
  auto const labels = labels_of(json(R"({"meta":{"security":[
      {"system":"http://b","code":"HIV"},{"system":"http://a","code":"PSY"},{"system":"http://b","code":"HIV"},
      {"code":"bare"}]}})"));
  EXPECT_EQ(labels.all,
            (std::vector<Label>{label("", "bare"), label("http://a", "PSY"), label("http://b", "HIV")}));
  EXPECT_TRUE(labels.has_code("HIV"));
  EXPECT_TRUE(labels.has_code("bare"));
  EXPECT_FALSE(labels.has_code("hiv"));
  EXPECT_FALSE(labels.has_code(""));
}

TEST(Labels, WhatIsNoCodingIsNoLabel) {
  for (auto const* text : {"{}", "[]", "null", R"({"meta":null})", R"({"meta":[]})",
                           R"({"meta":{"security":"R"}})", R"({"meta":{"security":{"code":"R"}}})",
                           R"({"meta":{"security":[null,3,"R",[],{},{"code":3},{"code":""}]}})",
                           R"({"resourceType":"Bundle","entry":[null,{"resource":3}]})"}) {
    EXPECT_EQ(labels_of(json(text)), Labels()) << text;
  }
}

TEST(Labels, OfATextThatCannotBeReadAreVeryRestricted) {
  for (auto const* text : {R"({"meta":{"security":[)", R"("security")", R"(["security"])", R"({"\u0073)"}) {
    EXPECT_EQ(labels_of_text(text).confidentiality, Confidentiality::kV) << text;
  }
}

TEST(Labels, OfATextHideBehindNoEscape) {
  EXPECT_EQ(
      labels_of_text(R"({"meta":{"s\u0065curity":[{"system":"urn:oid:2.16.840.1.113883.5.25","code":"V"}]}})")
          .confidentiality,
      Confidentiality::kV);
}

TEST(Labels, OfEveryOfficialExampleAreTheSameFromTextAndTree) {
  std::size_t labelled_count = 0;
  for (auto const& [name, text] : fhir::testing::examples()) {
    auto const labels = labels_of(json(text));
    EXPECT_EQ(labels, labels_of_text(text)) << name;
    if (!labels.all.empty()) ++labelled_count;
  }
  EXPECT_GT(labelled_count, 0U);
}

LabelRules rules() {
  return LabelRules({
      {"http://loinc.org", "75622-1", {label(kActCode, "HIV"), label(kConfidentiality, "R")}},
      {"http://hl7.org/fhir/sid/icd-10", "F1*", {label(kActCode, "SUD")}},
      {"", "house-secret", {label("http://house", "secret")}},
      {"http://loinc.org", "", {label("http://house", "never")}},
  });
}

TEST(LabelRules, C17FindCodingsWhereverTheyStand) {
  std::vector<Label> const hiv{label(kActCode, "HIV"), label(kConfidentiality, "R")};
  for (
      auto const* text : {
          R"({"code":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]}})",
          R"({"code":{"coding":[{"system":"http://snomed.info/sct","code":"1"},{"system":"http://loinc.org","code":"75622-1"}]}})",
          R"({"class":{"system":"http://loinc.org","code":"75622-1"}})",
          R"({"component":[{},{"code":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]}}]})",
          R"({"contained":[{"resourceType":"Observation","code":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]}}]})",
          R"({"extension":[{"url":"u","valueCodeableConcept":{"coding":[{"system":"http://loinc.org","code":"75622-1"}]}}]})",
          R"({"code":{"coding":[{"system":"http://loinc.org","code":"75622-1"},{"system":"http://loinc.org","code":"75622-1"}]}})",
      }) {
    EXPECT_EQ(rules().demanded_by(json(text)), hiv) << text;
  }
}

TEST(LabelRules, C17MindTheSystemAndTheWholeCode) {
  for (auto const* text : {
           R"({"code":{"coding":[{"system":"http://snomed.info/sct","code":"75622-1"}]}})",
           R"({"code":{"coding":[{"code":"75622-1"}]}})",
           R"({"code":{"coding":[{"system":"http://loinc.org","code":"75622-11"}]}})",
           R"({"code":{"coding":[{"system":"http://loinc.org","display":"75622-1"}]}})",
           R"({"code":{"text":"75622-1"}})",
           R"({"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10","code":"F20"}]}})",
           R"({"code":"75622-1"})",
           R"({"code":{"coding":[{"system":"http://loinc.org","code":""}]}})",
       }) {
    EXPECT_TRUE(rules().demanded_by(json(text)).empty()) << text;
  }
}

TEST(LabelRules, C17AStarEndsAPrefixAndNoSystemMeansAny) {
  auto const by = [](std::string const& system, std::string const& code) {
    return rules().demanded_by(json(R"({"x":{"system":")" + system + R"(","code":")" + code + R"("}})"));
  };
  EXPECT_EQ(by("http://hl7.org/fhir/sid/icd-10", "F1"), (std::vector{label(kActCode, "SUD")}));
  EXPECT_EQ(by("http://hl7.org/fhir/sid/icd-10", "F10.2"), (std::vector{label(kActCode, "SUD")}));
  EXPECT_TRUE(by("http://hl7.org/fhir/sid/icd-9", "F10.2").empty());
  EXPECT_EQ(by("http://anything", "house-secret"), (std::vector{label("http://house", "secret")}));
  auto const every = LabelRules({{"", "*", {label("http://house", "coded")}}});
  EXPECT_EQ(every.demanded_by(json(R"({"code":"x"})")), (std::vector{label("http://house", "coded")}));
  EXPECT_TRUE(every.demanded_by(json(R"({"status":"x"})")).empty());
}

TEST(LabelRules, C17EndOnTheDeepestRecordThatCanBeParsed) {
  std::string text;
  constexpr int kDepth = 900;
  for (int i = 0; i < kDepth; ++i) text += R"({"x":)";
  text += R"({"system":"http://loinc.org","code":"75622-1"})" + std::string(kDepth, '}');
  auto const deep = codec::parse_json(text, {.depth = codec::kJsonDepthMax}).value();
  EXPECT_EQ(rules().demanded_by(deep).size(), 2U);
  EXPECT_TRUE(LabelRules().empty());
  EXPECT_TRUE(LabelRules().demanded_by(deep).empty());
}

TEST(AddLabels, C17KeepWhatIsThereInItsOrderAndSayWhetherTheyChanged) {
  auto resource = json(R"({"resourceType":"Observation","id":"1","status":"final"})");
  EXPECT_FALSE(add_labels(resource, {}));
  EXPECT_TRUE(add_labels(resource, {label(kActCode, "HIV"), label("", "bare"), label("", "")}));
  EXPECT_EQ(codec::write_json(resource),
            R"({"resourceType":"Observation","id":"1","meta":{"security":[{"system":")" +
                std::string(kActCode) + R"(","code":"HIV"},{"code":"bare"}]},"status":"final"})");
  EXPECT_FALSE(add_labels(resource, {label(kActCode, "HIV")}));
  EXPECT_TRUE(add_labels(resource, {label(kActCode, "PSY"), label(kActCode, "PSY"), label(kActCode, "HIV")}));
  ASSERT_EQ(resource.find("meta")->find("security")->items().size(), 3U);
  EXPECT_EQ(resource.find("meta")->find("security")->items()[2].text_of("code"), "PSY");
}

TEST(AddLabels, C15LeaveExactlyOneLevelTheHighest) {
  struct Case {
    std::vector<std::string_view> before;
    std::vector<std::string_view> added;
    std::string_view after;
    bool changed;
  };
  for (auto const& [before, added, after, changed] : std::vector<Case>{
           {{}, {"R"}, "R", true},
           {{"N"}, {"R"}, "R", true},
           {{"R"}, {"N"}, "R", false},
           {{"V"}, {"R", "N"}, "V", false},
           {{"N", "R", "L"}, {}, "R", true},
           {{"U"}, {"L", "V", "M"}, "V", true},
       }) {
    auto resource = json(labelled(before));
    std::vector<Label> labels;
    for (auto const code : added) labels.push_back(label(kConfidentiality, code));
    EXPECT_EQ(add_labels(resource, labels), changed) << after;
    auto const& security = resource.find("meta")->find("security")->items();
    ASSERT_EQ(security.size(), 1U) << after;
    EXPECT_EQ(security[0].text_of("code"), after);
  }
}

TEST(Watch, C16IsSaidByTheLabelsVAndCelAndNoOther) {
  auto const watched = [](std::string_view code, std::string_view system) {
    auto const text = R"({"resourceType":"Basic","meta":{"security":[{"system":")" + std::string(system) +
                      R"(","code":")" + std::string(code) + R"("}]}})";
    return watch_of_text(text).text();
  };
  EXPECT_EQ(watched("V", kConfidentiality), "V");
  EXPECT_EQ(watched("CEL", kActCode), "CEL");
  EXPECT_EQ(watched("R", kConfidentiality), "");
  EXPECT_EQ(watched("HIV", kActCode), "");
  EXPECT_EQ(watch_of_text("").text(), "");
  EXPECT_EQ(watch_of_text(R"({"meta":{"security":[)").text(), "V") << "what cannot be read";
  Watch all{true, false, false};
  all |= Watch{false, true, true};
  EXPECT_EQ(all.text(), "V CEL VIP");
}

TEST(AddLabels, C18AreNotLostOnAnOddMeta) {
  for (auto const* text : {R"({"meta":null})", R"({"meta":{"security":"x"}})", R"({"meta":{"tag":[]}})"}) {
    auto resource = json(text);
    EXPECT_TRUE(add_labels(resource, {label(kActCode, "HIV")})) << text;
    EXPECT_TRUE(labels_of(resource).has_code("HIV")) << text;
  }
  auto none = json("[]");
  EXPECT_FALSE(add_labels(none, {label(kActCode, "HIV")}));
}

}  // namespace
}  // namespace tacenda::access
