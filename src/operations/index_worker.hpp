#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <vector>

#include "access/gate.hpp"
#include "audit/log.hpp"
#include "fhir/search_parameters.hpp"
#include "records/indexer.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

/// Holds the index to the SearchParameter resources that are stored: an active one is indexed and then
/// answered, one that is changed, retired or deleted goes. Writes the index anew where that is needed or
/// asked for. All of it while the server serves, and recorded.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
/// Source: R4 searchparameter.html.
class IndexWorker {
 public:
  struct Parts {
    records::Store const& store;
    records::Indexer& indexer;
    access::Gate const& gate;
    audit::Log& log;
  };

  explicit IndexWorker(Parts parts) : parts_(parts) {}

  /// Before anything is written: takes up the state of the index. Errors: those of Indexer::open.
  Result<void> open();
  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);
  /// One look, one part of the work; false when nothing is left to do. `run` calls it; tests may, in its
  /// place. Errors: those of the store.
  Result<bool> step();
  /// The whole index is written again as soon as the work at hand is done. Thread-safe.
  void renew() { wants_renewal_ = true; }
  bool is_to_renew() const { return wants_renewal_; }

 private:
  Result<void> commit(vault::WriteSet set, std::string_view what);
  Result<void> look();
  Result<std::vector<fhir::ParameterDefinition>> definitions();

  Parts parts_;
  std::optional<std::uint64_t> looked_at_;  // newest change of any SearchParameter
  bool is_blind_ = false;                   // a definition cannot be read, which was told
  std::atomic<bool> wants_renewal_ = false;
};

/// Refuses a SearchParameter that is active and cannot be indexed. Errors: kUnprocessable.
Result<void> check_search_parameter(fhir::Resource const& resource);

}  // namespace tacenda::operations
