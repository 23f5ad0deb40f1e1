#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "core/error.hpp"
#include "core/mutex.hpp"
#include "fhir/search_parameters.hpp"
#include "records/store.hpp"
#include "vault/write_set.hpp"

namespace tacenda::records {

struct IndexState;

/// Errors: kUnprocessable (an expression is no FHIRPath).
Result<void> check_expressions(fhir::ParameterDefinition const& definition);

/// Changes what the index holds while the store is in use: takes search parameters in and out, and writes the
/// index anew when R4's own are read in another way than when it was written. What is done is in the store:
/// work that was cut off goes on where it stood.
///
/// Rows of a parameter that is no more go first, then the resources are walked for those that are new: a
/// parameter that is taken out and in again never meets rows of its first life.
///
/// Owner: start; one thread calls, but for `progress`. Outlived by the store.
class Indexer {
 public:
  /// Makes a set durable, with an event of the caller's. Errors: those of audit::Log::commit.
  using Commit = std::function<Result<void>(vault::WriteSet)>;

  explicit Indexer(Store& store);
  ~Indexer();
  Indexer(Indexer const&) = delete;
  Indexer& operator=(Indexer const&) = delete;

  /// Takes up what the store says. Must be called before the store is written to. Errors: kCorrupt, those of
  /// `commit`.
  Result<void> open(Commit const& commit);

  /// Makes these the defined parameters. What is new is answered when it is indexed. False: it must wait
  /// until rows of others are gone (call again when `step` has nothing left to do). Errors: those of commit.
  Result<bool> define(std::vector<fhir::ParameterDefinition> const& definitions, Commit const& commit);

  /// Every row is written again, while searches go on. Errors: those of commit.
  Result<void> renew(Commit const& commit);

  /// A part of the work that is left; false: there is none. Errors: those of the store and of commit
  /// (kConflict: others were faster, call again).
  Result<bool> step(Permit const& permit, Commit const& commit);

  struct Progress {
    bool is_at_work = false;
    bool answers = true;      // searches are answered
    std::uint64_t done = 0;   // resources
    std::uint64_t total = 0;  // when the work began
    std::size_t defined = 0;  // parameters beside R4's own
    std::size_t awaited = 0;  // of them, those that are not ready
  };
  Progress progress() const;  // thread-safe

 private:
  class Step;
  static constexpr std::size_t kStepResources = 2'000;
  /// Makes `next` the state of the index, for everyone who begins from then on.
  Result<void> change(IndexState next, Commit const& commit);
  /// Reads the state back and lets the store know. Holds the store's index_mutex_.
  Result<void> load() TACENDA_REQUIRES(store_.index_mutex_);
  void take(IndexState state);
  std::uint64_t count_resources() const;
  IndexState state() const;
  Result<bool> sweep(Commit const& commit);
  Result<bool> walk(Permit const& permit, Commit const& commit);

  Store& store_;
  // Writers of what a step looks at make it begin again: a smaller one is done before they come.
  std::size_t step_resources_ = kStepResources;
  mutable Mutex mutex_;
  std::unique_ptr<IndexState> state_ TACENDA_GUARDED_BY(mutex_);
};

}  // namespace tacenda::records
