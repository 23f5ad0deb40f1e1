#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/bytes.hpp"

namespace tacenda::vault {

class SubjectKeys;

/// 64-bit hash of a key or criterion that a write depends on or changes. A collision costs one retry.
enum class Guard : std::uint64_t {};

/// Everything that one commit will do. Keepers fill it through their View, the pipeline merges the sets
/// of one request, and audit::Log::commit makes it durable together with its events.
///
/// Stamps: some bytes are known only to the committer. A *stamped value* begins with 16 bytes that the
/// committer overwrites with {leaf sequence of the event, commit time in Unix ms}; a *stamped key* ends
/// in 8 bytes that it overwrites with the leaf sequence. `event` is the index of the event among the
/// events that are committed with this set.
///
/// Owner: one thread.
class WriteSet {
 public:
  enum class Stamp : std::uint8_t { kNone, kValue, kKey };
  struct Operation {
    Bytes key;                   // whole engine key, made by a View
    std::optional<Bytes> value;  // nullopt: erase
    Stamp stamp = Stamp::kNone;
    std::uint32_t event = 0;
  };
  /// One item enters or leaves the multiset hash of the current state.
  struct StateChange {
    Bytes item;
    bool added;
  };

  WriteSet() = default;
  WriteSet(WriteSet&&) noexcept = default;
  WriteSet& operator=(WriteSet&&) noexcept = default;
  WriteSet(WriteSet const&) = delete;
  WriteSet& operator=(WriteSet const&) = delete;
  ~WriteSet() = default;

  void add(Operation operation);
  void change_state(StateChange change) { state_changes_.push_back(std::move(change)); }

  /// The reads behind this set were made when `sequence` leaves were committed; the earliest call counts.
  void read_at(std::uint64_t sequence);
  /// Keys of subjects were looked for after `erasures` erasures (CommitOrder::erasures); the earliest call
  /// counts. The set is refused when there was one since.
  void found_keys_at(std::uint64_t erasures);
  /// The set is refused when another commit touched `guard` after the reads were made.
  void depends_on(Guard guard) { dependencies_.push_back(guard); }
  /// Committing this set refuses every set that depends on `guard` and read before. Does not itself depend
  /// on `guard`: whoever needs both calls both.
  void touches(Guard guard) { touched_.push_back(guard); }
  /// Whoever keeps something that he read under `guard` learns of this commit from CommitOrder::announced,
  /// from before it is visible on.
  void announces(Guard guard) { announced_.push_back(guard); }

  /// Has `change` called once when the set is stored, before anything can be read at its sequence: what
  /// somebody keeps in memory of it changes then, and so neither before it is durable nor after a reader
  /// could take it for unchanged. On the committer's thread: it must be short, and waits for no commit.
  void when_stored(std::move_only_function<void()> change) { when_stored_.push_back(std::move(change)); }
  /// For the Vault alone.
  void stored();

  /// Kept alive until the set is committed or dropped: a page of the key vault that must not be re-keyed
  /// while keys sealed under it are on their way to the store.
  void pin(std::shared_ptr<void const> in_use) { pins_.push_back(std::move(in_use)); }

  /// Appends `other`, whose events will stand `event_offset` places later in the common list.
  void merge(WriteSet&& other, std::uint32_t event_offset);

  bool empty() const { return operations_.empty(); }
  std::size_t size_bytes() const { return size_bytes_; }
  std::optional<std::uint64_t> read_sequence() const { return read_sequence_; }
  std::optional<std::uint64_t> keys_found() const { return keys_found_; }
  std::vector<Operation>& operations() { return operations_; }
  std::vector<Operation> const& operations() const { return operations_; }
  std::vector<StateChange> const& state_changes() const { return state_changes_; }
  std::vector<Guard> const& dependencies() const { return dependencies_; }
  std::vector<Guard> const& touched() const { return touched_; }
  std::vector<Guard> const& announced() const { return announced_; }

  /// Keys that this set makes and that no reader of the store can see yet, by subject.
  std::map<std::string, std::shared_ptr<SubjectKeys const>, std::less<>>& new_subjects() {
    return new_subjects_;
  }

 private:
  std::vector<Operation> operations_;
  std::vector<StateChange> state_changes_;
  std::vector<Guard> dependencies_;
  std::vector<Guard> touched_;
  std::vector<Guard> announced_;
  std::optional<std::uint64_t> read_sequence_;
  std::optional<std::uint64_t> keys_found_;
  std::map<std::string, std::shared_ptr<SubjectKeys const>, std::less<>> new_subjects_;
  std::vector<std::move_only_function<void()>> when_stored_;
  std::vector<std::shared_ptr<void const>> pins_;
  std::size_t size_bytes_ = 0;
};

}  // namespace tacenda::vault
