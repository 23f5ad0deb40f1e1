#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/gate.hpp"
#include "core/mutex.hpp"
#include "fhir/profile.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

/// The profiles that lie in the store as StructureDefinitions, by canonical URL. Which they are is asked of
/// the index each time, so that a change holds for the next validation; each version is parsed once and kept,
/// for as long as the profiles that it is derived from stay the same.
///
/// Read under the server's own Permit: what a profile demands holds for who may not read it as well, and is
/// about nobody. The event of the write or operation that asks stands for it.
///
/// Owner: Validation. Thread-safe.
class Profiles {
 public:
  static constexpr std::size_t kElementsMax = 200'000;  // of all that are kept: some 100 MB
  static constexpr std::size_t kProfilesMax = 4'096;
  static constexpr std::size_t kSameUrlMax = 32;  // StructureDefinitions with one URL that are looked at

  Profiles(records::Store const& store, access::Gate const& gate) : store_(store), gate_(gate) {}

  /// Of several with one URL the one with the highest version, unless `canonical` names one (|1.0.0).
  /// nullptr: there is none. Errors: those of fhir::Profile::parse when there are and none can be held to;
  /// kUnavailable, kCorrupt.
  Result<std::shared_ptr<fhir::Profile const>> find(std::string_view canonical);

 private:
  // Shared: validations in flight keep theirs.
  using Parsed = Result<std::shared_ptr<fhir::Profile const>>;
  /// What a profile was derived from: all that had this URL then.
  struct Ground {
    std::string url;
    std::vector<records::Located> places;
  };
  struct Kept {
    std::uint64_t version = 0;  // of the resource
    std::uint64_t used = 0;
    Parsed profile;
    std::vector<Ground> grounds;
  };
  Result<std::vector<records::Located>> locate(Permit const& permit, std::string_view url) const;
  Result<codec::Json> read(Permit const& permit, records::Located const& place) const;
  Result<std::shared_ptr<codec::Json const>> find_base(Permit const& permit, std::string_view canonical,
                                                       std::vector<Ground>& grounds) const;
  Result<bool> stands(Permit const& permit, std::vector<Ground> const& grounds) const;
  std::optional<Kept> find_kept(records::Located const& place);
  Parsed load(Permit const& permit, records::Located const& place);
  void drop(std::map<std::string, Kept, std::less<>>::iterator at) TACENDA_REQUIRES(mutex_);
  void keep(std::string const& id, Kept kept) TACENDA_REQUIRES(mutex_);

  records::Store const& store_;
  access::Gate const& gate_;
  Mutex mutex_;
  std::map<std::string, Kept, std::less<>> kept_ TACENDA_GUARDED_BY(mutex_);  // by logical id
  std::size_t elements_ TACENDA_GUARDED_BY(mutex_) = 0;
  std::uint64_t uses_ TACENDA_GUARDED_BY(mutex_) = 0;
};

/// Orders the versions of definitions: numbers between dots by their value, all else as text.
bool is_older(std::string_view a, std::string_view b);

}  // namespace tacenda::operations
