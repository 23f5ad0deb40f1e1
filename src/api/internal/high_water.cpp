#include "api/internal/high_water.hpp"

#include <algorithm>

namespace tacenda::api {

void HighWater::see(std::string_view resource) {
  if (resource.empty()) return;
  auto const labels = access::labels_of_text(resource);
  highest_ = std::max(highest_, labels.confidentiality);
  // A text that cannot be read has no labels, and is V.
  is_labelled_ = is_labelled_ || !labels.all.empty() || labels.confidentiality != access::Confidentiality::kN;
}

std::string HighWater::member() const {
  if (!is_labelled_) return {};
  std::string member = R"(,"meta":{"security":[{"system":")";
  member.append(access::kConfidentialitySystem).append(R"(","code":")");
  member.append(access::code_of(highest_)).append("\"}]}");
  return member;
}

}  // namespace tacenda::api
