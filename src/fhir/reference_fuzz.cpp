#include "fhir/reference.hpp"

#include <array>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "fhir/internal/narrative.hpp"
#include "fhir/types.hpp"

// The parts of a reference are what their names say, and a narrative whose links stay is not changed.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  static std::array<std::string, 1> const bases = {"https://host/fhir"};
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto const reference = fhir::parse_reference(text, bases);
  if (reference.kind == fhir::ReferenceKind::kLocal) {
    if (!fhir::is_resource_type(reference.type) || !ResourceId::parse(reference.id).has_value()) std::abort();
    std::string whole = std::string(reference.type) + "/" + std::string(reference.id);
    if (!reference.version.empty()) whole += "/_history/" + std::string(reference.version);
    if (whole != text && bases[0] + "/" + whole != text) std::abort();
  }
  auto const local = fhir::parse_local_reference(text);
  if (local && (reference.kind != fhir::ReferenceKind::kLocal || local->id != reference.id)) std::abort();
  if (fhir::rewrite_narrative(text, [](std::string_view) { return std::nullopt; })) std::abort();
  // What is put in comes out once more.
  auto const changed =
      fhir::rewrite_narrative(text, [](std::string_view) { return std::optional<std::string>("\"<&>'"); });
  if (!changed) return 0;
  bool same = true;
  auto const again =
      fhir::rewrite_narrative(*changed, [&](std::string_view link) -> std::optional<std::string> {
        same = same && link == "\"<&>'";
        return std::nullopt;
      });
  if (again || !same) std::abort();
  return 0;
}
