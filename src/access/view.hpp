#pragma once

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/error.hpp"
#include "fhir/search_query.hpp"

/// Minimum necessary by element: which top-level elements of a type a role sees.
/// Source: 45 CFR 164.502(b), 164.514(d)(2); REQUIREMENTS P-01; FHIR R4 security-labels.html (SUBSETTED,
/// REDACTED).
namespace tacenda::access {

/// The elements of one type that are seen. Immutable: thread-safe.
class ElementView {
 public:
  /// `elements`: names of top-level elements of `type` ("name", "birthDate", "deceased[x]"). resourceType, id
  /// and meta are always seen. Errors: kInvalid (no such element in R4).
  static Result<ElementView> make(std::string_view type, std::vector<std::string> const& elements);

  /// The resource's text with the other elements (and their `_` companions, `text` and `contained` unless
  /// listed) taken out, and `meta.tag` SUBSETTED (http://terminology.hl7.org/CodeSystem/v3-ObservationValue)
  /// put in when anything was. Numbers keep their text, properties their order. Errors: kCorrupt (no JSON
  /// object).
  Result<std::string> apply(std::string_view json) const;

  /// May the role search, sort, chain or include by this parameter? Only when every path of its expression
  /// for this type begins with an element that is seen, or it looks at id or meta: else matches would tell
  /// what is hidden.
  bool shows(fhir::SearchParameter const& parameter) const;

 private:
  std::string type_;
  std::set<std::string, std::less<>> elements_;
};

/// True when the resource came from a view: it is tagged SUBSETTED or REDACTED and must not be written back
/// (C-19).
bool is_partial(codec::Json const& resource);

}  // namespace tacenda::access
