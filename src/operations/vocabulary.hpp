#pragma once

#include <memory>
#include <string_view>

#include "core/error.hpp"
#include "core/id.hpp"
#include "fhir/terminology.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

/// The code systems and value sets that lie in the store as resources, by canonical URL. Which they are is
/// asked of the index each time, under the Permit of who asks, so that a change holds for the next request;
/// each version is parsed once and kept.
///
/// Owner: start. Thread-safe. Outlived by the store.
class Vocabulary {
 public:
  static constexpr std::size_t kCodesMax = 300'000;  // of all that are kept: some 150 MB
  static constexpr std::size_t kSameUrlMax = 32;     // resources with one URL that are looked at

  explicit Vocabulary(records::Store const& store);
  ~Vocabulary();
  Vocabulary(Vocabulary const&) = delete;
  Vocabulary& operator=(Vocabulary const&) = delete;

  /// For one request. Of several resources with one URL it gives the one with the highest version, unless the
  /// canonical names one (|1.0.0). One that the Permits hide, or that cannot be read as what it is, is as if
  /// it were not. The source is outlived by the vocabulary and by what `permits` lends.
  fhir::TerminologySource source(records::PermitSource permits) const;

  /// By logical id; nullptr: there is none. Errors: as records::Store::locate.
  Result<std::shared_ptr<fhir::CodeSystem const>> code_system(records::PermitSource const& permits,
                                                              ResourceId const& id) const;
  Result<std::shared_ptr<fhir::ValueSet const>> value_set(records::PermitSource const& permits,
                                                          ResourceId const& id) const;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

}  // namespace tacenda::operations
