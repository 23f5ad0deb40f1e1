#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "access/labels.hpp"

namespace tacenda::api {

/// The highest confidentiality of what a Bundle holds: a Bundle is as secret as the most secret record in it.
/// Source: REQUIREMENTS C-15; FHIR R4 security-labels.html ("high water mark"). Owner: one thread.
class HighWater {
 public:
  /// A resource of the Bundle, as JSON; empty: none.
  void see(std::string_view resource);
  /// `,"meta":{"security":[...]}`; empty when nothing in it has a label: it is N, as any of them is.
  std::string member() const;

 private:
  access::Confidentiality highest_ = access::Confidentiality::kU;
  bool is_labelled_ = false;
};

}  // namespace tacenda::api
