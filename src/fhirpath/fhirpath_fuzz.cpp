#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "codec/json.hpp"
#include "fhirpath/expression.hpp"

namespace {

constexpr std::string_view kPatient = R"({"resourceType":"Patient","id":"p1","active":true,
  "contained":[{"resourceType":"Organization","id":"o1","name":"Acme"}],
  "text":{"status":"generated","div":"<div xmlns=\"http://www.w3.org/1999/xhtml\">x</div>"},
  "extension":[{"url":"u","valueQuantity":{"value":1.50,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}],
  "name":[{"use":"official","family":"Chalmers","given":["Peter","James"],"_given":[null,{"id":"g"}]},{"given":["Jim"]}],
  "telecom":[{"system":"phone","value":"(03) 5555"}],"birthDate":"1974-12-25","_birthDate":{"extension":[{"url":"t",
  "valueDateTime":"1974-12-25T14:35:45-05:00"}]},"managingOrganization":{"reference":"#o1"},"multipleBirthInteger":2})";

tacenda::codec::Json const& patient() {
  static auto const document = tacenda::codec::parse_json(kPatient);
  if (!document.has_value()) std::abort();
  return *document;
}

}  // namespace

// An expression is the input. It compiles or not; it ends within its limits or with an error; and twice the
// same.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda::fhirpath;
  auto const expression = Expression::compile({reinterpret_cast<char const*>(data), size});
  if (!expression.has_value()) return 0;
  Context context;
  context.limits = {.steps = 200'000, .items = 10'000, .string_bytes = 100'000};
  Item const focus = item_of(patient());
  auto const first = expression->evaluate(context, focus);
  auto const second = expression->evaluate(context, focus);
  if (first.has_value() != second.has_value()) std::abort();
  if (first.has_value() && first->size() != second->size()) std::abort();
  if (!first.has_value() && first.error().kind() == tacenda::ErrorKind::kBug) std::abort();
  if (first.has_value()) {
    for (Item const& item : *first) {
      if (item.type_name().empty() && item.kind() != Item::Kind::kTypeInfo) std::abort();
      (void)item.to_text();  // only that it ends
    }
  }
  return 0;
}
