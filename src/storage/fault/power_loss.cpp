#include "storage/fault/power_loss.hpp"

#include <utility>

namespace tacenda::storage {
namespace {

constexpr int kKeys = 48;
constexpr std::size_t kValueBytesMax = 3'000;
constexpr std::uint64_t kCallsPerCutMax = 300;
constexpr std::size_t kMemtableBytes = 64 * 1024;  // small, so that tables and MANIFEST change often

}  // namespace

PowerLossReplay::PowerLossReplay(std::uint64_t seed)
    : random_(seed), disk_(std::make_shared<FaultDisk>(seed ^ 0x9E3779B97F4A7C15U)) {}

std::unique_ptr<Engine> PowerLossReplay::open() {
  EmbeddedOptions const options{.folder = "/data",
                                .create = state_.empty(),
                                .block_cache_bytes = 1U << 20U,
                                .memtable_bytes = kMemtableBytes,
                                .reserve_bytes = 0,
                                .disk = disk_};
  auto engine = open_embedded(options, keys_, system_random_);
  return engine ? std::move(*engine) : nullptr;
}

std::string PowerLossReplay::run(int cuts) {
  for (int i = 0; i < cuts; ++i) {
    // The first cuts often fall into the making of the store, the later ones anywhere.
    disk_->cut_power_in(1 + random_() % (i == 0 ? 80 : kCallsPerCutMax));
    if (auto const engine = open()) {
      if (i > 0) {
        if (auto wrong = compare(*engine); !wrong.empty() && !disk_->power_is_cut()) return wrong;
      }
      write_until_the_power_goes(*engine);
    } else if (!disk_->power_is_cut()) {
      return "the store does not open";
    }
    if (auto wrong = restart_and_compare(); !wrong.empty()) return wrong;
  }
  return {};
}

void PowerLossReplay::write_until_the_power_goes(Engine& engine) {
  while (true) {
    State after = state_;
    WriteBatch const batch = random_batch(after);
    if (random_() % 64 == 0) {
      // Compaction as the privacy code asks for it. It may be what the power cut falls into.
      if (!engine.compact({}).has_value()) return;
    }
    if (!engine.write(batch).has_value()) {
      also_valid_ = std::move(after);
      return;
    }
    state_ = std::move(after);
    ++acknowledged_;
  }
}

WriteBatch PowerLossReplay::random_batch(State& after) {
  WriteBatch batch;
  std::size_t const size = 1 + random_() % 6;
  for (std::size_t i = 0; i < size; ++i) {
    std::string const key = "key" + std::to_string(random_() % kKeys);
    if (random_() % 5 == 0) {
      batch.erase(to_bytes(key));
      after.erase(key);
      continue;
    }
    std::string value = "batch " + std::to_string(acknowledged_) + " ";
    value.resize(value.size() + random_() % kValueBytesMax, 'v');
    batch.put(to_bytes(key), to_bytes(value));
    after[key] = std::move(value);
  }
  // Twice the number of the batch, at both ends of the key range: half a batch cannot go unseen.
  for (auto const* key : {"a first", "z last"}) {
    batch.put(to_bytes(key), to_bytes(std::to_string(acknowledged_)));
    after[key] = std::to_string(acknowledged_);
  }
  return batch;
}

std::string PowerLossReplay::restart_and_compare() {
  disk_->restart();
  if (random_() % 4 == 0) {
    // The power goes again while the store recovers.
    disk_->cut_power_in(1 + random_() % 60);
    (void)open();  // closed again at once; whether it opened does not matter
    disk_->restart();
  }
  auto const engine = open();
  if (!engine) return "the store does not open after the power cut";
  return compare(*engine);
}

std::string PowerLossReplay::compare(Engine const& engine) {
  State found;
  auto const cursor = engine.scan({});
  for (; cursor->valid(); cursor->next()) found.emplace(as_text(cursor->key()), as_text(cursor->value()));
  if (!cursor->status().has_value()) return "the store cannot be read";
  if (also_valid_ && found == *also_valid_) state_ = *std::exchange(also_valid_, std::nullopt);
  also_valid_.reset();
  if (found == state_) return {};
  return "the store does not hold what was acknowledged";
}

}  // namespace tacenda::storage
