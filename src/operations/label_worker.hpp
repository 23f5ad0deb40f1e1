#pragma once

#include <atomic>
#include <cstdint>
#include <stop_token>
#include <string_view>

#include "access/gate.hpp"
#include "audit/log.hpp"
#include "core/clock.hpp"
#include "records/store.hpp"

namespace tacenda::operations {

/// Puts the security labels that the policy's rules demand on what is stored already: a rule that is new is
/// for records of before, too. A record that lacks one gets a new version; none ever loses a label by it. All
/// of it while the server serves, and recorded.
///
/// Owner: start, which gives `run` a thread. Everything it is made of outlives it.
/// Source: REQUIREMENTS C-17.
class LabelWorker {
 public:
  struct Parts {
    records::Store const& store;
    access::Gate const& gate;
    audit::Log& log;
    Clock const& clock;
  };
  struct Progress {
    bool is_at_work = false;
    std::uint64_t looked_at = 0;  // of this run, or of the last
    std::uint64_t labelled = 0;
    std::uint64_t failed = 0;  // could not be read, or labelled: what `verify` and the server's log name
  };

  explicit LabelWorker(Parts parts) : parts_(parts) {}

  /// Works until asked to stop. One thread.
  void run(std::stop_token stop);
  /// One run over all records under the policy that holds. `run` calls it; tests may, in its place. Errors:
  /// kUnavailable (asked to stop, or the index cannot be read), kCorrupt, those of the log.
  Result<void> label_all(std::stop_token const& stop);
  /// Asks for a run; one that is under way begins anew. Thread-safe, as is the next.
  void renew() { is_wanted_ = true; }
  Progress progress() const;

 private:
  Result<void> label_type(std::string_view type, std::stop_token const& stop);
  Result<void> label(records::StoredVersion const& version);
  Result<bool> try_label(std::string_view type, ResourceId const& id);

  Parts parts_;
  std::atomic<bool> is_wanted_ = false;
  std::atomic<bool> is_at_work_ = false;
  std::atomic<std::uint64_t> looked_at_ = 0;
  std::atomic<std::uint64_t> labelled_ = 0;
  std::atomic<std::uint64_t> failed_ = 0;
};

}  // namespace tacenda::operations
