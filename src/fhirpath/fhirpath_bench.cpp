#include <string>

#include <benchmark/benchmark.h>

#include "codec/json.hpp"
#include "fhirpath/expression.hpp"

// What indexing a resource for search costs: expressions of R4's search parameters over its own example.

namespace tacenda::fhirpath {
namespace {

constexpr std::string_view kObservation = R"({"resourceType":"Observation","id":"o","status":"final",
  "category":[{"coding":[{"system":"c","code":"vital-signs","display":"Vital Signs"}],"text":"Vital Signs"}],
  "code":{"coding":[{"system":"http://loinc.org","code":"29463-7","display":"Body Weight"}]},
  "subject":{"reference":"Patient/example"},"encounter":{"reference":"Encounter/example"},
  "effectiveDateTime":"2016-03-28","issued":"2016-03-28T01:02:03Z",
  "valueQuantity":{"value":185,"unit":"lbs","system":"http://unitsofmeasure.org","code":"[lb_av]"}})";
constexpr std::string_view kPatient = R"({"resourceType":"Patient","id":"p","active":true,
  "identifier":[{"system":"urn:oid:1.2","value":"12345"}],
  "name":[{"use":"official","family":"Chalmers","given":["Peter","James"]},{"use":"usual","given":["Jim"]}],
  "telecom":[{"system":"phone","value":"1"},{"system":"phone","value":"2"},{"system":"email","value":"3"}],
  "gender":"male","birthDate":"1974-12-25","generalPractitioner":[{"reference":"Practitioner/1"}],
  "managingOrganization":{"reference":"Organization/1"}})";

void evaluate(benchmark::State& state, std::string_view document, std::string_view text) {
  auto const json = codec::parse_json(document);
  auto const expression = Expression::compile(text);
  if (!json || !expression) return state.SkipWithError("does not parse");
  Context const context;
  Item const focus = item_of(*json);
  for (auto _ : state) benchmark::DoNotOptimize(expression->evaluate(context, focus));
}

BENCHMARK_CAPTURE(evaluate, code, kObservation, "Observation.code");
BENCHMARK_CAPTURE(evaluate, other_type, kObservation, "Patient.name | Practitioner.name");
BENCHMARK_CAPTURE(evaluate, names, kPatient, "Patient.name | Practitioner.name");
BENCHMARK_CAPTURE(evaluate, value_as_quantity, kObservation, "(Observation.value as Quantity)");
BENCHMARK_CAPTURE(evaluate, value_as_string, kObservation, "(Observation.value as string)");
BENCHMARK_CAPTURE(evaluate, phone, kPatient, "Patient.telecom.where(system='phone')");
BENCHMARK_CAPTURE(evaluate, subject_is_patient, kObservation,
                  "Observation.subject.where(resolve() is Patient)");
BENCHMARK_CAPTURE(evaluate, given, kPatient, "Patient.name.given");

}  // namespace
}  // namespace tacenda::fhirpath

BENCHMARK_MAIN();
