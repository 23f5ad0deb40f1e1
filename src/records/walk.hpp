#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "fhir/search_query.hpp"
#include "records/store.hpp"

namespace tacenda::records {

/// What a walk may see and shall give.
struct WalkScope {
  PermitSource permits;  // outlives the walk
  std::vector<std::string> base_urls;
  Time now{};
  bool in_a_compartment = false;                  // only what is in the compartment of some patient
  std::optional<std::set<std::string>> patients;  // nothing that is in another's compartment as well
  std::optional<std::set<std::string>> ids;       // only these
  /// Asked now and then, also where much is read and nothing found, whether to go on; its error ends the
  /// walk.
  Watch watch;
  /// Called with the type and id of each resource of this server that one of those given refers to.
  std::function<void(std::string_view type, std::string_view id)> refers_to;
};

/// The living resources of one type as they stood at one moment, in the order of creation, each once. Holds
/// one of them at a time, whatever their number.
///
/// Owner: one thread. Must not outlive the Store.
class Walk {
 public:
  ~Walk();
  Walk(Walk const&) = delete;
  Walk& operator=(Walk const&) = delete;

  /// nullopt: there are no more. A resource whose keys were destroyed meanwhile is passed over. Errors:
  /// kCorrupt (of the index), kTooCostly (limits::kExportRows), kUnavailable.
  Result<std::optional<StoredVersion>> next();
  /// Resources that could not be opened so far.
  std::uint64_t unreadable() const;

 private:
  friend class Store;
  struct State;
  explicit Walk(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace tacenda::records
