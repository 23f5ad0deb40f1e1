#include "fhir/resource.hpp"

#include <cstdint>
#include <cstdlib>

#include "fhir/compartment.hpp"
#include "fhir/outcome.hpp"
#include "fhir/reference.hpp"

// Whatever is accepted can be walked, is accepted again as it is written, and stays a resource when its links
// are rewritten; whatever is refused has a report that is a resource itself.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  auto checked = fhir::check_resource(text);
  if (!checked.has_value()) {
    if (checked.error().empty() || !fhir::Resource::check(fhir::to_outcome(checked.error())).has_value())
      std::abort();
    return 0;
  }
  if (!fhir::parse_resource(codec::write_json(checked->json())).has_value()) std::abort();
  auto const subjects = fhir::subjects_of(*checked, "1");
  if (!subjects.has_value() && subjects.error().kind() != ErrorKind::kUnprocessable) std::abort();

  std::size_t found = 0;
  fhir::for_each_reference(*checked, [&](fhir::FoundReference const&) { ++found; });
  std::size_t offered = 0;
  auto const done =
      fhir::rewrite_links(*checked, [&](std::string_view, fhir::LinkKind kind) -> std::optional<std::string> {
        if (kind != fhir::LinkKind::kReference) return std::nullopt;
        ++offered;
        return "Patient/1";
      });
  if (!done.has_value() || found != offered) std::abort();
  checked->set_id(*ResourceId::parse("1"));
  checked->strip_server_meta();
  if (!fhir::Resource::check(std::move(*checked).take_json()).has_value()) std::abort();
  return 0;
}
