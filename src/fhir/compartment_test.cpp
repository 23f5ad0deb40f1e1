#include "fhir/compartment.hpp"

#include <gtest/gtest.h>

#include "core/limits.hpp"
#include "fhir/internal/examples_testing.hpp"

namespace tacenda::fhir {
namespace {

using Ids = std::vector<std::string>;

Resource example(std::string const& name) {
  return parse_resource(testing::examples().at(name + ".json")).value();
}

Ids compartments(std::string_view text) {
  return patients_of(parse_resource(text).value()).value();
}

// Read by hand from the examples and the CompartmentDefinition's parameters.
TEST(PatientCompartments, OfOfficialExamplesAreKnown) {
  std::pair<std::string, Ids> const known[] = {
      {"Observation-f001", {"f001"}},                   // subject
      {"Appointment-example", {"example"}},             // actor: the patient of three participants
      {"Group-102", {"pat1", "pat2", "pat3", "pat4"}},  // member
      {"List-example", {"example"}},                    // subject and source
      {"RelatedPerson-benedicte", {"example"}},         // patient
      {"Immunization-example", {"example"}},            // patient
      {"DocumentReference-example", {"xcda"}},          // subject
      {"Composition-example", {"xcda"}},                // subject
      {"Coverage-9876B1", {"4"}},                       // subscriber and beneficiary
      {"ImagingStudy-example", {"dicom"}},              // patient
      {"ResearchSubject-example", {"example"}},         // individual
      {"MeasureReport-measurereport-cms146-cat1-example", {"123"}},
      {"Person-example", {"example"}},  // link.target
      {"Person-pp", {}},                // patients of two other servers
      {"Schedule-example", {}},         // its actor is a location
      {"Provenance-example", {}},       // its target is a procedure
      {"Practitioner-example", {}},
      {"Task-example1", {"example"}},  // not of the compartment: whoever it names
  };
  for (auto const& [name, ids] : known) EXPECT_EQ(patients_of(example(name)).value(), ids) << name;
}

TEST(PatientCompartments, OfAPatientIsItsOwnWhateverItLinksTo) {
  EXPECT_EQ(patients_of(example("Patient-pat1")).value(), Ids{"pat1"});
  EXPECT_EQ(patients_of(example("Patient-pat1"), "7").value(), Ids{"7"});
}

TEST(PatientCompartments, AreSortedAndEachOnce) {
  EXPECT_EQ(compartments(R"({"resourceType":"Group","member":[{"entity":{"reference":"Patient/b"}},
      {"entity":{"reference":"Patient/a"}},{"entity":{"reference":"Patient/b/_history/2"}},
      {"entity":{"reference":"Practitioner/c"}}]})"),
            (Ids{"a", "b"}));
}

TEST(PatientCompartments, CountEveryParameterOfTheType) {
  EXPECT_EQ(compartments(R"({"resourceType":"Observation","subject":{"reference":"Patient/a"},
      "performer":[{"reference":"Patient/b"},{"reference":"Practitioner/p"}],
      "focus":[{"reference":"Patient/c"}]})"),  // focus is no parameter of the compartment
            (Ids{"a", "b"}));
  EXPECT_EQ(compartments(R"({"resourceType":"AuditEvent","agent":[{"who":{"reference":"Patient/a"}}],
      "entity":[{"what":{"reference":"Patient/b"}}]})"),
            (Ids{"a", "b"}));
}

TEST(PatientCompartments, CountLocalLiteralReferencesOnly) {
  EXPECT_EQ(compartments(R"({"resourceType":"Observation","subject":{"reference":"#p"},
      "contained":[{"resourceType":"Patient","id":"p"}]})"),
            Ids{});
  EXPECT_EQ(compartments(
                R"({"resourceType":"Observation","subject":{"type":"Patient","identifier":{"value":"1"}}})"),
            Ids{});
  EXPECT_EQ(compartments(R"({"resourceType":"Observation","subject":{"reference":"Patient/../x"}})"), Ids{});
  auto const absolute =
      parse_resource(R"({"resourceType":"Observation","subject":{"reference":"https://h/fhir/Patient/1"}})")
          .value();
  EXPECT_EQ(patients_of(absolute).value(), Ids{});
  std::vector<std::string> const bases = {"https://h/fhir"};
  EXPECT_EQ(patients_of(absolute, "", bases).value(), Ids{"1"});
}

TEST(PatientCompartments, AreBounded) {
  std::string text = R"({"resourceType":"Group","member":[)";
  for (std::size_t i = 0; i < limits::kCompartmentsPerResource; ++i) {
    text += R"({"entity":{"reference":"Patient/)" + std::to_string(i) + R"("}},)";
  }
  auto const most = parse_resource(text + R"({"entity":{"reference":"Patient/0"}}]})").value();
  EXPECT_EQ(patients_of(most).value().size(), limits::kCompartmentsPerResource);
  auto const more = parse_resource(text + R"({"entity":{"reference":"Patient/x"}}]})").value();
  EXPECT_EQ(patients_of(more).error().kind(), ErrorKind::kUnprocessable);
}

TEST(PatientCompartments, OfOneThatIsNoGroupNameFewer) {
  std::string text = R"({"resourceType":"Task","input":[)";
  for (std::size_t i = 0; i < kPatientsNamed; ++i) {
    text += R"({"valueReference":{"reference":"Patient/)" + std::to_string(i) + R"("}},)";
  }
  EXPECT_EQ(compartments(text + R"({"valueReference":{"reference":"Patient/0"}}]})").size(), kPatientsNamed);
  auto const more = parse_resource(text + R"({"valueReference":{"reference":"Patient/x"}}]})").value();
  EXPECT_EQ(patients_of(more).error().kind(), ErrorKind::kUnprocessable);
}

TEST(ClearSubject, IsThePatientWhomTheRecordIsAbout) {
  auto const subject_in = [](std::string_view text) {
    return std::string(clear_subject(parse_resource(text).value().json()));
  };
  EXPECT_EQ(subject_in(R"({"resourceType":"Observation","subject":{"reference":"Patient/a/_history/2"},
      "performer":[{"reference":"Patient/b"}]})"),
            "a");
  EXPECT_EQ(subject_in(R"({"resourceType":"Consent","patient":{"reference":"Patient/a"}})"), "a");
  EXPECT_EQ(subject_in(R"({"resourceType":"Coverage","beneficiary":{"reference":"Patient/a"}})"), "a");
  EXPECT_EQ(subject_in(R"({"resourceType":"Observation","performer":[{"reference":"Patient/b"}]})"), "");
  EXPECT_EQ(subject_in(R"({"resourceType":"Observation","subject":{"reference":"Group/a"}})"), "");
  EXPECT_EQ(subject_in(R"({"resourceType":"Consent","patient":{"identifier":{"value":"a"}}})"), "");
  // Of several, and of a type that the compartment does not list, it is not clear.
  EXPECT_EQ(subject_in(R"({"resourceType":"Account","subject":[{"reference":"Patient/a"}]})"), "");
  EXPECT_EQ(subject_in(R"({"resourceType":"Device","patient":{"reference":"Patient/a"}})"), "");
}

// C-01, C-11: what the compartment does not list is not therefore nobody's.
TEST(PatientsOf, OtherTypesAreThoseOfWhomeverTheyName) {
  EXPECT_EQ(compartments(R"({"resourceType":"Device","patient":{"reference":"Patient/a"}})"), Ids{"a"});
  EXPECT_EQ(compartments(R"({"resourceType":"Task","input":[{"type":{"text":"of"},
      "valueReference":{"reference":"Patient/b/_history/2"}}],"requester":{"reference":"Patient/a"},
      "extension":[{"url":"https://h.example/x","valueReference":{"reference":"Patient/c"}}],
      "owner":{"reference":"Patient"},"focus":{"reference":"https://elsewhere.example/fhir/Patient/d"}})"),
            (Ids{"a", "b", "c"}));
}

TEST(PatientsOf, ABundleIsOfThoseInItAndOfThoseItsResourcesName) {
  EXPECT_EQ(compartments(R"({"resourceType":"Bundle","type":"collection","entry":[
      {"resource":{"resourceType":"Patient","id":"a"}},
      {"resource":{"resourceType":"Patient"}},
      {"resource":{"resourceType":"Observation","id":"x","subject":{"reference":"Patient/b"}}},
      {"resource":{"resourceType":"Bundle","type":"collection","entry":[
          {"resource":{"resourceType":"Observation","subject":{"reference":"Patient/c"}}}]}}]})"),
            (Ids{"a", "b", "c"}));
}

TEST(PatientsOf, AreThoseOfTheRecordsThatAreNamedToo) {
  std::vector<std::string> asked;
  auto const named = [&](std::string_view type, std::string_view id) -> Result<Ids> {
    asked.push_back(std::string(type) + "/" + std::string(id));
    return id == "e" ? Ids{"b", "a"} : Ids();
  };
  std::vector<std::string> const bases = {"https://h/fhir"};
  auto const task =
      parse_resource(R"({"resourceType":"Task","encounter":{"reference":"Encounter/e/_history/1"},
      "focus":{"reference":"https://H/fhir/Encounter/e"},"for":{"reference":"Patient/c"},
      "owner":{"reference":"Organization/o"},"partOf":[{"reference":"Task/t"}],
      "basedOn":[{"reference":"https://other/fhir/ServiceRequest/s"},{"reference":"CarePlan/n"}]})")
          .value();
  EXPECT_EQ(patients_of(task, "t", bases, named).value(), (Ids{"a", "b", "c"}));
  EXPECT_EQ(asked, (Ids{"CarePlan/n", "Encounter/e"}));
  // What the compartment lists is whose the definition says, and nobody else's.
  asked.clear();
  auto const observation = parse_resource(R"({"resourceType":"Observation",
      "subject":{"reference":"Patient/a"},"encounter":{"reference":"Encounter/e"}})")
                               .value();
  EXPECT_EQ(patients_of(observation, "o", bases, named).value(), Ids{"a"});
  EXPECT_TRUE(asked.empty());
  auto const failing = [](std::string_view, std::string_view) -> Result<Ids> {
    return fail(ErrorKind::kUnavailable, "x");
  };
  EXPECT_EQ(patients_of(task, "t", bases, failing).error().kind(), ErrorKind::kUnavailable);
}

TEST(PatientsOf, InABundleCountWhereTheEntryIsOfThisServer) {
  std::vector<std::string> const bases = {"https://h/fhir"};
  auto const found = [&](std::string const& full_url, std::string const& resource) {
    auto const text = R"({"resourceType":"Bundle","type":"collection","entry":[{"fullUrl":")" + full_url +
                      R"(","resource":)" + resource + "}]}";
    return patients_of(parse_resource(text).value(), "b", bases).value();
  };
  std::string const patient = R"({"resourceType":"Patient","id":"a"})";
  std::string const nameless = R"({"resourceType":"Patient"})";
  std::string const relative =
      R"({"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"Patient/a"}})";
  std::string const absolute =
      R"({"resourceType":"Basic","code":{"text":"x"},"subject":{"reference":"https://h/fhir/Patient/a"}})";
  std::string const nested =
      R"({"resourceType":"Bundle","type":"collection","entry":[{"resource":)" + patient + "}]}";
  std::string const parameters =
      R"({"resourceType":"Parameters","parameter":[{"part":[{"resource":)" + patient + "}]}]}";
  for (std::string const own : {"https://h/fhir/Basic/1", "urn:uuid:61ebe359-bfdc-4613-8bf2-c5e300945f0a"}) {
    for (auto const& resource : {patient, relative, absolute, nested, parameters})
      EXPECT_EQ(found(own, resource), Ids{"a"}) << own << resource;
  }
  for (auto const& resource : {patient, nameless, relative, nested, parameters})
    EXPECT_EQ(found("https://other/fhir/Patient/a", resource), Ids{}) << resource;
  EXPECT_EQ(found("https://other/fhir/Basic/1", absolute), Ids{"a"});
  EXPECT_EQ(found("https://h/fhir/Patient/a", nameless), Ids{"a"});
}

TEST(PatientsOf, DefinitionsAndTheDirectoryAreNobodys) {
  EXPECT_EQ(compartments(R"({"resourceType":"ImplementationGuide","definition":{"resource":[
      {"reference":{"reference":"Patient/example"}}]}})"),
            Ids{});
  EXPECT_EQ(compartments(R"({"resourceType":"Organization","extension":[{"url":"https://h.example/x",
      "valueReference":{"reference":"Patient/a"}}]})"),
            Ids{});
}

TEST(Subjects, ArePatientsBeforeAnythingElse) {
  auto const set = subjects_of(example("Observation-f001"), "f001").value();
  EXPECT_EQ(set.kind, SubjectKind::kPatients);
  EXPECT_EQ(set.patients, Ids{"f001"});
}

TEST(Subjects, OfPractitionersBinariesAndTheRest) {
  EXPECT_EQ(subjects_of(example("Practitioner-example"), "example").value().kind, SubjectKind::kPractitioner);
  EXPECT_EQ(subjects_of(example("PractitionerRole-example"), "example").value().kind, SubjectKind::kTenant);
  EXPECT_EQ(subjects_of(example("Binary-f006"), "f006").value().kind, SubjectKind::kBinary);
  EXPECT_EQ(subjects_of(example("Organization-hl7"), "hl7").value().kind, SubjectKind::kTenant);
  EXPECT_EQ(practitioner_id(example("Practitioner-example")), "example");
  EXPECT_EQ(practitioner_id(example("Organization-hl7")), std::nullopt);
}

TEST(Subjects, OfABinaryAreWhoseItsSecurityContextIs) {
  auto const binary = parse_resource(R"({"resourceType":"Binary","contentType":"text/plain",
      "securityContext":{"reference":"Patient/1"}})")
                          .value();
  auto const set = subjects_of(binary, "b").value();
  EXPECT_EQ(set.kind, SubjectKind::kPatients);
  EXPECT_EQ(set.patients, Ids{"1"});
  EXPECT_EQ(subjects_of(example("Binary-example"), "example").value().kind, SubjectKind::kBinary);
}

}  // namespace
}  // namespace tacenda::fhir
