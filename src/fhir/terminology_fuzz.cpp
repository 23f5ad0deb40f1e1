#include "fhir/terminology.hpp"

#include <cstdint>
#include <cstdlib>

// A Bundle of code systems and value sets: whatever they are, they are read within their limits, and what an
// expansion lists is in the value set.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  using fhir::CodeSystem, fhir::ValueSet, fhir::Membership;
  auto const json = codec::parse_json({reinterpret_cast<char const*>(data), size});
  if (!json.has_value() || json->find("entry") == nullptr) return 0;
  std::map<std::string, std::shared_ptr<CodeSystem const>, std::less<>> systems;
  std::map<std::string, std::shared_ptr<ValueSet const>, std::less<>> sets;
  for (auto const& entry : json->find("entry")->items()) {
    auto const* resource = entry.find("resource");
    if (resource == nullptr) continue;
    std::string const url(resource->text_of("url"));
    if (auto system = CodeSystem::parse(*resource); system.has_value()) systems[url] = *system;
    if (auto set = ValueSet::parse(*resource); set.has_value()) sets[url] = *set;
  }
  fhir::TerminologySource source;
  source.code_system = [&](std::string_view url) -> Result<std::shared_ptr<CodeSystem const>> {
    auto const at = systems.find(fhir::without_version(url));
    return at == systems.end() ? nullptr : at->second;
  };
  source.value_set = [&](std::string_view url) -> Result<std::shared_ptr<ValueSet const>> {
    auto const at = sets.find(fhir::without_version(url));
    return at == sets.end() ? nullptr : at->second;
  };
  for (auto const& [url, system] : systems) {
    for (std::uint32_t i = 0; i < std::min<std::size_t>(system->size(), 32); ++i) {
      auto const below = system->below(i, fhir::Relation::kHierarchy);
      for (std::uint32_t j = 0; j < std::min<std::size_t>(system->size(), 32); ++j) {
        if (below[j] != system->is_below(j, i, fhir::Relation::kHierarchy)) std::abort();
      }
    }
  }
  for (auto const& [url, set] : sets) {
    fhir::Terminology terminology(source, {.steps = 100'000, .codes = 1'000});
    auto const expansion = terminology.expand(*set);
    if (!expansion.has_value()) continue;
    for (auto const& member : expansion->members) {
      auto const found = terminology.find(*set, {member.system, member.code});
      if (found.has_value() && found->membership != Membership::kIn) std::abort();
    }
  }
  return 0;
}
