#include "fhir/reference.hpp"

#include <map>

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using Kind = ReferenceKind;

Resource parse(std::string_view text) {
  return parse_resource(text).value();
}

TEST(Reference, OfThisServerHasTypeIdAndVersion) {
  auto const plain = parse_reference("Patient/a-1.B");
  EXPECT_EQ(plain.kind, Kind::kLocal);
  EXPECT_EQ(plain.type, "Patient");
  EXPECT_EQ(plain.id, "a-1.B");
  EXPECT_EQ(plain.version, "");
  auto const versioned = parse_reference("Patient/1/_history/3");
  EXPECT_EQ(versioned.kind, Kind::kLocal);
  EXPECT_EQ(versioned.id, "1");
  EXPECT_EQ(versioned.version, "3");
}

TEST(Reference, IsOfOneKind) {
  EXPECT_EQ(parse_reference("http://example.org/fhir/Patient/1").kind, Kind::kAbsolute);
  EXPECT_EQ(parse_reference("urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a").kind, Kind::kUuid);
  EXPECT_EQ(parse_reference("urn:uuid:61EBE359-BFDC-4613-8BF2-C5E300945F0A").kind, Kind::kUuid);
  EXPECT_EQ(parse_reference("urn:oid:1.2.3").kind, Kind::kOid);
  EXPECT_EQ(parse_reference("#").kind, Kind::kContained);
  auto const contained = parse_reference("#med-1");
  EXPECT_EQ(contained.kind, Kind::kContained);
  EXPECT_EQ(contained.id, "med-1");
  auto const conditional = parse_reference("Practitioner?identifier=http://hl7.org/fhir/sid/us-npi|99");
  EXPECT_EQ(conditional.kind, Kind::kConditional);
  EXPECT_EQ(conditional.type, "Practitioner");
  EXPECT_EQ(conditional.criteria, "identifier=http://hl7.org/fhir/sid/us-npi|99");
}

TEST(Reference, OfNoKnownFormIsNone) {
  for (auto const* text : {"",
                           "Patient",
                           "Patient/",
                           "/Patient/1",
                           "Patient/1/",
                           "Paitent/1",
                           "Patient/a b",
                           "Patient/a_b",
                           " Patient/1",
                           "Patient/1/_history/",
                           "Patient/1/_history",
                           "Patient/1/2",
                           "#a b",
                           "urn:uuid:1",
                           "urn:oid:x",
                           "?identifier=1",
                           "Nobody?identifier=1",
                           "Patient?",
                           "http://exa mple.org/Patient/1",
                           "1"}) {
    EXPECT_EQ(parse_reference(text).kind, Kind::kOther) << text;
    EXPECT_FALSE(parse_local_reference(text).has_value()) << text;
  }
  EXPECT_EQ(parse_reference("Patient/" + std::string(65, 'a')).kind, Kind::kOther);
}

TEST(Reference, BelowABaseUrlIsLocal) {
  std::vector<std::string> const bases = {"https://a.example/fhir", "https://b.example/"};
  auto const local = parse_reference("https://a.example/fhir/Patient/1/_history/2", bases);
  EXPECT_EQ(local.kind, Kind::kLocal);
  EXPECT_EQ(local.id, "1");
  EXPECT_EQ(local.version, "2");
  EXPECT_EQ(parse_reference("https://b.example/Patient/1", bases).kind, Kind::kLocal);
  for (auto const* text : {"https://a.example/fhir2/Patient/1", "https://a.example/Patient/1",
                           "https://a.example:8443/fhir/Patient/1", "https://a.example.org/fhir/Patient/1",
                           "https://a.exampl/fhir/Patient/1", "ftp://a.example/fhir/Patient/1"}) {
    EXPECT_EQ(parse_reference(text, bases).kind, Kind::kAbsolute) << text;
  }
}

TEST(Reference, ToThisServerIsLocalHoweverItsSchemeAndHostAreWritten) {
  std::vector<std::string> const bases = {"https://A.example/fhir", "https://b.example:8443/fhir"};
  for (auto const* text : {"HTTPS://a.EXAMPLE/fhir/Patient/1", "http://a.example/fhir/Patient/1",
                           "https://a.example:443/fhir/Patient/1", "http://a.example:80/fhir/Patient/1",
                           "https://B.example:8443/fhir/Patient/1"}) {
    auto const local = parse_reference(text, bases);
    EXPECT_EQ(local.kind, Kind::kLocal) << text;
    EXPECT_EQ(local.id, "1") << text;
  }
}

TEST(Reference, BehindAQueryOrAFragmentOfABaseUrlIsNoResource) {
  std::string const base = "https://a.example/fhir";
  for (auto const* text : {"https://a.example/fhir?Patient/1", "https://a.example/fhir#Patient/1"}) {
    EXPECT_EQ(parse_reference(text, {&base, 1}).kind, ReferenceKind::kOther) << text;
  }
}

TEST(Reference, BelowABaseUrlThatNamesNoResourceIsNone) {
  std::vector<std::string> const bases = {"https://a.example/fhir"};
  for (auto const* text :
       {"https://a.example/fhir", "https://a.example/fhir/", "https://a.example/fhir?x",
        "https://a.example/fhir/x/Patient/1", "https://a.example/fhir//Patient/1",
        "https://a.example/fhir/Patient/1#a", "https://a.example/fhir/Patient/1?x=1",
        "https://a.example/fhir/Patient?identifier=1", "https://A.example/fhir/Patient/%31"}) {
    EXPECT_EQ(parse_reference(text, bases).kind, Kind::kOther) << text;
  }
}

std::vector<std::string> references_of(Resource const& resource) {
  std::vector<std::string> found;
  for_each_reference(resource, [&](FoundReference const& each) {
    found.push_back(each.path + " " + std::string(each.text));
  });
  return found;
}

TEST(ForEachReference, FindsThemAtEveryDepth) {
  auto const resource = parse(R"({"resourceType":"Observation",
      "contained":[{"resourceType":"Specimen","id":"s","subject":{"reference":"Patient/1"}}],
      "extension":[{"url":"u","valueReference":{"reference":"Location/2"}}],
      "_status":{"extension":[{"url":"u","valueReference":{"reference":"Location/3"}}]},
      "performer":[{"reference":"Practitioner/4"},{"display":"x"},{"identifier":{"value":"v",
        "assigner":{"reference":"Organization/5"}}}],
      "note":[{"authorReference":{"reference":"Patient/6"},"text":"t"}],
      "component":[{"code":{"text":"reference"},"valueString":"Patient/7"}]})");
  EXPECT_EQ(references_of(resource),
            (std::vector<std::string>{"Observation.contained[0].subject.reference Patient/1",
                                      "Observation.extension[0].value.reference Location/2",
                                      "Observation.status.extension[0].value.reference Location/3",
                                      "Observation.performer[0].reference Practitioner/4",
                                      "Observation.performer[2].identifier.assigner.reference Organization/5",
                                      "Observation.note[0].author.reference Patient/6"}));
}

TEST(ForEachReference, SaysWhatAReferenceMayLeadTo) {
  auto const resource = parse(R"({"resourceType":"Immunization","patient":{"reference":"Patient/1"}})");
  std::size_t count = 0;
  for_each_reference(resource, [&](FoundReference const& each) {
    ++count;
    ASSERT_EQ(target_count(each.element), 1U);
    EXPECT_EQ(target_of(each.element, 0), "Patient");
  });
  EXPECT_EQ(count, 1U);
}

// Held to a second reading: every member named "reference" with a text is a Reference.reference in the
// examples.
std::size_t count_members(codec::Json const& json) {
  std::size_t count = 0;
  for (auto const& item : json.items()) count += count_members(item);
  for (auto const& member : json.members()) {
    count += member.name == "reference" && member.value.is_string() ? 1 : count_members(member.value);
  }
  return count;
}

TEST(ForEachReference, FindsAllOfTheOfficialExamples) {
  for (auto const& [name, text] : testing::examples()) {
    auto const resource = parse(text);
    if (resource.type() == "DetectedIssue") continue;  // its `reference` is a uri
    EXPECT_EQ(references_of(resource).size(), count_members(resource.json())) << name;
  }
}

using Map = std::map<std::string, std::string, std::less<>>;

std::string rewritten(std::string_view text, Map const& map) {
  auto resource = parse(text);
  auto const done =
      rewrite_links(resource, [&](std::string_view link, LinkKind) -> std::optional<std::string> {
        auto const found = map.find(link);
        return found == map.end() ? std::nullopt : std::optional(found->second);
      });
  EXPECT_TRUE(done.has_value());
  return codec::write_json(resource.json());
}

Map const kMap = {{"urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a", "Patient/1"},
                  {"http://a.example/fhir/Binary/b", "Binary/2"}};

// R4 http.html#trules: "resource references, elements of type uri, url, oid, uuid, and <a href="" & <img
// src="" in the narrative. Elements of type canonical are not replaced."
TEST(RewriteLinks, ReplacesReferencesAndUris) {
  EXPECT_EQ(rewritten(R"({"resourceType":"Observation","extension":[{"url":"x","valueUuid":
                "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"}],"subject":{"reference":
                "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a","display":"d"}})",
                      kMap),
            R"({"resourceType":"Observation","extension":[{"url":"x","valueUuid":"Patient/1"}],)"
            R"("subject":{"reference":"Patient/1","display":"d"}})");
  EXPECT_EQ(rewritten(R"({"resourceType":"DocumentReference","content":[{"attachment":{"url":
                "http://a.example/fhir/Binary/b"}}]})",
                      kMap),
            R"({"resourceType":"DocumentReference","content":[{"attachment":{"url":"Binary/2"}}]})");
}

TEST(RewriteLinks, LeavesEverythingElse) {
  std::string const texts[] = {
      // a string, a canonical, a part of a uri, the name of an extension
      R"({"resourceType":"Basic","extension":[{"url":"u","valueString":"http://a.example/fhir/Binary/b"}]})",
      R"({"resourceType":"Basic","extension":[{"url":"u","valueCanonical":"http://a.example/fhir/Binary/b"}]})",
      R"({"resourceType":"Basic","extension":[{"url":"u","valueUri":"http://a.example/fhir/Binary/b/x"}]})",
      R"({"resourceType":"Basic","extension":[{"url":"http://a.example/fhir/Binary/b","valueCode":"c"}]})",
      R"({"resourceType":"Basic","meta":{"profile":["http://a.example/fhir/Binary/b"]}})",
      R"({"resourceType":"Basic","subject":{"reference":"#urn","display":"http://a.example/fhir/Binary/b"}})"};
  for (auto const& text : texts) EXPECT_EQ(rewritten(text, kMap), text);
}

std::string narrative(std::string const& inside) {
  return codec::write_json(
      codec::Json::string("<div xmlns=\"http://www.w3.org/1999/xhtml\">" + inside + "</div>"));
}

std::string with_narrative(std::string const& inside) {
  return R"({"resourceType":"Basic","text":{"status":"generated","div":)" + narrative(inside) + "}}";
}

TEST(RewriteLinks, ReplacesHrefAndSrcInNarratives) {
  EXPECT_EQ(rewritten(with_narrative(R"(<p><a class="x" href="http://a.example/fhir/Binary/b">b</a> )"
                                     R"(<img alt='' src = 'http://a.example/fhir/Binary/b'/></p>)"),
                      kMap),
            with_narrative(R"(<p><a class="x" href="Binary/2">b</a> <img alt='' src = 'Binary/2'/></p>)"));
}

TEST(RewriteLinks, LeavesTheRestOfNarratives) {
  for (auto const* inside :
       {"http://a.example/fhir/Binary/b", R"(<a name="http://a.example/fhir/Binary/b">b</a>)",
        R"(<p href="http://a.example/fhir/Binary/b">b</p>)",
        R"(<a href="http://a.example/fhir/Binary/b?x">b</a>)",
        R"(<!-- <a href="http://a.example/fhir/Binary/b">b</a> -->)",
        R"(<a title="href='http://a.example/fhir/Binary/b'">b</a>)",
        "<a href=", R"(<a href="http://a.example)"}) {
    EXPECT_EQ(rewritten(with_narrative(inside), kMap), with_narrative(inside)) << inside;
  }
}

TEST(RewriteLinks, ResolvesAndWritesEntitiesInNarratives) {
  Map const map = {{"http://x/?a=1&b=2", "http://y/?c=\"3\"&d"}};
  EXPECT_EQ(rewritten(with_narrative(R"(<a href="http://x/?a=1&amp;b=2">b</a>)"), map),
            with_narrative(R"(<a href="http://y/?c=&quot;3&quot;&amp;d">b</a>)"));
}

TEST(RewriteLinks, RefusesALinkThatIsNone) {
  auto resource = parse(R"({"resourceType":"Basic","subject":{"reference":"Patient/1"}})");
  for (auto const* text : {"", "a b", "a\n"}) {
    auto const done =
        rewrite_links(resource, [&](std::string_view, LinkKind) { return std::optional<std::string>(text); });
    EXPECT_EQ(done.error().kind(), ErrorKind::kInvalid);
  }
  EXPECT_EQ(resource.json().find("subject")->text_of("reference"), "Patient/1");
}

TEST(RewriteLinks, OffersEveryReferenceOfASampleOnce) {
  for (auto const& text : testing::samples()) {
    auto bundle = parse(text);
    auto const expected = references_of(bundle).size();
    std::size_t offered = 0;
    auto const done =
        rewrite_links(bundle, [&](std::string_view, LinkKind kind) -> std::optional<std::string> {
          offered += kind == LinkKind::kReference ? 1U : 0U;
          return std::nullopt;
        });
    ASSERT_TRUE(done.has_value());
    EXPECT_EQ(offered, expected);
    EXPECT_GT(offered, 100U);
  }
}

}  // namespace
}  // namespace tacenda::fhir
