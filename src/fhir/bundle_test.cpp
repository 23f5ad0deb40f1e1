#include "fhir/bundle.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using List = std::vector<std::string>;

List issues_of(Issues const& issues) {
  List found;
  for (auto const& issue : issues) found.push_back(std::string(code_of(issue.kind)) + " " + issue.path);
  return found;
}

List issues_of(std::string_view text) {
  auto const checked = check_bundle(text);
  return checked.has_value() ? List{} : issues_of(checked.error());
}

std::string bundle(std::string const& type, std::string const& entries) {
  return R"({"resourceType":"Bundle","type":")" + type + R"(","entry":[)" + entries + "]}";
}

std::string const kCreate =
    R"({"resource":{"resourceType":"Patient"},"request":{"method":"POST","url":"Patient"}})";
std::string const kBroken = R"({"fullUrl":"urn:uuid:2","resource":{"resourceType":"Patient","name":[{"x":1}]},
    "request":{"method":"POST","url":"Patient"}})";

TEST(Bundle, OfASampleHasAllItsEntries) {
  for (auto const& text : testing::samples()) {
    auto const parsed = parse_bundle(text).value();
    auto const json = codec::parse_json(text).value();
    auto const& entries = json.find("entry")->items();
    EXPECT_EQ(parsed.type, BundleType::kTransaction);
    ASSERT_EQ(parsed.entries.size(), entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(parsed.entries[i].full_url, entries[i].text_of("fullUrl"));
      EXPECT_EQ(parsed.entries[i].method, "POST");
      EXPECT_EQ(parsed.entries[i].url, parsed.entries[i].resource->type());
      EXPECT_EQ(parsed.entries[i].resource->json(), *entries[i].find("resource"));
    }
  }
}

TEST(Bundle, HasEveryPartOfARequest) {
  auto const parsed = parse_bundle(bundle("batch", R"({"request":{"method":"GET","url":"Patient/1",
      "ifNoneMatch":"W/\"1\"","ifModifiedSince":"2020-01-01T00:00:00Z"}},
      {"fullUrl":"urn:uuid:1","resource":{"resourceType":"Patient","id":"1"},"request":{"method":"PUT",
      "url":"Patient/1","ifMatch":"W/\"2\"","ifNoneExist":"_id=1"}})"))
                          .value();
  EXPECT_EQ(parsed.type, BundleType::kBatch);
  ASSERT_EQ(parsed.entries.size(), 2U);
  EXPECT_EQ(parsed.entries[0].method, "GET");
  EXPECT_EQ(parsed.entries[0].url, "Patient/1");
  EXPECT_EQ(parsed.entries[0].if_none_match, "W/\"1\"");
  EXPECT_EQ(parsed.entries[0].if_modified_since, "2020-01-01T00:00:00Z");
  EXPECT_FALSE(parsed.entries[0].resource.has_value());
  EXPECT_EQ(parsed.entries[1].full_url, "urn:uuid:1");
  EXPECT_EQ(parsed.entries[1].if_match, "W/\"2\"");
  EXPECT_EQ(parsed.entries[1].if_none_exist, "_id=1");
  EXPECT_EQ(parsed.entries[1].resource->id(), "1");
}

TEST(Bundle, MayHaveNoEntries) {
  EXPECT_EQ(parse_bundle(R"({"resourceType":"Bundle","type":"transaction"})").value().entries.size(), 0U);
}

TEST(Bundle, IsABatchOrATransaction) {
  EXPECT_EQ(issues_of(R"({"resourceType":"Bundle","type":"collection"})"), List{"value Bundle.type"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Bundle"})"), List{"value Bundle.type"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Patient"})"), List{"structure "});
  EXPECT_EQ(issues_of("[]"), List{"structure "});
  EXPECT_EQ(issues_of("{"), List{"structure "});
}

TEST(Bundle, ThatIsATransactionFailsAsAWholeAndNamesTheEntry) {
  EXPECT_EQ(issues_of(bundle("transaction", kCreate + "," + kBroken)),
            List{"structure Bundle.entry[1].resource.name[0]"});
  EXPECT_EQ(issues_of(bundle("transaction", kCreate + R"(,"x")")), List{"structure Bundle.entry[1]"});
  EXPECT_EQ(issues_of(bundle("transaction", R"({"resource":{"resourceType":"Patient"}})")),
            List{"required Bundle.entry[0].request"});
  EXPECT_EQ(issues_of(bundle("transaction", R"({"request":{"method":"GET"}})")),
            List{"required Bundle.entry[0].request"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Bundle","type":"transaction","entry":{}})"),
            List{"structure Bundle.entry"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Bundle","type":"transaction","entry":[]})"),
            List{"structure Bundle.entry"});
  EXPECT_EQ(issues_of(R"({"resourceType":"Bundle","type":"transaction","x":[]})"), List{"structure Bundle"});
  EXPECT_EQ(parse_bundle(bundle("transaction", kBroken)).error().kind(), ErrorKind::kInvalid);
}

TEST(Bundle, ThatIsABatchFailsEntryByEntry) {
  auto const parsed = parse_bundle(bundle("batch", kCreate + "," + kBroken + "," + kCreate)).value();
  ASSERT_EQ(parsed.entries.size(), 3U);
  EXPECT_TRUE(parsed.entries[0].issues.empty());
  EXPECT_EQ(issues_of(parsed.entries[1].issues), List{"structure Bundle.entry[1].resource.name[0]"});
  EXPECT_FALSE(parsed.entries[1].resource.has_value());
  EXPECT_EQ(parsed.entries[1].full_url, "urn:uuid:2");
  EXPECT_EQ(parsed.entries[1].method, "POST");
  EXPECT_TRUE(parsed.entries[2].resource.has_value());
}

TEST(Bundle, ThatIsABatchReportsAFewIssuesOfEachEntry) {
  std::string names = R"({"x":1})";
  for (int i = 0; i < 20; ++i) names += R"(,{"x":1})";
  auto const parsed =
      parse_bundle(bundle("batch", R"({"resource":{"resourceType":"Patient","name":[)" + names +
                                       R"(]},"request":{"method":"POST","url":"Patient"}})"))
          .value();
  EXPECT_EQ(parsed.entries.at(0).issues.size(), kEntryIssues);
}

TEST(Bundle, HasEveryFullUrlOnce) {
  std::string const entry = R"({"fullUrl":"urn:uuid:1","request":{"method":"GET","url":"Patient/1"}})";
  EXPECT_EQ(issues_of(bundle("transaction", kCreate + "," + entry + "," + entry)),
            List{"value Bundle.entry[2].fullUrl"});
  EXPECT_EQ(issues_of(bundle("transaction", kCreate + "," + kCreate)), List{});  // none is none
}

TEST(Bundle, HasNoMoreEntriesThanTheLimit) {
  std::string entries = kCreate;
  for (std::size_t i = 0; i < limits::kBundleEntries; ++i) entries += R"(,{"id":"x"})";
  EXPECT_EQ(parse_bundle(bundle("transaction", entries)).error().kind(), ErrorKind::kTooLarge);
}

// bundle.html#references
TEST(ResolveInEntry, MakesARelativeReferenceAbsolute) {
  EXPECT_EQ(resolve_in_entry("https://h/fhir/Observation/2", "Patient/1"), "https://h/fhir/Patient/1");
  EXPECT_EQ(resolve_in_entry("https://h/fhir/Observation/2", "Patient/1/_history/3"),
            "https://h/fhir/Patient/1/_history/3");
  EXPECT_EQ(resolve_in_entry("http://Observation/2", "Patient/1"), "http://Patient/1");
  for (auto const* url : {"", "urn:uuid:1", "https://h", "https://", "https://h/fhir/x/2", "Observation/2"}) {
    EXPECT_EQ(resolve_in_entry(url, "Patient/1"), std::nullopt) << url;
  }
  for (auto const* reference : {"", "#p", "urn:uuid:1", "https://h/fhir/Patient/1", "Patient?identifier=1"}) {
    EXPECT_EQ(resolve_in_entry("https://h/fhir/Observation/2", reference), std::nullopt) << reference;
  }
}

}  // namespace
}  // namespace tacenda::fhir
