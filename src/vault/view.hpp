#pragma once

#include <functional>
#include <memory>
#include <optional>

#include "core/bytes.hpp"
#include "core/error.hpp"
#include "storage/engine.hpp"
#include "vault/write_set.hpp"

namespace tacenda::vault {

class Vault;

/// The rooms that keep rows, each under a key prefix it cannot leave (LAYOUT, wall 7).
enum class Keeper : std::uint8_t {
  kAudit = 'a',
  kIdentity = 'i',
  kKeys = 'k',
  kMonitor = 'm',
  kAuthorization = 'o',
  kPrivacy = 'd',
  kPolicy = 'p',
  kRecords = 'r',
  kState = 's',
  kExports = 'x',
};

/// One consistent state to read from, and the commit sequence up to which it surely reaches.
class ReadPoint {
 public:
  std::uint64_t sequence() const { return sequence_; }

 private:
  friend class Vault;
  friend class View;
  ReadPoint(std::shared_ptr<storage::Snapshot const> snapshot, std::uint64_t sequence,
            std::shared_ptr<void const> in_use)
      : snapshot_(std::move(snapshot)), sequence_(sequence), in_use_(std::move(in_use)) {}
  std::shared_ptr<storage::Snapshot const> snapshot_;  // shared: copies of a ReadPoint see one state
  std::uint64_t sequence_;
  std::shared_ptr<void const> in_use_;  // no term of what it shows is destroyed meanwhile
};

/// Walks some rows of a View forwards. Owner: one thread. When `valid` turns false, ask `status`: the rows
/// may have ended, or damage may have stopped the walk.
class ViewCursor {
 public:
  bool valid() const { return cursor_->valid(); }
  Result<void> status() const { return cursor_->status(); }
  void next() { cursor_->next(); }
  /// To the first row at or after `key`.
  void seek(ByteView key);
  ByteView key() const { return cursor_->key().subspan(prefix_.size()); }  // valid until the next move
  ByteView value() const { return cursor_->value(); }                      // valid until the next move

 private:
  friend class View;
  ViewCursor(std::unique_ptr<storage::Cursor> cursor, Bytes prefix)
      : cursor_(std::move(cursor)), prefix_(std::move(prefix)) {}
  std::unique_ptr<storage::Cursor> cursor_;
  Bytes prefix_;
};

/// A keeper's rows: engine keys that start with keeper byte || tenant (16 bytes); `key` below is what
/// follows. Reads the newest state, or that of `at` when given. Values are stored as given: whoever
/// needs an envelope seals first (records, audit), or uses SealedView (identity, policy, state).
/// Thread-safe; cheap to copy; must not outlive the Vault.
class View {
 public:
  /// nullopt: no such row. Errors: kCorrupt, kUnavailable.
  Result<std::optional<Bytes>> get(ByteView key, ReadPoint const* at = nullptr) const;
  /// The same of each key, in their order; quicker than one by one.
  Result<std::vector<std::optional<Bytes>>> get_many(std::span<Bytes const> keys, ReadPoint const& at) const;

  /// Calls `visit` for each row whose key starts with `prefix`, from `from` on (inclusive; empty: the
  /// start), in key order (or from `from` downwards when reverse), until it returns false. Keys are
  /// given without the view's own prefix; both views are valid for the call only.
  Result<void> scan(ByteView prefix, ByteView from, storage::Direction direction,
                    std::function<Result<bool>(ByteView key, ByteView value)> const& visit,
                    ReadPoint const* at = nullptr) const;
  Result<void> scan(ByteView prefix,
                    std::function<Result<bool>(ByteView key, ByteView value)> const& visit) const {
    return scan(prefix, {}, storage::Direction::kForward, visit);
  }

  /// Rows of [begin, end) in key order, for callers that move about in them. Must not outlive the Vault or
  /// `at`.
  ViewCursor cursor(ByteView begin, ByteView end, ReadPoint const& at) const;

  /// About how many bytes on disk the rows take whose key starts with `prefix`. Errors: kUnavailable.
  Result<std::uint64_t> size_bytes(ByteView prefix) const;

  void put(WriteSet& set, ByteView key, Bytes value) const;
  /// `value` starts with 16 bytes for the committer (see WriteSet).
  void put_stamped_value(WriteSet& set, ByteView key, Bytes value, std::uint32_t event) const;
  /// `key` ends in 8 bytes for the committer.
  void put_stamped_key(WriteSet& set, ByteView key, Bytes value, std::uint32_t event) const;
  void erase(WriteSet& set, ByteView key) const;

  /// Guard of one of this view's rows, or of any other text the keeper chooses (a criterion).
  Guard guard(ByteView key) const;

  /// The whole engine key, for associated data.
  Bytes full_key(ByteView key) const;

 private:
  friend class Vault;
  View(storage::Engine const& engine, Bytes prefix) : engine_(&engine), prefix_(std::move(prefix)) {}
  storage::Engine const* engine_;
  Bytes prefix_;
};

/// A View whose values are sealed under a purpose key with the whole key as associated data, so that no
/// row can stand in another's place. Thread-safe.
class SealedView {
 public:
  Result<std::optional<Bytes>> get(ByteView key, ReadPoint const* at = nullptr) const;
  Result<void> scan(ByteView prefix,
                    std::function<Result<bool>(ByteView key, ByteView plaintext)> const& visit) const;
  Result<void> put(WriteSet& set, ByteView key, ByteView plaintext) const;
  void erase(WriteSet& set, ByteView key) const { view_.erase(set, key); }
  Guard guard(ByteView key) const { return view_.guard(key); }

 private:
  friend class Vault;
  SealedView(Vault const& vault, View view, std::uint8_t purpose)
      : vault_(&vault), view_(std::move(view)), purpose_(purpose) {}
  Vault const* vault_;
  View view_;
  std::uint8_t purpose_;
};

}  // namespace tacenda::vault
