#include "fhir/path.hpp"

namespace tacenda::fhir {

void for_each_at(codec::Json const& root, std::string_view path,
                 std::function<void(codec::Json const&)> const& visit) {
  if (root.is_array()) {
    for (auto const& item : root.items()) for_each_at(item, path, visit);
    return;
  }
  if (path.empty()) return visit(root);
  auto const dot = path.find('.');
  codec::Json const* next = root.find(path.substr(0, dot));
  if (next == nullptr) return;
  for_each_at(*next, dot == std::string_view::npos ? std::string_view() : path.substr(dot + 1), visit);
}

}  // namespace tacenda::fhir
