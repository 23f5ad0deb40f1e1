#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "crypto/random.hpp"
#include "storage/embedded/open.hpp"
#include "storage/fault/fault_disk.hpp"
#include "storage/files.hpp"
#include "vault/vault.hpp"

namespace tacenda::vault {

/// Commits in the place of audit::Committer, for tests of the rooms below audit.
struct VaultTestAccess {
  static Result<void> commit(Vault& vault, WriteSet& set, std::uint64_t first_sequence,
                             std::uint64_t time_ms) {
    Vault::Stamped const only{&set, first_sequence, time_ms};
    return vault.commit(std::span(&only, 1));
  }
};

namespace testing {

/// A store on a disk in memory, with the real engine; for tests only. It can be closed, opened again, and
/// changed behind its back.
class TestStore {
 public:
  explicit TestStore(std::uint64_t seed = 1) : disk(std::make_shared<storage::FaultDisk>(seed)) {
    files = storage::fault_files(disk);
    EXPECT_TRUE(disk->make_folder("/keys").has_value());
    auto const made = Vault::create(*files, places, random, clock);
    EXPECT_TRUE(made.has_value()) << (made ? "" : made.error().message());
    auto const opened = open();
    EXPECT_TRUE(opened.has_value()) << (opened ? "" : opened.error().message());
  }

  Result<void> open(Unlock const& unlock = {}) {
    auto fresh = TACENDA_TRY(Vault::unseal(*files, places, unlock, random, clock));
    auto opened = TACENDA_TRY(open_engine(*fresh));
    engine = opened.get();
    auto attached = fresh->attach(std::move(opened));
    if (!attached.has_value()) {
      engine = nullptr;
      return attached;
    }
    fresh->order().start_at(leaves_);
    vault = std::move(fresh);
    return {};
  }
  /// The engine of the store, for a vault that nothing is attached to yet.
  Result<std::unique_ptr<storage::Engine>> open_engine(Vault& of) {
    storage::EmbeddedOptions options;
    options.folder = places.data / "engine";
    options.create = true;
    options.block_cache_bytes = 1 << 20U;
    options.memtable_bytes = 1 << 20U;
    options.disk = disk;
    return storage::open_embedded(options, of.file_keys(), random);
  }
  void close() {
    engine = nullptr;
    vault.reset();
  }
  Result<void> reopen() {
    close();
    return open();
  }

  /// What the audit log's committer does with one set. Errors: kConflict, those of the engine.
  Result<void> commit(WriteSet set) {
    CommitOrder::Turn const turn(vault->order());
    if (!vault->order().admits(set)) return fail(ErrorKind::kConflict, "another commit was faster");
    vault->order().admit(set, leaves_ + 1);
    TACENDA_TRY_VOID(VaultTestAccess::commit(*vault, set, leaves_, to_unix_ms(clock.now())));
    vault->order().publish(++leaves_);
    return {};
  }

  /// Makes keys for each of `subjects`, committed.
  void make(std::initializer_list<Subject> subjects) {
    WriteSet set;
    for (auto const& subject : subjects) {
      auto const keys = vault->subject_for_write(subject, set);
      ASSERT_TRUE(keys.has_value()) << keys.error().message();
    }
    auto const committed = commit(std::move(set));
    ASSERT_TRUE(committed.has_value()) << committed.error().message();
  }

  std::shared_ptr<storage::FaultDisk> disk;  // shared with the engine
  std::unique_ptr<storage::Files> files;
  Places places{"/data", "/keys/store.key"};
  crypto::SystemRandom random;
  ManualClock clock{from_unix_ms(1'800'000'000'000)};
  std::unique_ptr<Vault> vault;
  storage::Engine* engine = nullptr;  // the vault's: rows can be changed past it

 private:
  std::uint64_t leaves_ = 0;
};

}  // namespace testing
}  // namespace tacenda::vault
