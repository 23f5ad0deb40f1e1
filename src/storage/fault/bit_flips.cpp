#include "storage/fault/bit_flips.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "core/process.hpp"
#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/fault/fixed_file_keys.hpp"

namespace tacenda::storage {
namespace {

using State = std::map<std::string, std::string, std::less<>>;
using Files = std::map<std::string, Bytes>;

constexpr int kKeys = 400;

EmbeddedOptions options_on(std::shared_ptr<FaultDisk> disk) {
  return {.folder = "/data",
          .create = true,
          .block_cache_bytes = 1U << 20U,
          .memtable_bytes = 64 * 1024,
          .reserve_bytes = 0,
          .disk = disk};
}

/// A store with several tables and a write-ahead log that was not flushed, as after kill -9.
class Victim {
 public:
  explicit Victim(std::uint64_t seed) : random_(seed) {
    auto disk = std::make_shared<FaultDisk>(seed);
    auto const engine = open_embedded(options_on(disk), keys_, system_random_);
    TACENDA_ASSERT(engine.has_value());
    for (int i = 0; i < kKeys; ++i) write(**engine, i);
    TACENDA_ASSERT((*engine)->compact({}).has_value());
    for (int i = 0; i < 40; ++i) write(**engine, i);
    for (auto const& path : disk->files()) files_[path] = disk->content(path);
  }

  Files const& files() const { return files_; }
  State const& state() const { return state_; }

  /// The same files on a new disk.
  std::shared_ptr<FaultDisk> copy() const {
    auto disk = std::make_shared<FaultDisk>(1);
    TACENDA_ASSERT(disk->make_folder("/data").has_value());
    for (auto const& [path, content] : files_) {
      TACENDA_ASSERT(disk->create(path, FaultDisk::Existing::kRefuse).has_value());
      disk->set_content(path, content);
    }
    TACENDA_ASSERT(disk->sync_folder("/data").has_value());
    return disk;
  }

  Result<std::unique_ptr<Engine>> open(std::shared_ptr<FaultDisk> const& disk) {
    opened_keys_ = std::make_unique<FixedFileKeys>();  // each its own: what one copy destroys, another needs
    return open_embedded(options_on(disk), *opened_keys_, system_random_);
  }

 private:
  void write(Engine& engine, int i) {
    std::string const key = "key" + std::to_string(1000 + i);
    std::string value(random_() % 900, ' ');
    for (auto& c : value) c = static_cast<char>('a' + random_() % 26);
    WriteBatch batch;
    batch.put(to_bytes(key), to_bytes(value));
    TACENDA_ASSERT(engine.write(batch).has_value());
    state_[key] = std::move(value);
  }

  std::mt19937_64 random_;
  FixedFileKeys keys_;
  std::unique_ptr<FixedFileKeys> opened_keys_;
  crypto::SystemRandom system_random_;
  Files files_;
  State state_;
};

enum class Answer : std::uint8_t { kRight, kUnreadable, kWrong };

/// Reads every key at once. False: something else was given than there is.
bool reads_many_right(Engine const& engine, State const& state) {
  std::vector<Bytes> keys;
  for (auto const& [key, value] : state) keys.push_back(to_bytes(key));
  auto const found = engine.get_many(keys);
  if (!found.has_value()) return true;
  auto expected = state.begin();
  return std::ranges::all_of(*found, [&](std::optional<Bytes> const& value) {
    return value && as_text(*value) == (expected++)->second;
  });
}

/// Reads every key singly, all at once, and by a walk.
Answer ask(Engine const& engine, State const& state) {
  Answer answer = Answer::kRight;
  for (auto const& [key, value] : state) {
    auto const found = engine.get(as_bytes(key));
    if (!found) {
      answer = Answer::kUnreadable;
    } else if (!*found || as_text(**found) != value) {
      return Answer::kWrong;
    }
  }
  if (!reads_many_right(engine, state)) return Answer::kWrong;
  State walked;
  auto const cursor = engine.scan({});
  for (; cursor->valid(); cursor->next()) walked.emplace(as_text(cursor->key()), as_text(cursor->value()));
  if (cursor->status().has_value() && walked != state) return Answer::kWrong;
  for (auto const& [key, value] : walked) {
    auto const expected = state.find(key);
    if (expected == state.end() || expected->second != value) return Answer::kWrong;
  }
  return answer;
}

}  // namespace

FlipReport flip_bits(std::uint64_t seed, std::uint64_t flips) {
  Victim victim(seed);
  std::mt19937_64 random(seed);
  std::vector<std::string> paths;
  for (auto const& [path, content] : victim.files()) {
    if (!content.empty()) paths.push_back(path);
  }
  FlipReport report;
  for (; report.flips < flips; ++report.flips) {
    std::string const& path = paths[static_cast<std::size_t>(report.flips % paths.size())];
    Bytes content = victim.files().at(path);
    content[random() % content.size()] ^= static_cast<std::byte>(1U << (random() % 8));
    auto const disk = victim.copy();
    disk->set_content(path, content);
    auto const engine = victim.open(disk);
    if (!engine) {
      ++report.refused;
      continue;
    }
    switch (ask(**engine, victim.state())) {
      case Answer::kRight:
        ++report.harmless;
        break;
      case Answer::kUnreadable:
        ++report.unreadable;
        break;
      case Answer::kWrong:
        ++report.wrong;
        break;
    }
    // A file that is still there with the flip in it must be named; others were rewritten at opening.
    auto const damages = (*engine)->verify_files();
    std::string const name = path.substr(path.rfind('/') + 1);
    bool const kept = disk->content(path) == content;
    bool const named =
        damages && std::ranges::any_of(*damages, [&](auto const& d) { return d.file == name; });
    if (kept && !named) ++report.unnamed;
  }
  return report;
}

}  // namespace tacenda::storage
