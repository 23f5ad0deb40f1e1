#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>

#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {

/// Writes random batches to an engine on a FaultDisk, cuts the power at a random system call, lets the
/// disk decide what survived, and compares what the engine then holds with what it had acknowledged.
/// Used by the tests and by storage_soak; everything but RocksDB's threads follows from the seed.
///
/// Owner: one thread.
class PowerLossReplay {
 public:
  explicit PowerLossReplay(std::uint64_t seed);

  /// The harness must find the loss that a missing fsync of this group causes (mutation test).
  void ignore_sync(FileGroup group) { disk_->ignore_sync(group); }

  /// Runs `cuts` power cuts after another. Returns what went wrong; empty when nothing was lost.
  std::string run(int cuts);

  /// Batches acknowledged so far.
  std::uint64_t acknowledged() const { return acknowledged_; }

 private:
  using State = std::map<std::string, std::string, std::less<>>;

  std::unique_ptr<Engine> open();
  void write_until_the_power_goes(Engine& engine);
  WriteBatch random_batch(State& after);
  std::string compare(Engine const& engine);
  std::string restart_and_compare();

  std::mt19937_64 random_;
  std::shared_ptr<FaultDisk> disk_;  // shared with the engine, which may be open
  FixedFileKeys keys_;
  crypto::SystemRandom system_random_;
  State state_;                      // everything acknowledged
  std::optional<State> also_valid_;  // with the batch that was under way when the power went
  std::uint64_t acknowledged_ = 0;
};

}  // namespace tacenda::storage
