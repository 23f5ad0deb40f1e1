#include "fhir/profile.hpp"

#include <cstdint>
#include <cstdlib>

// Whatever is read as a profile is a tree whose every number leads to one of its elements, and whose elements
// are each reached once; also when a list of definitions names bases of one another.
extern "C" int LLVMFuzzerTestOneInput(std::uint8_t const* data, std::size_t size) {
  using namespace tacenda;
  auto const json = codec::parse_json({reinterpret_cast<char const*>(data), size});
  if (!json.has_value()) return 0;
  auto const bases = [&](std::string_view canonical) -> std::shared_ptr<codec::Json const> {
    for (auto const& each : json->items()) {
      if (each.text_of("url") == canonical) return std::make_shared<codec::Json const>(each);
    }
    return nullptr;
  };
  auto const profile = fhir::Profile::parse(json->items().empty() ? *json : json->items().front(), bases);
  if (!profile.has_value()) return 0;
  std::size_t reached = 1;
  for (std::uint32_t i = 0; i < profile->size(); ++i) {
    auto const& element = (*profile)[i];
    for (auto const* list : {&element.children, &element.slices}) {
      for (auto const each : *list) {
        if (each <= i || each >= profile->size()) std::abort();
        ++reached;
      }
    }
    if (element.content != fhir::ProfileElement::kNone && element.content >= profile->size()) std::abort();
  }
  if (reached != profile->size() || profile->url().empty()) std::abort();
  return 0;
}
