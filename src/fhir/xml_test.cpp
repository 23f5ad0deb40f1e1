#include "fhir/xml.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using List = std::vector<std::string>;

constexpr std::string_view kSpace = " xmlns=\"http://hl7.org/fhir\"";

/// `<Patient xmlns="http://hl7.org/fhir">` `inner` `</Patient>`
std::string patient(std::string_view inner) {
  return "<Patient" + std::string(kSpace) + ">" + std::string(inner) + "</Patient>";
}

/// The JSON text of an XML text, or what is wrong with it.
std::string json_of(std::string_view xml) {
  auto const json = read_xml(xml);
  if (json.has_value()) return codec::write_json(*json);
  std::string all;
  for (auto const& issue : json.error()) {
    all.append(all.empty() ? "" : "; ").append(issue.path).append(": ").append(issue.text());
  }
  return all;
}

std::string xml_of(Resource const& resource) {
  constexpr std::string_view kDeclaration = R"(<?xml version="1.0" encoding="UTF-8"?>)";
  auto const xml = write_xml(resource);
  EXPECT_TRUE(xml.starts_with(kDeclaration));
  return xml.substr(kDeclaration.size());
}

std::string xml_of(std::string_view json) {
  return xml_of(parse_resource(json).value());
}

/// The issues of a text as "code path", those of its values too.
List issues_of(std::string_view xml) {
  List found;
  auto const checked = check_resource(xml, Format::kXml);
  if (checked.has_value()) return found;
  for (auto const& issue : checked.error())
    found.push_back(std::string(code_of(issue.kind)) + " " + issue.path);
  return found;
}

/// A document without what XML cannot say: the order of properties, and nulls that no extension needs.
Json canonical(Json json) {
  if (json.is_array()) {
    for (auto& item : json.items()) item = canonical(std::move(item));
  } else if (json.is_object()) {
    std::erase_if(json.members(), [](Json::Member const& member) {
      return member.value.is_array() && std::ranges::all_of(member.value.items(), &Json::is_null);
    });
    for (auto& member : json.members()) member.value = canonical(std::move(member.value));
    std::ranges::sort(json.members(), {}, &Json::Member::name);
  }
  return json;
}

Json json_value(std::string_view text) {
  return codec::parse_json(text).value();
}

/// Each resource through XML and back, and through XML again.
void expect_kept(std::map<std::string, std::string> const& examples) {
  for (auto const& [name, text] : examples) {
    auto const xml = xml_of(text);
    auto const back = read_xml(xml);
    ASSERT_TRUE(back.has_value()) << name << ": " << json_of(xml);
    EXPECT_EQ(canonical(*back), canonical(json_value(text))) << name;
    EXPECT_EQ(xml_of(codec::write_json(*back)), xml) << name;
  }
}

TEST(Xml, KeepsEveryOfficialExample) {
  ASSERT_EQ(testing::examples().size(), 727U);
  expect_kept(testing::examples());
}

TEST(Xml, KeepsEveryExampleOfUsCore) {
  ASSERT_EQ(testing::us_core_examples().size(), 231U);
  expect_kept(testing::us_core_examples());
}

TEST(Xml, KeepsEverySampleBundle) {
  for (auto const& text : testing::samples()) {
    auto const back = read_xml(xml_of(text), limits::kBundleBodyBytes);
    ASSERT_TRUE(back.has_value());
    EXPECT_EQ(canonical(*back), canonical(json_value(text)));
  }
}

TEST(Xml, WritesWhatTheSpecificationSays) {
  EXPECT_EQ(xml_of(R"({"resourceType":"Patient"})"), "<Patient xmlns=\"http://hl7.org/fhir\"/>");
  // xml.html: "value" attributes, ids and URLs of extensions as attributes, the order of the definition
  EXPECT_EQ(
      xml_of(R"({"resourceType":"Patient","birthDate":"1970","active":true,"name":[{"family":"F","id":"n",
              "given":["G","H"]}],"extension":[{"url":"u","valueDecimal":1.50}],"id":"p"})"),
      patient("<id value=\"p\"/><extension url=\"u\"><valueDecimal value=\"1.50\"/></extension>"
              "<active value=\"true\"/><name id=\"n\"><family value=\"F\"/><given value=\"G\"/>"
              "<given value=\"H\"/></name><birthDate value=\"1970\"/>"));
}

// json.html#primitive, the example of the specification: both forms are written there.
TEST(Xml, KeepsExtensionsOfPrimitivesInTheirPlaces) {
  std::string const json =
      R"({"resourceType":"CodeSystem","concept":[{"code":"a"}],"_status":{"id":"s"},)"
      R"("extension":[{"url":"u","_valueCode":{"extension":[{"url":"v","valueCode":"c"}]}}]})";
  EXPECT_EQ(xml_of(json),
            "<CodeSystem" + std::string(kSpace) +
                "><extension url=\"u\"><valueCode><extension url=\"v\"><valueCode value=\"c\"/>"
                "</extension></valueCode></extension><status id=\"s\"/><concept><code value=\"a\"/>"
                "</concept></CodeSystem>");
  std::string const given =
      R"({"resourceType":"Patient","name":[{"given":["a",null,"c"],"_given":[null,{"id":"x"},{"id":"y"}]}]})";
  EXPECT_EQ(xml_of(given),
            patient("<name><given value=\"a\"/><given id=\"x\"/><given value=\"c\" id=\"y\"/></name>"));
  EXPECT_EQ(json_of(xml_of(given)), given);
  std::string const alone = R"({"resourceType":"Patient","name":[{"_given":[{"id":"x"},{"id":"y"}]}]})";
  EXPECT_EQ(json_of(xml_of(alone)), alone);
}

TEST(Xml, KeepsTheTextOfEveryNumber) {
  for (auto const* number : {"405.70", "0.0", "-0", "1e400", "1.0E-10", "100000000000000000000000.000"}) {
    std::string const json =
        std::string(R"({"resourceType":"Observation","valueQuantity":{"value":)") + number + "}}";
    EXPECT_EQ(json_of(xml_of(json)), json);
  }
}

TEST(Xml, KeepsEveryCharacterOfATextThatXmlHas) {
  std::string const json =
      R"({"resourceType":"Patient","name":[{"text":"<a b=\"c\">&amp;'\n\r\n\t  x  ]]> é 😀  "}]})";
  EXPECT_EQ(json_of(xml_of(json)), json);
  EXPECT_EQ(json_of(xml_of("{\"resourceType\":\"Patient\",\"language\":\"a\xEF\xBF\xBF\"}")),
            "{\"resourceType\":\"Patient\",\"language\":\"a\xEF\xBF\xBD\"}");
}

TEST(Xml, WrapsResourcesInResources) {
  std::string const json =
      R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)"
      R"({"resourceType":"Patient","contained":[{"resourceType":"Organization","id":"a"},)"
      R"({"resourceType":"Organization","id":"b"}]}},{"resource":{"resourceType":"Parameters",)"
      R"("parameter":[{"name":"n","resource":{"resourceType":"Basic"}}]}}]})";
  EXPECT_EQ(
      xml_of(json),
      "<Bundle xmlns=\"http://hl7.org/fhir\"><type "
      "value=\"collection\"/><entry><resource><Patient><contained>"
      "<Organization><id value=\"a\"/></Organization></contained><contained><Organization><id value=\"b\"/>"
      "</Organization></contained></Patient></resource></entry><entry><resource><Parameters><parameter>"
      "<name "
      "value=\"n\"/><resource><Basic/></resource></parameter></Parameters></resource></entry></Bundle>");
  EXPECT_EQ(json_of(xml_of(json)), json);
}

TEST(Xml, KeepsANarrativeByteForByte) {
  std::string const div =
      "<div xmlns=\"http://www.w3.org/1999/xhtml\" class='x\"y'  >\r\n <!-- c --><b\t>a&amp;&#160;b</b >"
      "<br /><br></br><![CDATA[<x>]]> \xC3\xA9</div\n>";
  auto const read = read_xml(patient("<text><status value=\"empty\"/>\n " + div + "\n</text>")).value();
  EXPECT_EQ(read.find("text")->text_of("div"), div);
  EXPECT_EQ(xml_of(Resource::parse(Json(read)).value()),
            patient("<text><status value=\"empty\"/>" + div + "</text>"));
}

TEST(Xml, GivesANarrativeTheNamespaceThatItHadFromOutside) {
  EXPECT_EQ(
      json_of("<f:Patient xmlns:f=\"http://hl7.org/fhir\" xmlns=\"http://www.w3.org/1999/xhtml\"><f:text>"
              "<div>x</div></f:text></f:Patient>"),
      R"({"resourceType":"Patient","text":{"div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"}})");
  EXPECT_EQ(
      json_of("<Patient xmlns=\"http://hl7.org/fhir\" xmlns:h=\"http://www.w3.org/1999/xhtml\"><text>"
              "<h:div>x</h:div></text></Patient>"),
      "Patient.text: a narrative is too deep, or its div does not declare XHTML as its default namespace");
}

// A narrative of JSON that nobody has read as XML must not end its element and go on as a record.
TEST(Xml, WritesANarrativeThatIsNoXhtmlAsText) {
  for (std::string_view const div : {
           "<div xmlns='http://www.w3.org/1999/xhtml'>x</div></text><active value='false'/><text>",
           "<div xmlns='http://www.w3.org/1999/xhtml'>a<br>b</div>",
           "<div xmlns='http://www.w3.org/1999/xhtml'>&nbsp;</div>",
           "<div>no namespace</div>",
           "<p xmlns='http://www.w3.org/1999/xhtml'>no div</p>",
           "<div xmlns='http://www.w3.org/1999/xhtml'><active xmlns='http://hl7.org/fhir' value='x'/></div>",
           "<?xml version='1.0'?><div xmlns='http://www.w3.org/1999/xhtml'>x</div>",
           "<!DOCTYPE div><div xmlns='http://www.w3.org/1999/xhtml'>x</div>",
           "plain text",
       }) {
    auto json = json_value(R"({"resourceType":"Patient","text":{"status":"empty"}})");
    json.find("text")->set("div", Json::string(div));
    auto const xml = xml_of(Resource::parse(std::move(json)).value());
    EXPECT_TRUE(xml.contains("<div xmlns=\"http://www.w3.org/1999/xhtml\">")) << xml;
    auto const back = read_xml(xml);
    ASSERT_TRUE(back.has_value()) << xml;
    EXPECT_EQ(back->find("active"), nullptr) << xml;
    EXPECT_EQ(std::ranges::count(back->find("text")->text_of("div"), '<'), 2) << xml;
  }
}

TEST(Xml, IgnoresCommentsAndWhereItsSchemaLies) {
  EXPECT_EQ(
      json_of(
          "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<!-- a --><Patient xmlns=\"http://hl7.org/fhir\" "
          "xmlns:xsi=\"http://www.w3.org/2001/XMLSchema-instance\" xsi:schemaLocation=\"http://hl7.org/fhir "
          "../patient.xsd\">\n <!-- b -->\n <active value=\"true\"><!-- c --></active></Patient><!-- d -->"),
      R"({"resourceType":"Patient","active":true})");
}

TEST(Xml, IsInTheNamespaceOfFhir) {
  EXPECT_EQ(json_of("<Patient/>"), ": a resource is not in the namespace of FHIR");
  EXPECT_EQ(json_of("<Patient xmlns=\"http://hl7.org/fhir/\"/>"),
            ": a resource is not in the namespace of FHIR");
  EXPECT_EQ(json_of(patient("<active xmlns=\"urn:x\" value=\"true\"/>")),
            "Patient: an element is not in the namespace of its definition");
  EXPECT_EQ(json_of(patient("<text><div>x</div></text>")),
            "Patient.text: an element is not in the namespace of its definition");
  EXPECT_EQ(json_of(patient("<active xmlns:x=\"urn:x\" x:value=\"true\"/>")),
            "Patient.active: an attribute is not one of this type; "
            "Patient.active: an element has neither a value nor extensions");
  EXPECT_EQ(json_of(patient("<contained><Basic xmlns=\"\"/></contained>")),
            "Patient.contained[0]: a resource is not in the namespace of FHIR; "
            "Patient.contained[0]: an element holds no resource");
  EXPECT_EQ(json_of("<p:Patient xmlns:p=\"http://hl7.org/fhir\"><p:active value=\"true\"/></p:Patient>"),
            R"({"resourceType":"Patient","active":true})");
}

TEST(Xml, ReportsAnUnknownElementByItsParentOnly) {
  EXPECT_EQ(json_of(patient("<secret-name><x value=\"1\"/></secret-name>")),
            "Patient: an element is not one of this type");
  EXPECT_EQ(json_of(patient("<name><use value=\"usual\"/></name><name><url value=\"x\"/></name>")),
            "Patient.name[1]: an element is not one of this type");
  EXPECT_EQ(json_of(patient("<extension url=\"u\"><url value=\"x\"/></extension>")),
            "Patient.extension[0]: an element is not one of this type");
  EXPECT_EQ(json_of(patient("<deceased value=\"x\"/>")), "Patient: an element is not one of this type");
  EXPECT_EQ(json_of("<Paitent" + std::string(kSpace) + "/>"),
            ": an element names no resource type of FHIR R4");
  EXPECT_EQ(json_of("<DomainResource" + std::string(kSpace) + "/>"),
            ": an element names no resource type of FHIR R4");
}

TEST(Xml, ReportsAnUnknownAttribute) {
  constexpr std::string_view kText = "an attribute is not one of this type";
  EXPECT_EQ(json_of("<Patient xmlns=\"http://hl7.org/fhir\" id=\"x\"/>"), "Patient: " + std::string(kText));
  EXPECT_EQ(json_of(patient("<name value=\"x\"><text value=\"y\"/></name>")),
            "Patient.name[0]: " + std::string(kText));
  EXPECT_EQ(json_of(patient("<active value=\"true\" url=\"y\"/>")), "Patient.active: " + std::string(kText));
  EXPECT_EQ(json_of(patient("<contained id=\"x\"><Basic/></contained>")),
            "Patient.contained[0]: " + std::string(kText));
  EXPECT_EQ(json_of(patient("<active value=\"true\" xml:lang=\"de\"/>")),
            "Patient.active: " + std::string(kText));
}

TEST(Xml, ReportsWhatIsRepeatedOrOutOfOrder) {
  EXPECT_EQ(json_of(patient("<active value=\"true\"/><active value=\"false\"/>")),
            "Patient: an element that stands once is repeated");
  EXPECT_EQ(json_of(patient("<active value=\"true\"/><id value=\"x\"/>")),
            "Patient: an element is out of the order of its definition");
  EXPECT_EQ(json_of(patient(
                "<name><text value=\"x\"/></name><active value=\"true\"/><name><text value=\"y\"/></name>")),
            "Patient: an element is out of the order of its definition");
  EXPECT_EQ(json_of(patient("<deceasedBoolean value=\"true\"/><deceasedDateTime value=\"2020\"/>")),
            "Patient: an element has two types at once");
  EXPECT_EQ(json_of(patient("<active value=\"true\" value=\"false\"/>")),
            "Patient: an XML element has the same attribute twice");
  EXPECT_EQ(json_of(patient("<contained><Basic/><Basic/></contained>")),
            "Patient.contained[0]: an element holds more than one resource");
}

TEST(Xml, ReportsWhatIsEmpty) {
  EXPECT_EQ(json_of(patient("<active/>")), "Patient.active: an element has neither a value nor extensions");
  EXPECT_EQ(json_of(patient("<name><given value=\"x\"/><given/></name>")),
            "Patient.name[0].given[1]: an element has neither a value nor extensions");
  EXPECT_EQ(json_of(patient("<contained/>")), "Patient.contained[0]: an element holds no resource");
  EXPECT_EQ(issues_of(patient("<name/>")), List{"structure Patient.name[0]"});
  EXPECT_EQ(issues_of(patient("<language value=\"\"/>")), List{"value Patient.language"});
}

TEST(Xml, HasNoTextBetweenItsElements) {
  EXPECT_EQ(json_of(patient("<active>true</active>")),
            "Patient.active: text stands between the elements: a value is an attribute; "
            "Patient.active: an element has neither a value nor extensions");
  EXPECT_EQ(json_of(patient("a&amp;b<![CDATA[c]]>")),
            "Patient: text stands between the elements: a value is an attribute");
}

TEST(Xml, LeavesValuesToTheCheckThatJsonHas) {
  EXPECT_EQ(issues_of(patient("<active value=\"yes\"/>")), List{"structure Patient.active"});
  EXPECT_EQ(issues_of(patient("<active value=\" true\"/>")), List{"structure Patient.active"});
  EXPECT_EQ(issues_of(patient("<gender value=\" male\"/><birthDate value=\"1999-13-01\"/>")),
            (List{"value Patient.gender", "value Patient.birthDate"}));
  EXPECT_EQ(issues_of("<Observation" + std::string(kSpace) +
                      "><valueQuantity><value value=\"+1\"/></valueQuantity></Observation>"),
            List{"structure Observation.value.value"});
  EXPECT_EQ(issues_of(patient("<contained><Basic><contained><Basic/></contained></Basic></contained>")),
            List{"structure Patient.contained[0]"});
}

TEST(Xml, RefusesDocumentTypesEntitiesAndInstructions) {
  EXPECT_EQ(json_of("<!DOCTYPE Patient [<!ENTITY x SYSTEM \"file:///etc/passwd\">]>" +
                    patient("<name><text value=\"&x;\"/></name>")),
            ": the XML text has a document type");
  EXPECT_EQ(json_of(patient("<name><text value=\"&x;\"/></name>")),
            "Patient.name[0]: the XML text has an entity that is none of XML's own five");
  EXPECT_EQ(json_of(patient("<?x y?>")), "Patient: the XML text has a processing instruction");
  EXPECT_EQ(json_of(patient("<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><?x?></div></text>")),
            "Patient.text: the XML text has a processing instruction");
  EXPECT_EQ(
      json_of(patient("<text><div xmlns=\"http://www.w3.org/1999/xhtml\"><s xmlns=\"urn:x\"/></div></text>")),
      "Patient.text: a narrative has an element that is none of XHTML; "
      "Patient.text: a narrative is too deep, or its div does not declare XHTML as its default namespace");
  EXPECT_EQ(json_of(patient("<active value=\"true\">")), "Patient.active: the XML text is not well-formed");
}

TEST(Xml, SaysNothingThatTheDocumentSaid) {
  auto const checked =
      check_resource(patient("<Canary Canary=\"Canary\">Canary</Canary>Canary<active Canary=\"Canary\"/>"
                             "<gender value=\"Canary  x\"/>"),
                     Format::kXml);
  ASSERT_FALSE(checked.has_value());
  for (auto const& issue : checked.error()) {
    EXPECT_FALSE(issue.path.contains("Canary"));
    EXPECT_FALSE(issue.text().contains("Canary"));
  }
}

TEST(Xml, IsNoDeeperThanJsonMayBe) {
  // Each extension is an object in an array.
  auto const nested = [](std::size_t levels) {
    std::string text;
    for (std::size_t i = 0; i < levels; ++i) text += "<extension url=\"u\">";
    text += "<valueBoolean value=\"true\"/>";
    for (std::size_t i = 0; i < levels; ++i) text += "</extension>";
    return patient(text);
  };
  std::size_t const most = (limits::kJsonDepth - 1) / 2;
  auto const deepest = check_resource(nested(most), Format::kXml);
  ASSERT_TRUE(deepest.has_value());
  EXPECT_TRUE(parse_resource(codec::write_json(deepest->json())).has_value());
  EXPECT_TRUE(json_of(nested(most + 1)).ends_with(": the document is too deep"));
  EXPECT_TRUE(json_of(nested(100'000)).ends_with(": the document is too deep"));
}

TEST(Xml, ReadsBackTheDeepestJson) {
  // 33 bundles in bundles: object, array and object of each; 99 levels.
  std::string text = R"({"resourceType":"Bundle"})";
  for (int i = 0; i < 32; ++i) {
    text.insert(0, R"({"resourceType":"Bundle","entry":[{"resource":)").append("}]}");
  }
  EXPECT_EQ(json_of(xml_of(text)), text);
}

TEST(Xml, ReportsNoMoreThanItsLimit) {
  std::string text;
  for (int i = 0; i < 500; ++i) text += "<x/>";
  auto const read = read_xml(patient(text));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().size(), Issues::kMax);
}

TEST(Xml, IsNoLongerThanItsLimit) {
  EXPECT_EQ(read_xml(std::string(limits::kBodyBytes + 1, ' ')).error().first_error().kind(),
            ErrorKind::kTooLarge);
}

TEST(Xml, IsNoLongerInJsonThanItsLimit) {
  std::string const quotes(limits::kBodyBytes / 2 + 1, '"');
  auto const read = read_xml(patient("<implicitRules value='" + quotes + "'/>"));
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().first_error().kind(), ErrorKind::kTooLarge);
  EXPECT_EQ(read.error().begin()->path, "Patient.implicitRules");
  EXPECT_TRUE(read_xml(patient("<implicitRules value='" + quotes.substr(8) + "'/>")).has_value());
}

/// The XML inputs of FHIR's own test cases.
std::string test_case(std::string const& name) {
  return testing::read_whole(TACENDA_SOURCE_DIR "/tests/vectors/fhir-test-cases/" + name);
}

TEST(Xml, ReadsTheInputsOfFhirsTestCases) {
  for (auto const* name :
       {"codesystem-example.xml", "condition-example.xml", "list-example-long.xml",
        "medicationdispenseexample8.xml", "myconsent-profile.xml",
        "observation-example-20minute-apgar-score.xml", "parameters-example-types.xml",
        "patient-example-period.xml", "patient-example-xds.xml", "patient-example.xml",
        "patient-glossy-example.xml", "questionnaire-example.xml", "valueset-example-expansion.xml"}) {
    auto const checked = check_resource(test_case(name), Format::kXml);
    EXPECT_TRUE(checked.has_value()) << name << ": " << json_of(test_case(name));
    if (!checked.has_value()) continue;
    EXPECT_EQ(read_xml(xml_of(*checked)).value(), checked->json()) << name;
  }
}

// Two of them are none of R4: elements of R3, and an extension behind status.
TEST(Xml, RefusesTheInputsThatTheSchemaOfR4Refuses) {
  EXPECT_EQ(json_of(test_case("myconsent-ext.xml")),
            "StructureDefinition: an element is not one of this type; "
            "StructureDefinition.context[0]: an attribute is not one of this type");
  EXPECT_EQ(json_of(test_case("observation-example.xml")),
            "Observation: an element is out of the order of its definition");
}

// Their narratives were generated anew, in other words.
TEST(Xml, ReadsWhatTheOfficialJsonSays) {
  for (auto const& [xml, json] : std::map<std::string, std::string>{
           {"condition-example.xml", "Condition-example.json"},
           {"list-example-long.xml", "List-long.json"},
           {"medicationdispenseexample8.xml", "MedicationDispense-meddisp0308.json"},
           {"observation-example-20minute-apgar-score.xml", "Observation-20minute-apgar-score.json"},
           {"patient-example.xml", "Patient-example.json"},
           {"patient-example-xds.xml", "Patient-xds.json"},
           {"patient-glossy-example.xml", "Patient-glossy.json"},
           {"questionnaire-example.xml", "Questionnaire-3141.json"},
       }) {
    auto read = read_xml(test_case(xml)).value();
    auto official = json_value(testing::examples().at(json));
    EXPECT_EQ(read.find("text") == nullptr, official.find("text") == nullptr) << xml;
    for (auto* json_text : {&read, &official}) {
      if (Json* narrative = json_text->find("text")) narrative->remove("div");
    }
    EXPECT_EQ(codec::write_json(canonical(std::move(read))),
              codec::write_json(canonical(std::move(official))))
        << xml;
  }
}

}  // namespace
}  // namespace tacenda::fhir
