#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json.hpp"
#include "core/bytes.hpp"
#include "core/error.hpp"
#include "fhir/search_parameters.hpp"
#include "fhirpath/context.hpp"
#include "fhirpath/item.hpp"
#include "records/internal/terms.hpp"

namespace tacenda::records {

/// Finds the index terms of resources: what every search parameter of their types finds in them, those that
/// were defined for this store and are not ready yet among them. Depends on the document alone, so that the
/// rows of an older version can be found again when they must go. Immutable: thread-safe.
class Extractor {
 public:
  /// A defined parameter whose expressions do not compile finds nothing.
  explicit Extractor(fhir::SearchParameters parameters);
  ~Extractor();
  Extractor(Extractor const&) = delete;
  Extractor& operator=(Extractor const&) = delete;

  fhir::SearchParameters const& parameters() const { return parameters_; }

  /// Sorted, each once; as many as one resource may have. A parameter whose expression fails on a document
  /// finds nothing in it. Errors: kBug (a shipped expression does not compile).
  Result<std::vector<Term>> terms_of(codec::Json const& resource) const;
  /// The same of a resource that is to be stored. Errors: also kTooLarge (it has more than one may).
  Result<std::vector<Term>> terms_to_write(codec::Json const& resource) const;

  /// The terms of each contained resource of a type that the resource refers to by a parameter. Errors: as
  /// terms_of.
  Result<std::vector<std::vector<Term>>> contained_terms_of(codec::Json const& resource,
                                                            std::uint32_t parameter,
                                                            std::string_view type) const;

  /// True for a term, also one of a contained resource, that cannot be asked for yet.
  bool is_awaited(Term const& term) const;
  /// True when something is found in resources of the type that cannot be asked for yet.
  bool awaits_of(std::string_view type) const;
  /// Numbers of all parameters and types: rows under others belong to nothing.
  std::set<std::uint32_t> const& numbers() const { return numbers_; }

  struct Extraction;
  /// How much may be found.
  struct Room {
    std::size_t terms = 0;
    std::size_t bytes = 0;
  };

 private:
  class Finding;
  struct Found {
    std::vector<Term> terms;
    bool is_cut = false;  // R4's own would find more
  };
  using Visit = std::function<Result<void>(Extraction const&, fhirpath::Context const& context,
                                           fhirpath::Collection const& items)>;
  /// What each parameter of the resource's type finds in it; in one that lies in another also what a resource
  /// of its own is known by without a row.
  Result<void> each(codec::Json const& resource, bool is_contained, Visit const& visit) const;
  Result<Found> find(codec::Json const& resource, bool is_contained) const;

  fhir::SearchParameters const parameters_;
  std::map<std::string, std::vector<Extraction>, std::less<>> defined_;  // by type
  std::set<std::uint32_t> awaited_;
  std::set<std::uint32_t> numbers_;
};

/// Digest of what R4's own parameters find and how it is read. An index that was written under another one
/// must be written anew.
Digest reading_of_r4();

}  // namespace tacenda::records
