#include "fhir/internal/place.hpp"

#include <vector>

namespace tacenda::fhir {

std::string Place::path() const {
  std::vector<Place const*> chain;
  for (Place const* place = this; place != nullptr; place = place->parent) chain.push_back(place);
  std::string text;
  for (auto at = chain.rbegin(); at != chain.rend(); ++at) {
    if ((*at)->name.empty()) continue;
    if (!text.empty()) text.push_back('.');
    text.append((*at)->name);
    if ((*at)->index != kNoIndex) text.append("[").append(std::to_string((*at)->index)).append("]");
  }
  return text;
}

}  // namespace tacenda::fhir
