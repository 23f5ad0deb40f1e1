#pragma once

#include <functional>
#include <vector>

#include "audit/event.hpp"
#include "audit/internal/commit_queue.hpp"
#include "audit/internal/entry_header.hpp"
#include "core/bytes.hpp"
#include "vault/vault.hpp"

namespace tacenda::audit {

/// Seals events into log entries and opens them again. Two layers: the outer one under the store's audit
/// key hides whose entry it is (the alias), the inner one under the audit key of the patient, so that
/// erasing him closes his entries and nothing else.
///
/// Owner: the Log. Thread-safe.
class EntrySealer {
 public:
  explicit EntrySealer(vault::Vault const& vault);

  /// Seals the events of `pending`, whose set may bring the keys of a patient along, into its entries and
  /// index rows, in the place of what was there.
  Result<void> seal_events(Pending& pending) const;

  /// Reads the row of the long body of the given entry.
  using LongBody = std::function<Result<std::optional<Bytes>>(std::uint64_t sequence)>;
  /// Opens a stored entry. An entry whose key was destroyed comes back with readable = false.
  /// Errors: kCorrupt, kUnsupported, kUnavailable.
  Result<Entry> open(ByteView entry, LongBody const& long_body) const;

  /// Alias of the patient an entry is sealed for; nullopt: it is sealed for the tenant. Works after the
  /// patient's erasure, too. Errors: as open.
  Result<std::optional<vault::Alias>> alias_of(ByteView entry) const;

  /// The keys under which entries about `patient` are sealed now; nullptr when he has none (never made, or
  /// destroyed). Errors: kCorrupt, kUnavailable.
  Result<std::shared_ptr<vault::SubjectKeys const>> keys_of(std::string const& patient) const;

 private:
  using Keys = std::shared_ptr<vault::SubjectKeys const>;
  struct Opened {
    EntryHeader header;
    vault::Alias alias;
    Bytes body;  // still sealed for the alias
  };
  struct Sealed {
    Bytes entry;
    std::optional<Bytes> long_body;
  };

  /// Event `index` of its commit.
  Result<void> add(Event const& event, std::uint32_t index, Pending& pending) const;
  Result<Keys> keys_for_write(std::string const& patient, vault::WriteSet& set) const;
  Result<Sealed> seal(Event const& event, vault::SubjectKeys const& keys) const;
  Result<Opened> open_outer(ByteView entry) const;
  Result<Keys> keys_behind(vault::Alias const& alias) const;
  Bytes associated_data(std::string_view label, EntryHeader const& header, ByteView more) const;

  vault::Vault const& vault_;
  vault::View rows_;
  Bytes context_;  // store and tenant: the part of the associated data that is the same for all entries
};

}  // namespace tacenda::audit
