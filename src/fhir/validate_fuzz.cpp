#include "fhir/validate.hpp"

#include <cstdint>
#include <cstdlib>

// The first line is a StructureDefinition, the rest a resource. Whatever the two are, validation ends within
// its steps, says the same twice, and what it says is a resource without a fault of its own.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  constexpr std::size_t kSteps = 100'000;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const line_end = text.find('\n');
  if (line_end == std::string_view::npos) return 0;
  auto const definition = fhir::parse_resource(text.substr(0, line_end));
  auto const resource = fhir::parse_resource(text.substr(line_end + 1));
  if (!definition.has_value() || !resource.has_value()) return 0;
  auto parsed = fhir::Profile::parse(definition->json());
  if (!parsed.has_value()) return 0;
  auto const profile = std::make_shared<fhir::Profile const>(std::move(*parsed));

  fhir::ValidationHooks hooks;  // every URL but those of the specification names the one profile
  hooks.profile = [&](std::string_view url) {
    return url.starts_with("http://hl7.org/") ? nullptr : profile;
  };
  hooks.membership = [](std::string_view, fhir::BoundCode const& code) {
    return code.code.size() % 2 == 0 ? fhir::Membership::kIn : fhir::Membership::kUnknown;
  };
  hooks.invariant = [](fhir::InvariantContext const& context) -> Result<bool> {
    if (context.expression.size() % 3 == 0) return fail(ErrorKind::kUnsupported, "one of three");
    return context.value != nullptr;
  };
  fhir::Validator const validator(std::move(hooks), kSteps);
  fhir::Profile const* profiles[] = {profile.get()};
  auto const report = validator.validate(*resource, profiles);
  auto outcome = fhir::to_outcome(report);
  if (codec::write_json(outcome) !=
      codec::write_json(fhir::to_outcome(validator.validate(*resource, profiles)))) {
    std::abort();
  }
  if (report.size() > 3 * fhir::Issues::kMax) std::abort();
  if (!fhir::Resource::check(std::move(outcome)).has_value()) std::abort();
  return 0;
}
