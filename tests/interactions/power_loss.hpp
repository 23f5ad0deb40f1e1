#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/files.hpp"
#include "vault/vault.hpp"

namespace tacenda::operations::test {

/// A whole store (vault, engine, audit log, accounts, records) on a disk that loses what was not synced.
/// Clients write pairs of resources by transactions, the power goes at a random system call, and what is
/// there afterwards is compared with what had been acknowledged: no version lost, no half of a pair, no
/// acknowledgement without its audit entry, every proof holds. The faults follow from the seed; how the
/// threads meet does not.
///
/// Owner: one thread.
class StorePowerLoss {
 public:
  explicit StorePowerLoss(std::uint64_t seed);
  ~StorePowerLoss();
  StorePowerLoss(StorePowerLoss const&) = delete;
  StorePowerLoss& operator=(StorePowerLoss const&) = delete;

  /// The harness must find the loss that a missing fsync of this group causes (mutation test).
  void ignore_sync(storage::FileGroup group) { disk_->ignore_sync(group); }

  /// Runs `cuts` power cuts one after another. Returns what went wrong; empty when all was well.
  std::string run(int cuts);

  /// Transactions acknowledged so far.
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  class Opened;
  struct Receipted {
    std::uint64_t sequence;
    std::string marker;
  };
  /// Two resources that are only ever written together. One client writes them.
  struct Pair {
    std::string patient;
    std::string observation;
    std::vector<std::string> markers;  // of version i + 1, acknowledged
    std::optional<std::string> unknown;
  };

  Result<void> create();
  Result<std::unique_ptr<Opened>> open();
  void write_until_the_power_goes(Opened& store);
  void write_as_one_client(Opened& store, std::size_t client, std::uint64_t seed);
  std::string restart_and_compare();
  std::string compare(Opened& store);
  std::string compare_pair(Opened& store, Pair& pair);

  std::mt19937_64 random_;
  std::shared_ptr<storage::FaultDisk> disk_;  // shared with the engine
  std::unique_ptr<storage::Files> files_;
  vault::Places const places_{"/data", "/keys/store.key"};
  crypto::SystemRandom system_random_;
  SystemClock clock_;
  std::string token_;
  std::vector<Pair> pairs_;
  std::vector<std::vector<Receipted>> receipted_;  // by client, since the last comparison
  std::uint64_t acknowledged_ = 0;
};

}  // namespace tacenda::operations::test
