#include "fhir/terminology.hpp"

#include <algorithm>
#include <array>
#include <set>

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;

/// Definitions by their URL.
class Library {
 public:
  void add(Json document) {
    std::string const url(document.text_of("url"));
    if (document.text_of("resourceType") == "CodeSystem") {
      systems_[url] = CodeSystem::parse(std::move(document)).value();
    } else if (document.text_of("resourceType") == "ValueSet") {
      sets_[url] = ValueSet::parse(std::move(document)).value();
    }
  }
  void add(std::string_view text) { add(codec::parse_json(text).value()); }

  std::shared_ptr<ValueSet const> set(std::string_view url) const {
    auto const at = sets_.find(url);
    return at == sets_.end() ? nullptr : at->second;
  }
  std::shared_ptr<CodeSystem const> system(std::string_view url) const {
    auto const at = systems_.find(without_version(url));
    return at == systems_.end() ? nullptr : at->second;
  }
  TerminologySource source() const {
    return {[this](std::string_view url) -> Result<std::shared_ptr<CodeSystem const>> { return system(url); },
            [this](std::string_view url) -> Result<std::shared_ptr<ValueSet const>> {
              return set(without_version(url));
            }};
  }

 private:
  std::map<std::string, std::shared_ptr<CodeSystem const>, std::less<>> systems_;
  std::map<std::string, std::shared_ptr<ValueSet const>, std::less<>> sets_;
};

Library animals() {
  Library library;
  library.add(R"({"resourceType":"CodeSystem","url":"http://animals","version":"3","content":"complete",
    "property":[{"code":"legs","type":"integer"}],
    "concept":[{"code":"animal","property":[{"code":"notSelectable","valueBoolean":true}],"concept":[
      {"code":"mammal","display":"Mammal","concept":[
        {"code":"cat","display":"Cat","property":[{"code":"legs","valueInteger":4}],
         "designation":[{"language":"de","value":"Katze"},{"language":"fr-CH","value":"chat"}]},
        {"code":"bat","display":"Bat","property":[{"code":"legs","valueInteger":2}]}]},
      {"code":"bird","property":[{"code":"legs","valueInteger":2},{"code":"inactive","valueBoolean":true}]}]}]})");
  return library;
}

std::shared_ptr<ValueSet const> composed(std::string_view compose, std::string_view url = "http://set") {
  std::string text = R"({"resourceType":"ValueSet","url":")";
  text.append(url).append(R"(","compose":)").append(compose).append("}");
  return ValueSet::parse(codec::parse_json(text).value()).value();
}

std::string repeated(std::string const& text, int times) {
  std::string list = text;
  for (int i = 1; i < times; ++i) list.append(",").append(text);
  return list;
}

std::string text_of(Result<Expansion> const& expansion) {
  if (!expansion.has_value()) return "error: " + std::string(expansion.error().message());
  std::string text;
  for (auto const& member : expansion->members) text.append(text.empty() ? "" : " ").append(member.code);
  return text;
}

std::string expand(Library const& library, std::string_view compose) {
  return text_of(Terminology(library.source()).expand(*composed(compose)));
}

/// Of one filter over the animals; asked in both ways, which must agree.
std::string filtered(std::string_view property, std::string_view op, std::string_view value) {
  auto const library = animals();
  std::string compose = R"({"include":[{"system":"http://animals","filter":[{"property":")";
  compose.append(property)
      .append(R"(","op":")")
      .append(op)
      .append(R"(","value":")")
      .append(value)
      .append("\"}]}]}");
  auto const set = composed(compose);
  Terminology terminology(library.source());
  auto const listed = terminology.expand(*set);
  auto const system = library.system("http://animals");
  std::string one_by_one;
  for (std::size_t i = 0; i < system->size(); ++i) {
    auto const found = terminology.find(*set, {std::nullopt, (*system)[i].code});
    if (!found.has_value()) return "error: " + std::string(found.error().message());
    if (found->membership == Membership::kIn)
      one_by_one.append(one_by_one.empty() ? "" : " ").append((*system)[i].code);
  }
  EXPECT_EQ(text_of(listed), one_by_one);
  return one_by_one;
}

TEST(Filter, OfTheHierarchyTakesWhatIsBelowOrAbove) {
  EXPECT_EQ(filtered("concept", "is-a", "mammal"), "mammal cat bat");
  EXPECT_EQ(filtered("concept", "descendent-of", "mammal"), "cat bat");
  EXPECT_EQ(filtered("concept", "is-not-a", "mammal"), "animal bird");
  EXPECT_EQ(filtered("concept", "generalizes", "cat"), "animal mammal cat");
  EXPECT_EQ(filtered("concept", "is-a", "stone"), "");
  EXPECT_EQ(filtered("concept", "is-not-a", "stone"), "animal mammal cat bat bird");
}

TEST(Filter, OfAPropertyComparesItsValues) {
  EXPECT_EQ(filtered("legs", "=", "2"), "bat bird");
  EXPECT_EQ(filtered("legs", "in", "4, 6"), "cat");
  EXPECT_EQ(filtered("legs", "not-in", "4,6"), "animal mammal bat bird");
  EXPECT_EQ(filtered("legs", "exists", "true"), "cat bat bird");
  EXPECT_EQ(filtered("legs", "exists", "false"), "animal mammal");
  EXPECT_EQ(filtered("code", "regex", ".at"), "cat bat");
  EXPECT_EQ(filtered("code", "regex", "a"), "");  // the whole code is meant
  EXPECT_EQ(filtered("display", "=", "Cat"), "cat");
  EXPECT_EQ(filtered("parent", "=", "mammal"), "cat bat");
  EXPECT_EQ(filtered("child", "=", "bat"), "mammal");
  EXPECT_EQ(filtered("notSelectable", "=", "false"), "mammal cat bat bird");
}

TEST(Filter, ThatCannotBeUnderstoodIsRefused) {
  EXPECT_TRUE(filtered("wings", "=", "2").starts_with("error"));
  EXPECT_TRUE(filtered("legs", "is-a", "2").starts_with("error"));
  EXPECT_TRUE(filtered("code", "regex", "(").starts_with("error"));
  EXPECT_TRUE(filtered("legs", "exists", "perhaps").starts_with("error"));
}

TEST(Filter, OfARegularExpressionThatWouldExplodeElsewhereEnds) {
  EXPECT_EQ(filtered("code", "regex", "((a+)+)+$"), "");
  EXPECT_TRUE(filtered("code", "regex", "((((a{1000}){1000}){1000}){1000})").starts_with("error"));
}

TEST(Filter, OfARegularExpressionHasALimitOfNumberAndOfText) {
  std::string compose = R"({"include":[)";
  for (std::size_t i = 0; i <= ValueSet::kPatternsMax; ++i) {
    compose.append(i > 0 ? "," : "")
        .append(R"({"system":"http://a","filter":[{"property":"code","op":"regex","value":"a"}]})");
  }
  auto const many = ValueSet::parse(
      codec::parse_json(R"({"resourceType":"ValueSet","compose":)" + compose + "]}}").value());
  ASSERT_FALSE(many.has_value());
  EXPECT_EQ(many.error().kind(), ErrorKind::kTooCostly);
  for (std::size_t const size : {4'096U, 4'097U}) {
    Library library;
    library.add(R"({"resourceType":"CodeSystem","url":"http://a","content":"complete","concept":[{"code":")" +
                std::string(size, 'a') + "\"}]}");
    auto const set = composed(
        R"({"include":[{"system":"http://a","filter":[{"property":"code","op":"regex","value":"a*"}]}]})");
    EXPECT_EQ(Terminology(library.source()).expand(*set)->members.size(), size == 4'096 ? 1U : 0U);
  }
}

TEST(Expand, UnitesIncludesAndTakesExcludesAway) {
  EXPECT_EQ(
      expand(animals(), R"({"include":[{"system":"http://animals","concept":[{"code":"bird"},{"code":"cat"}]},
    {"system":"http://animals","filter":[{"property":"concept","op":"is-a","value":"mammal"}]},
    {"system":"http://stones","concept":[{"code":"cat"}]}],
    "exclude":[{"system":"http://animals","concept":[{"code":"bat"}]}]})"),
      "bird cat mammal cat");
}

TEST(Expand, CutsTheValueSetsOfOneIncludeWithEachOtherAndWithItsCodes) {
  auto library = animals();
  library.add(R"({"resourceType":"ValueSet","url":"http://a","compose":{"include":[
    {"system":"http://animals","concept":[{"code":"cat"},{"code":"bat"}]}]}})");
  library.add(R"({"resourceType":"ValueSet","url":"http://b","compose":{"include":[{"valueSet":["http://a"]},
    {"system":"http://animals","concept":[{"code":"bird"}]}],
    "exclude":[{"system":"http://animals","concept":[{"code":"bat"}]}]}})");
  EXPECT_EQ(expand(library, R"({"include":[{"valueSet":["http://a","http://b"]}]})"), "cat");
  EXPECT_EQ(expand(library, R"({"include":[{"valueSet":["http://b"]},{"valueSet":["http://a"]}]})"),
            "cat bird bat");
  EXPECT_EQ(expand(library, R"({"include":[{"system":"http://animals","valueSet":["http://b"]}]})"),
            "cat bird");
  EXPECT_TRUE(expand(library, R"({"include":[{"valueSet":["http://none"]}]})").starts_with("error"));
}

TEST(Expand, TakesAVersionThatStandsBehindTheSystem) {
  auto const library = animals();
  auto const set = composed(R"({"include":[{"system":"http://animals|3","concept":[{"code":"cat"}]}]})");
  Terminology terminology(library.source());
  EXPECT_EQ(text_of(terminology.expand(*set)), "cat");
  EXPECT_EQ(terminology.find(*set, {"http://animals", "cat"})->membership, Membership::kIn);
  EXPECT_EQ(set->includes().front().version, "3");
}

TEST(Expand, LeavesInactiveCodesOutWhereTheValueSetSaysSo) {
  EXPECT_EQ(expand(animals(), R"({"inactive":false,"include":[{"system":"http://animals"}]})"),
            "animal mammal cat bat");
  EXPECT_EQ(expand(animals(), R"({"include":[{"system":"http://animals"}]})"), "animal mammal cat bat bird");
}

TEST(Expand, TakesAStoredExpansionWhereNothingIsComposed) {
  auto const set = ValueSet::parse(codec::parse_json(R"({"resourceType":"ValueSet","expansion":{"contains":[
    {"display":"heading","contains":[{"system":"http://a","code":"1","display":"one"}]},
    {"system":"http://b","code":"2","abstract":true}]}})")
                                       .value())
                       .value();
  Library const none;
  Terminology terminology(none.source());
  EXPECT_EQ(text_of(terminology.expand(*set)), "1 2");
  EXPECT_EQ(terminology.find(*set, {"http://a", "1"})->membership, Membership::kIn);
  EXPECT_EQ(terminology.find(*set, {"http://b", "1"})->membership, Membership::kOut);
  EXPECT_TRUE(terminology.find(*set, {"http://b", "2"})->member.is_abstract);
}

TEST(Expand, SaysThatAPartOfAStoredExpansionIsNotAll) {
  auto const set =
      ValueSet::parse(codec::parse_json(R"({"resourceType":"ValueSet","expansion":{"total":2,"contains":[
    {"system":"http://a","code":"1"}]}})")
                          .value())
          .value();
  Library const none;
  Terminology terminology(none.source());
  EXPECT_TRUE(terminology.expand(*set)->is_unclosed);
  EXPECT_EQ(terminology.find(*set, {"http://a", "2"})->membership, Membership::kUnknown);
}

TEST(Expand, TellsDisplaysAndTheirLanguages) {
  auto const library = animals();
  Terminology terminology(library.source());
  auto const set =
      composed(R"({"include":[{"system":"http://animals","concept":[{"code":"cat","display":"Kitty"}]}]})");
  auto const expansion = terminology.expand(*set);
  Member const& cat = expansion->members.at(0);
  EXPECT_EQ(cat.version, "3");
  EXPECT_EQ(display_in(cat, ""), "Kitty");
  EXPECT_EQ(display_in(cat, "de"), "Katze");
  EXPECT_EQ(display_in(cat, "fr"), "chat");
  EXPECT_EQ(display_in(cat, "f"), "Kitty");
}

TEST(Expand, RefusesCirclesAndDepthAndSize) {
  Library library;
  library.add(
      R"({"resourceType":"ValueSet","url":"http://a","compose":{"include":[{"valueSet":["http://b"]}]}})");
  library.add(
      R"({"resourceType":"ValueSet","url":"http://b","compose":{"include":[{"valueSet":["http://a"]}]}})");
  for (int i = 0; i < 30; ++i) {
    std::string const twice = repeated("\"http://d" + std::to_string(i + 1) + "\"", 2);
    library.add(R"({"resourceType":"ValueSet","url":"http://d)" + std::to_string(i) +
                R"(","compose":{"include":[{"valueSet":[)" + twice + "]}]}}");
  }
  Terminology terminology(library.source());
  for (auto const* url : {"http://a", "http://d0"}) {
    auto const expansion = terminology.expand(*library.set(url));
    ASSERT_FALSE(expansion.has_value()) << url;
    EXPECT_EQ(expansion.error().kind(), ErrorKind::kUnprocessable);
    auto const found = terminology.find(*library.set(url), {"x", "y"});
    ASSERT_FALSE(found.has_value()) << url;
    EXPECT_EQ(found.error().kind(), ErrorKind::kUnprocessable);
  }
  auto const beasts = animals();
  auto const set = composed(R"({"include":[{"system":"http://animals"}]})");
  for (auto const limits : {TerminologyLimits{.codes = 4}, TerminologyLimits{.steps = 3}}) {
    auto const expansion = Terminology(beasts.source(), limits).expand(*set);
    ASSERT_FALSE(expansion.has_value());
    EXPECT_EQ(expansion.error().kind(), ErrorKind::kTooCostly);
  }
}

TEST(Expand, OfSetsThatDoubleAtEachLevelEndsWithinItsSteps) {
  Library library;
  for (int i = 0; i < 12; ++i) {
    std::string const thrice = repeated("\"http://d" + std::to_string(i + 1) + "\"", 3);
    library.add(R"({"resourceType":"ValueSet","url":"http://d)" + std::to_string(i) +
                R"(","compose":{"include":[{"valueSet":[)" + thrice + "]}]}}");
  }
  library.add(R"({"resourceType":"ValueSet","url":"http://d12","compose":{"include":[
    {"system":"http://a","concept":[{"code":"1"}]}]}})");
  auto const found =
      Terminology(library.source(), {.steps = 100'000}).find(*library.set("http://d0"), {"http://a", "1"});
  ASSERT_FALSE(found.has_value());
  EXPECT_EQ(found.error().kind(), ErrorKind::kTooCostly);
}

TEST(Find, DoesNotKnowWhatAMissingOrPartialCodeSystemHas) {
  Library library;
  library.add(
      R"({"resourceType":"CodeSystem","url":"http://part","content":"fragment","concept":[{"code":"a"}]})");
  Terminology terminology(library.source());
  auto const part = composed(R"({"include":[{"system":"http://part"}]})");
  EXPECT_EQ(terminology.find(*part, {"http://part", "a"})->membership, Membership::kIn);
  EXPECT_EQ(terminology.find(*part, {"http://part", "b"})->membership, Membership::kUnknown);
  EXPECT_EQ(terminology.find(*part, {"http://other", "b"})->membership, Membership::kOut);
  EXPECT_TRUE(terminology.expand(*part)->is_unclosed);
  auto const gone = composed(R"({"include":[{"system":"http://gone"}]})");
  EXPECT_EQ(terminology.find(*gone, {"http://gone", "a"})->membership, Membership::kUnknown);
  EXPECT_EQ(terminology.expand(*gone).error().kind(), ErrorKind::kNotFound);
  auto const units = composed(R"({"include":[{"system":"http://unitsofmeasure.org"}]})");
  EXPECT_EQ(terminology.find(*units, {"http://unitsofmeasure.org", "mg/dL"})->membership, Membership::kIn);
}

TEST(Find, LeavesInactiveCodesOutWhereTheValueSetSaysSo) {
  auto const library = animals();
  Terminology terminology(library.source());
  auto const active = composed(R"({"inactive":false,"include":[{"system":"http://animals"}]})");
  EXPECT_EQ(terminology.find(*active, {"http://animals", "bird"})->membership, Membership::kOut);
  EXPECT_EQ(terminology.find(*active, {"http://animals", "bat"})->membership, Membership::kIn);
  auto const all = composed(R"({"include":[{"system":"http://animals"}]})");
  EXPECT_EQ(terminology.find(*all, {"http://animals", "bird"})->membership, Membership::kIn);
}

TEST(Find, KnowsTheBaseValueSetsWithoutTheirResources) {
  Library const none;
  Terminology terminology(none.source());
  auto const set = terminology.value_set("http://hl7.org/fhir/ValueSet/administrative-gender|4.0.1").value();
  ASSERT_NE(set, nullptr);
  EXPECT_EQ(text_of(terminology.expand(*set)), "female male other unknown");
  EXPECT_EQ(terminology.value_set("http://hl7.org/fhir/ValueSet/nothing").value(), nullptr);
}

TEST(ValueSet, RefusesPartsThatSayNothing) {
  for (auto const* compose :
       {R"({"include":[{}]})", R"({"include":[{"concept":[{"code":"a"}]}]})",
        R"({"include":[{"system":"http://a","concept":[{}]}]})",
        R"({"include":[{"system":"http://a","filter":[{"property":"x","op":"like","value":"y"}]}]})"}) {
    std::string text = R"({"resourceType":"ValueSet","compose":)";
    auto const made = ValueSet::parse(codec::parse_json(text.append(compose).append("}")).value());
    ASSERT_FALSE(made.has_value()) << compose;
    EXPECT_EQ(made.error().kind(), ErrorKind::kInvalid);
  }
}

// --- HL7's own expansions ---

Json bundle_of(std::string const& archive, std::string const& name) {
  auto const files = testing::read_tar(
      testing::unpack_zstd(testing::read_whole(TACENDA_SOURCE_DIR "/tests/vectors/" + archive + ".tar.zst")));
  return codec::parse_json(files.at(name)).value();
}

using Codes = std::set<std::pair<std::string_view, std::string_view>>;

void add_codes(Json const& owner, Codes& codes) {
  Json const* list = owner.find("contains");
  if (list == nullptr) return;
  for (auto const& each : list->items()) {
    if (!each.text_of("code").empty()) codes.emplace(each.text_of("system"), each.text_of("code"));
    add_codes(each, codes);
  }
}

/// HL7's expander left deprecated codes out, which R4 does not ask for.
bool is_deprecated(Member const& member) {
  Json const* list =
      member.concept_of_code == nullptr ? nullptr : member.concept_of_code->json->find("property");
  return list != nullptr && std::ranges::any_of(list->items(), [](Json const& each) {
           return each.text_of("code") == "deprecationDate" || each.text_of("valueCode") == "deprecated" ||
                  each.text_of("valueCode") == "retired";
         });
}

TEST(Expand, HasTheCodesOfTheOfficialExpansions) {
  Library library;
  for (auto const* name : {"Bundle-valuesets.json", "Bundle-v2-valuesets.json", "Bundle-v3-valuesets.json"}) {
    auto bundle = bundle_of("fhir-r4-valuesets", name);
    for (auto& entry : bundle.find("entry")->items()) library.add(std::move(*entry.find("resource")));
  }
  auto const official = bundle_of("fhir-r4-expansions", "Bundle-valueset-expansions.json");
  std::size_t equal = 0;
  std::size_t not_here = 0;
  for (auto const& entry : official.find("entry")->items()) {
    Json const& resource = *entry.find("resource");
    std::string const url(resource.text_of("url"));
    auto const set = library.set(url);
    if (set == nullptr) {
      ++not_here;
      continue;
    }
    Codes codes;
    add_codes(*resource.find("expansion"), codes);
    Terminology terminology(library.source());
    auto const expansion = terminology.expand(*set);
    if (!expansion.has_value()) {
      EXPECT_EQ(expansion.error().kind(), ErrorKind::kNotFound) << url << expansion.error().message();
      ++not_here;  // of code systems like SNOMED CT, which HL7's server has and its definitions do not
      continue;
    }
    Codes own;
    std::string more;
    for (auto const& member : expansion->members) {
      own.emplace(member.system, member.code);
      auto const found = terminology.find(*set, {member.system, member.code});
      EXPECT_EQ(found->membership, Membership::kIn) << url << member.code;
      bool const left_out = member.is_abstract || is_deprecated(member);
      if (!left_out && !codes.contains({member.system, member.code})) more.append(member.code).append(" ");
    }
    // HL7's ends after 1,000 codes, or does not follow the property `child` of v3-ActCode.
    constexpr std::array<std::string_view, 3> kMore = {
        "http://hl7.org/fhir/ValueSet/c80-doc-typecodes",
        "http://hl7.org/fhir/ValueSet/detectedissue-category",
        "http://terminology.hl7.org/ValueSet/v3-ActPharmacySupplyType"};
    if (std::ranges::find(kMore, url) != kMore.end()) more.clear();
    EXPECT_EQ(more, "") << url;
    EXPECT_TRUE(std::ranges::includes(own, codes)) << url;
    ++equal;
  }
  EXPECT_EQ(equal + not_here, 553U);
  EXPECT_EQ(equal, 496U);
}

}  // namespace
}  // namespace tacenda::fhir
