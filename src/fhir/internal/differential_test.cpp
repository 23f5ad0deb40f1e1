// Profiles of which the differential alone is known: beside the snapshots that HL7's own tools made of
// theirs, and small ones of our own.
#include <map>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "fhir/internal/validate_testing.hpp"
#include "fhir/profile.hpp"

namespace tacenda::fhir {
namespace {

using codec::Json;
using testing::findings;
using testing::List;

/// What a profile says, as text: an element a line, those below it and its slices indented.
std::string told(Profile const& profile, ProfileElement const& element, std::size_t depth = 0) {
  std::string text(2 * depth, ' ');
  text += element.name + ":" + element.slice + " " + std::to_string(element.min) + " " +
          std::to_string(element.max);
  for (auto const& type : element.types) {
    text += " " + type.code;
    for (auto const& url : type.profiles) text += " profile " + url;
    for (auto const& url : type.target_profiles) text += " target " + url;
  }
  for (auto const* value : {&element.fixed, &element.pattern, &element.min_value, &element.max_value})
    text += " " + codec::write_json(*value);
  text += " " + std::to_string(element.max_length) + " " + element.value_set;
  for (auto const& constraint : element.constraints) text += " " + constraint.key;
  if (element.slicing.has_value()) {
    text += " sliced " + std::to_string(element.slicing->discriminators.size()) + " " +
            std::to_string(static_cast<int>(element.slicing->rules));
  }
  text += "\n";
  if (element.content != ProfileElement::kNone) text += "content of " + profile[element.content].name + "\n";
  for (auto const index : element.children) text += told(profile, profile[index], depth + 1);
  for (auto const index : element.slices) text += told(profile, profile[index], depth + 2);
  return text;
}

/// The specification's own profiles with their differential alone.
Result<std::shared_ptr<Json const>> without_snapshot(std::string_view canonical) {
  auto const url = without_version(canonical);
  auto const at = testing::profile_definitions().find(std::string(url.substr(url.rfind('/') + 1)));
  if (at == testing::profile_definitions().end()) return nullptr;
  Json alone = at->second;
  alone.remove("snapshot");
  return std::make_shared<Json const>(std::move(alone));
}

// The definitions of HL7 have both views, made by HL7's own tools.
TEST(Differential, SaysWhatItsSnapshotSays) {
  // Slices of what nothing slices.
  std::set<std::string_view> const refused = {"catalog", "familymemberhistory-genetic"};
  // Their snapshots repeat what the type says already: preferred bindings, all targets of a reference, an
  // invariant of SimpleQuantity, what the profile of an extension or what is sliced says.
  std::set<std::string_view> const repeats = {"actualgroup",
                                              "bmi",
                                              "bodyheight",
                                              "bodytemp",
                                              "bodyweight",
                                              "bp",
                                              "cdshooksguidanceresponse",
                                              "cdshooksrequestgroup",
                                              "cdshooksserviceplandefinition",
                                              "cholesterol",
                                              "clinicaldocument",
                                              "computableplandefinition",
                                              "cqf-questionnaire",
                                              "cqllibrary",
                                              "devicemetricobservation",
                                              "diagnosticreport-genetics",
                                              "ehrsrle-auditevent",
                                              "ehrsrle-provenance",
                                              "elementdefinition-de",
                                              "groupdefinition",
                                              "hdlcholesterol",
                                              "headcircum",
                                              "heartrate",
                                              "hlaresult",
                                              "ldlcholesterol",
                                              "lipidprofile",
                                              "observation-genetics",
                                              "oxygensat",
                                              "picoelement",
                                              "provenance-relevant-history",
                                              "resprate",
                                              "servicerequest-genetics",
                                              "shareableactivitydefinition",
                                              "shareablecodesystem",
                                              "shareablelibrary",
                                              "shareablemeasure",
                                              "shareableplandefinition",
                                              "shareablevalueset",
                                              "synthesis",
                                              "triglyceride",
                                              "vitalsigns",
                                              "vitalspanel"};
  std::size_t compared = 0;
  for (auto const& [name, json] : testing::profile_definitions()) {
    Json alone = json;
    alone.remove("snapshot");
    auto const profile = Profile::parse(alone, without_snapshot);
    if (refused.contains(name)) {
      ASSERT_FALSE(profile.has_value()) << name;
      EXPECT_EQ(profile.error().kind(), ErrorKind::kUnsupported) << name;
      continue;
    }
    ASSERT_TRUE(profile.has_value()) << name << ": " << profile.error().message();
    if (repeats.contains(name)) continue;
    auto const whole = Profile::parse(json).value();
    EXPECT_EQ(told(*profile, profile->root()), told(whole, whole.root())) << name;
    ++compared;
  }
  EXPECT_EQ(compared, 393U);
}

std::string differential(std::string_view elements, std::string_view base = "Patient") {
  return R"({"resourceType":"StructureDefinition","url":"http://e/p","kind":"resource","type":"Patient",
             "baseDefinition":"http://hl7.org/fhir/StructureDefinition/)" +
         std::string(base) + R"(","differential":{"element":[)" + std::string(elements) + "]}}";
}

ErrorKind error_of(std::string const& text) {
  return Profile::parse(codec::parse_json(text).value()).error().kind();
}

TEST(Differential, IsRefusedWhereItCannotBeCompleted) {
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name"})", "other")), ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name","sliceName":"a"})")), ErrorKind::kUnsupported);
  EXPECT_EQ(error_of(differential(R"({"path":"Observation.status"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.shoes"})")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential("{}")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential("7")), ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.name"},{"path":"Patient.name"})")),
            ErrorKind::kInvalid);
  EXPECT_EQ(error_of(differential(R"({"path":"Patient.deceased[x]","sliceName":"deceasedBoolean"},
                                     {"path":"Patient.deceasedBoolean"})")),
            ErrorKind::kInvalid);
  std::string deep = "Patient";
  for (std::size_t i = 0; i <= kProfileDepthMax; ++i) deep += ".extension";
  EXPECT_EQ(error_of(differential(R"({"path":")" + deep + R"("})")), ErrorKind::kTooLarge);
  std::string many = R"({"path":"Patient"})";
  for (std::size_t i = 0; i < kProfileElementsMax; ++i) many += R"(,{"path":"Patient.name"})";
  EXPECT_EQ(error_of(differential(many)), ErrorKind::kTooLarge);
}

List own_errors(Profile const& profile, std::string_view text) {
  Profile const* list[] = {&profile};
  return findings(Validator({}).validate(parse_resource(text).value(), list));
}

Profile own_differential(std::string_view type, std::string_view elements) {
  return Profile::parse(codec::parse_json(R"({"resourceType":"StructureDefinition","url":"http://e/own",
             "kind":"resource","type":")" +
                                          std::string(type) +
                                          R"(","baseDefinition":"http://hl7.org/fhir/StructureDefinition/)" +
                                          std::string(type) + R"(","differential":{"element":[)" +
                                          std::string(elements) + "]}}")
                            .value())
      .value();
}

TEST(Differential, IsCompleted) {
  // The elements above are left out; the path leads into the slice that was named last, or that the id names.
  auto const patient = own_differential("Patient", R"({"path":"Patient.identifier.system","min":1},
      {"path":"Patient.extension","sliceName":"race","min":1,"max":"1",
       "type":[{"code":"Extension","profile":["http://e/race"]}]})");
  EXPECT_EQ(
      own_errors(patient, R"({"resourceType":"Patient","extension":[{"url":"http://e/race","valueCode":"a"}],
      "identifier":[{"value":"1"}]})"),
      List{"required Patient.identifier[0].system"});
  EXPECT_EQ(
      own_errors(patient, R"({"resourceType":"Patient","extension":[{"url":"http://e/x","valueCode":"a"}]})"),
      List{"required Patient.extension"});
  auto const sliced_by_id = own_differential("Patient", R"(
      {"id":"Patient.identifier","path":"Patient.identifier","slicing":{"discriminator":[{"type":"value",
       "path":"system"}],"rules":"open"}},
      {"id":"Patient.identifier:a.system","path":"Patient.identifier.system","min":1,"fixedUri":"http://a"},
      {"id":"Patient.identifier:b.system","path":"Patient.identifier.system","min":1,"fixedUri":"http://b"},
      {"id":"Patient.identifier:a.value","path":"Patient.identifier.value","min":1})");
  EXPECT_EQ(own_errors(sliced_by_id, R"({"resourceType":"Patient","identifier":[{"system":"http://a"},
      {"system":"http://b"},{"system":"http://a","value":"1"}]})"),
            List{"required Patient.identifier[0].value"});
}

TEST(Differential, TakesATypeInAPathForTheOnlyOne) {
  auto const profile =
      own_differential("Observation", R"({"path":"Observation.valueQuantity.code","min":1})");
  auto const text = [](std::string_view value) {
    return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},)" + std::string(value) +
           "}";
  };
  EXPECT_EQ(own_errors(profile, text(R"("valueQuantity":{"value":1,"code":"kg"})")), List{});
  EXPECT_EQ(own_errors(profile, text(R"("valueQuantity":{"value":1})")),
            List{"required Observation.value.code"});
  EXPECT_FALSE(own_errors(profile, text(R"("valueString":"x")")).empty());
}

TEST(Differential, HoldsForContentThatStandsElsewhere) {
  auto const profile = own_differential("Questionnaire", R"({"path":"Questionnaire.item.text","min":1})");
  auto const nested =
      own_errors(profile, R"({"resourceType":"Questionnaire","status":"draft","item":[{"linkId":"1",
      "type":"group","text":"a","item":[{"linkId":"2","type":"group","text":"b","item":[{"linkId":"3",
      "type":"display"}]}]}]})");
  EXPECT_EQ(nested, List{"required Questionnaire.item[0].item[0].item[0].text"});
}

// Each is derived from vitalsigns.
TEST(Differential, JudgesTheExamplesAsItsSnapshotDoes) {
  std::size_t found = 0;
  for (auto const* name : {"bmi", "bodyheight", "bodytemp", "bodyweight", "bp", "headcircum", "heartrate",
                           "oxygensat", "resprate", "vitalspanel"}) {
    auto const& json = testing::profile_definitions().at(name);
    auto const whole = Profile::parse(json).value();
    auto const alone =
        Profile::parse(*without_snapshot(json.text_of("url")).value(), without_snapshot).value();
    for (auto const& [file, text] : testing::examples()) {
      if (!file.starts_with("Observation-")) continue;
      auto const errors = own_errors(whole, text);
      EXPECT_EQ(own_errors(alone, text), errors) << name << " " << file;
      found += errors.size();
    }
  }
  EXPECT_GT(found, 100U);
}

/// StructureDefinitions of Patients by their URLs, as a store would know them.
class Known {
 public:
  void add(std::string const& url, std::string_view base, std::string_view elements,
           std::string_view view = "differential", std::string_view type = "Patient") {
    known_[url] = std::make_shared<Json const>(
        codec::parse_json(R"({"resourceType":"StructureDefinition","kind":"resource","url":")" + url +
                          R"(","type":")" + std::string(type) + R"(","baseDefinition":")" +
                          std::string(base) + R"(",")" + std::string(view) + R"(":{"element":[)" +
                          std::string(elements) + "]}}")
            .value());
  }
  Result<Profile> parse(std::string const& url) const {
    return Profile::parse(*known_.at(url), [this](std::string_view canonical) {
      auto const at = known_.find(without_version(canonical));
      return at == known_.end() ? nullptr : at->second;
    });
  }

 private:
  std::map<std::string, std::shared_ptr<Json const>, std::less<>> known_;
};

constexpr std::string_view kPatient = "http://hl7.org/fhir/StructureDefinition/Patient|4.0.1";

TEST(Differential, IsLaidOverThatOfTheProfileItIsDerivedFrom) {
  Known known;
  known.add("http://e/national", kPatient, R"(
      {"path":"Patient.birthDate","min":1},
      {"path":"Patient.name","max":"2","constraint":[{"key":"n-1","severity":"error","human":"x",
       "expression":"family.empty().not() = true"}]},
      {"path":"Patient.identifier","slicing":{"discriminator":[{"type":"value","path":"system"}],
       "rules":"open"}},
      {"id":"Patient.identifier:ssn","path":"Patient.identifier","sliceName":"ssn","max":"1"},
      {"id":"Patient.identifier:ssn.system","path":"Patient.identifier.system","min":1,
       "fixedUri":"http://ssn"})");
  // The slice is the base's: which identifiers are in it, this differential does not say.
  known.add("http://e/local", "http://e/national|1.0", R"(
      {"id":"Patient.identifier:ssn","path":"Patient.identifier","sliceName":"ssn","min":1},
      {"id":"Patient.identifier:ssn.value","path":"Patient.identifier.value","min":1},
      {"path":"Patient.name","min":1,"constraint":[{"key":"n-2","severity":"error","human":"x",
       "expression":"given.count() = 1"}]})");
  known.add("http://e/ward", "http://e/local", R"({"path":"Patient.gender","min":1})");
  auto const ward = known.parse("http://e/ward").value();
  EXPECT_EQ(own_errors(ward, R"({"resourceType":"Patient"})"),
            (List{"required Patient.birthDate", "required Patient.name", "required Patient.identifier",
                  "required Patient.gender"}));
  EXPECT_EQ(own_errors(ward, R"({"resourceType":"Patient","birthDate":"1970-01-01","gender":"female",
      "name":[{"text":"a"},{"text":"b"},{"text":"c"}],
      "identifier":[{"system":"http://other"},{"system":"http://ssn"}]})"),
            (List{"structure Patient.name", "required Patient.identifier[1].value"}));
  EXPECT_EQ(own_errors(ward, R"({"resourceType":"Patient","birthDate":"1970-01-01","gender":"female",
      "name":[{"text":"a"}],"identifier":[{"system":"http://ssn","value":"1"}]})"),
            List{});
  for (auto const index : ward.root().children) {
    if (ward[index].name != "name") continue;
    EXPECT_EQ(ward[index].constraints.size(), 2U);
  }
}

TEST(Differential, IsLaidOverASnapshot) {
  Known known;
  known.add("http://e/base", "http://e/unknown", R"({"path":"Patient"},{"path":"Patient.name","min":1},
      {"path":"Patient.deceased[x]","min":1,"type":[{"code":"boolean"},{"code":"dateTime"}]})",
            "snapshot");
  known.add("http://e/own", "http://e/base", R"({"path":"Patient.deceasedDateTime"})");
  auto const own = known.parse("http://e/own").value();
  EXPECT_EQ(own_errors(own, R"({"resourceType":"Patient"})"),
            (List{"required Patient.name", "required Patient.deceased"}));
  EXPECT_FALSE(
      own_errors(own, R"({"resourceType":"Patient","name":[{"text":"a"}],"deceasedBoolean":true})").empty());
  EXPECT_EQ(own_errors(own, R"({"resourceType":"Patient","name":[{"text":"a"}],"deceasedDateTime":"2020"})"),
            List{});
}

TEST(Differential, NeverAllowsWhatItsBaseForbids) {
  Known known;
  known.add("http://e/base", kPatient, R"({"path":"Patient.name","min":1,"max":"1"},
      {"path":"Patient.deceased[x]","type":[{"code":"boolean"}]},
      {"path":"Patient.maritalStatus","binding":{"strength":"required","valueSet":"http://e/set"}},
      {"path":"Patient.generalPractitioner","type":[{"code":"Reference","targetProfile":[
       "http://hl7.org/fhir/StructureDefinition/Organization"]}]})");
  known.add("http://e/loose", "http://e/base", R"({"path":"Patient.name","min":0,"max":"*"},
      {"path":"Patient.maritalStatus","binding":{"strength":"example","valueSet":"http://e/other"}},
      {"path":"Patient.generalPractitioner","min":0,"type":[{"code":"Reference"}]})");
  auto const loose = known.parse("http://e/loose").value();
  EXPECT_EQ(own_errors(loose, R"({"resourceType":"Patient"})"), List{"required Patient.name"});
  EXPECT_EQ(own_errors(loose, R"({"resourceType":"Patient","name":[{"text":"a"},{"text":"b"}],
      "generalPractitioner":[{"reference":"Practitioner/1"}]})"),
            (List{"structure Patient.name", "structure Patient.generalPractitioner[0]"}));
  auto const base = known.parse("http://e/base").value();
  EXPECT_EQ(told(loose, loose.root()), told(base, base.root()));
  known.add("http://e/other-type", "http://e/base", R"({"path":"Patient.deceasedDateTime"})");
  EXPECT_EQ(known.parse("http://e/other-type").error().kind(), ErrorKind::kInvalid);
}

TEST(Differential, IsRefusedWithABaseThatIsMissingOrNoBase) {
  Known known;
  known.add("http://e/missing", "http://e/nowhere", R"({"path":"Patient.name"})");
  EXPECT_EQ(known.parse("http://e/missing").error().message(),
            "a profile is derived from one that is not known here");
  known.add("http://e/nowhere", kPatient, R"({"path":"Patient.name"})");
  EXPECT_TRUE(known.parse("http://e/missing").has_value());
  known.add("http://e/self", "http://e/self", R"({"path":"Patient.name"})");
  EXPECT_EQ(known.parse("http://e/self").error().message(), "a profile is derived from itself");
  known.add("http://e/hen", "http://e/egg", R"({"path":"Patient.name"})");
  known.add("http://e/egg", "http://e/hen", R"({"path":"Patient.name"})");
  EXPECT_EQ(known.parse("http://e/hen").error().message(), "a profile is derived from itself");
  known.add("http://e/observation", kPatient, R"({"path":"Observation"})", "snapshot", "Observation");
  known.add("http://e/mixed", "http://e/observation", R"({"path":"Patient.name"})");
  EXPECT_EQ(known.parse("http://e/mixed").error().message(), "a profile is derived from one of another type");
  known.add("http://e/0", kPatient, R"({"path":"Patient.name"})");
  for (std::size_t i = 1; i <= kProfileBasesMax + 1; ++i) {
    known.add("http://e/" + std::to_string(i), "http://e/" + std::to_string(i - 1), R"({"path":"Patient"})");
  }
  EXPECT_TRUE(known.parse("http://e/" + std::to_string(kProfileBasesMax)).has_value());
  auto const deep = known.parse("http://e/" + std::to_string(kProfileBasesMax + 1));
  EXPECT_EQ(deep.error().kind(), ErrorKind::kTooLarge);
}

}  // namespace
}  // namespace tacenda::fhir
