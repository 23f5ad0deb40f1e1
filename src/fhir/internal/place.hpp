#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace tacenda::fhir {

/// Where a walk through a document stands: a chain of frames on the stack, so that a path costs something
/// only when an issue needs it. `name` is a name of the definitions, `index` set for items of arrays.
struct Place {
  static constexpr std::size_t kNoIndex = static_cast<std::size_t>(-1);

  Place const* parent = nullptr;  // outlives this: the caller's frame
  std::string_view name;
  std::size_t index = kNoIndex;
  std::size_t depth = 0;

  Place child(std::string_view child_name, std::size_t child_index = kNoIndex) const {
    return {this, child_name, child_index, depth + 1};
  }
  /// "Patient.contact[1].name".
  std::string path() const;
};

}  // namespace tacenda::fhir
