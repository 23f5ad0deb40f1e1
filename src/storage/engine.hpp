#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "core/bytes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"

namespace tacenda::storage {

/// What becomes of a batch when the engine knows of damage to what it holds.
enum class WhenDamaged : std::uint8_t {
  kRefuse,  // what a repair would have to take into account
  kWrite,   // what the reading of the rest depends on, as long as the engine can write at all
};

/// Changes that become durable together or not at all, in the order they were added.
/// Owner: one thread. Keys and values are any bytes; keys sort by unsigned byte.
class WriteBatch {
 public:
  struct Operation {
    Bytes key;
    std::optional<Bytes> value;  // nullopt: erase
  };

  void put(Bytes key, Bytes value) {
    size_bytes_ += key.size() + value.size();
    operations_.push_back({std::move(key), std::move(value)});
  }
  void erase(Bytes key) {
    size_bytes_ += key.size();
    operations_.push_back({std::move(key), std::nullopt});
  }
  void set_when_damaged(WhenDamaged when_damaged) { when_damaged_ = when_damaged; }
  WhenDamaged when_damaged() const { return when_damaged_; }
  std::vector<Operation> const& operations() const { return operations_; }
  std::size_t size_bytes() const { return size_bytes_; }
  bool empty() const { return operations_.empty(); }

 private:
  std::vector<Operation> operations_;
  std::size_t size_bytes_ = 0;
  WhenDamaged when_damaged_ = WhenDamaged::kRefuse;
};

/// A range of keys: from `begin` (inclusive) to `end` (exclusive; empty means to the last key).
struct Range {
  Bytes begin;
  Bytes end;
};

/// The range of all keys that start with `prefix`.
Range prefix_range(ByteView prefix);

/// Walks a range in one direction. Owner: one thread; must not outlive its Snapshot or Engine.
class Cursor {
 public:
  Cursor() = default;
  Cursor(Cursor const&) = delete;
  Cursor& operator=(Cursor const&) = delete;
  virtual ~Cursor() = default;

  /// True while the cursor stands on an entry. When it turns false, ask `status`: the range may have
  /// ended, or a damaged block may have stopped the walk.
  virtual bool valid() const = 0;
  /// Errors: kCorrupt (damage), kUnavailable (I/O).
  virtual Result<void> status() const = 0;
  virtual void next() = 0;
  /// Moves to the first entry at or after `key` (forward) or at or before it (reverse), within the range.
  virtual void seek(ByteView key) = 0;
  virtual ByteView key() const = 0;    // valid until the next move
  virtual ByteView value() const = 0;  // valid until the next move
};

enum class Direction : std::uint8_t { kForward, kReverse };

/// Reads one state. Thread-safe.
class Reader {
 public:
  Reader() = default;
  Reader(Reader const&) = delete;
  Reader& operator=(Reader const&) = delete;
  virtual ~Reader() = default;

  /// nullopt when the key does not exist. Errors: kCorrupt (authentication of a block failed),
  /// kUnavailable (I/O).
  virtual Result<std::optional<Bytes>> get(ByteView key) const = 0;
  /// The same of each key, in their order; quicker than one by one.
  virtual Result<std::vector<std::optional<Bytes>>> get_many(std::span<Bytes const> keys) const;
  virtual std::unique_ptr<Cursor> scan(Range const& range,
                                       Direction direction = Direction::kForward) const = 0;
};

/// The state at one moment; later writes do not show.
class Snapshot : public Reader {};

/// An ordered key-value store that survives a power cut. Everything above it is engine-agnostic.
///
/// Thread-safe. After `write` has failed with kUnavailable for any reason but a full disk, the engine
/// refuses every later write: retrying an fsync can report success for lost data.
class Engine : public Reader {
 public:
  /// Makes the batch durable (fsync before return).
  /// Errors, with nothing of the batch stored: kNoSpace (the disk is full), kCorrupt (a file is damaged: see
  /// WhenDamaged). kUnavailable: what is stored is not known.
  virtual Result<void> write(WriteBatch const& batch) = 0;

  /// True once a file was found damaged, at opening or by a read: batches of WhenDamaged::kRefuse are
  /// refused.
  virtual bool is_damaged() const = 0;

  virtual std::shared_ptr<Snapshot const> snapshot() const = 0;

  /// Rewrites the range so that erased and overwritten entries leave the files: those that no snapshot taken
  /// before still shows (see `oldest_snapshot`).
  virtual Result<void> compact(Range const& range) = 0;
  /// Has everything that is written from now on go into files that are made now, under keys lent now: no file
  /// of before is appended to any more, but for MARKS, which tells how long the logs are. Waits until what is
  /// in memory lies in tables. Errors: as `write`.
  virtual Result<void> begin_new_files() = 0;
  /// When the oldest snapshot that is still held was taken, to the second below; nullopt: there is none.
  virtual Result<std::optional<Time>> oldest_snapshot() const = 0;

  /// Reads every byte of every file and checks it, while others read and write. Gives the damaged ones.
  struct Damage {
    std::string file;  // name inside the data folder
  };
  virtual Result<std::vector<Damage>> verify_files() const = 0;

  /// Bytes on disk, all files.
  virtual Result<std::uint64_t> size_bytes() const = 0;
  /// About how many of them the entries of a range take; of what is not yet in its table, an estimate.
  virtual Result<std::uint64_t> size_bytes(Range const& range) const = 0;

  /// Flushes and closes. No other call may follow. Also done, without the result, by the destructor.
  virtual Result<void> close() = 0;
};

}  // namespace tacenda::storage
