#include "fhir/xml.hpp"

#include <cstdint>
#include <cstdlib>

#include "fhir/outcome.hpp"

// A text that starts as JSON is read as JSON: whatever is accepted can be written as XML and is a resource
// again when it is read back. Whatever is accepted from XML comes back as it was, and fits into JSON;
// whatever is refused has a report that is a resource itself.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  std::string_view const text(reinterpret_cast<char const*>(data), size);
  bool const is_json = text.starts_with('{');
  auto const checked = fhir::check_resource(text, is_json ? fhir::Format::kJson : fhir::Format::kXml);
  if (!checked.has_value()) {
    if (checked.error().empty() || !fhir::Resource::check(fhir::to_outcome(checked.error())).has_value())
      std::abort();
    return 0;
  }
  auto const written = fhir::write_xml(*checked);
  auto const again = fhir::read_xml(written);
  if (!again.has_value()) std::abort();
  if (!fhir::parse_resource(codec::write_json(*again)).has_value()) std::abort();
  if (!is_json && !(*again == checked->json())) std::abort();
  return 0;
}
