#pragma once

#include <functional>
#include <vector>

#include "audit/event.hpp"
#include "audit/internal/commit_queue.hpp"
#include "audit/internal/entry_header.hpp"
#include "audit/internal/event_codec.hpp"
#include "audit/internal/query_codec.hpp"
#include "core/bytes.hpp"
#include "vault/vault.hpp"

namespace tacenda::audit {

/// Seals events into log entries and opens them again. Two layers: the outer one under the store's audit
/// key hides whose entry it is (the alias), the inner one under the audit key of the patient, so that
/// erasing him closes his entries and nothing else. The text of a request stands once, under a key that needs
/// the keys of all patients whom it matched or names (docs/adr/0007).
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
  struct Opened {
    Entry entry;
    QueryMark mark;
  };
  /// Opens a stored entry, but not its query. An entry whose key was destroyed comes back with readable =
  /// false. Errors: kCorrupt, kUnsupported, kUnavailable.
  Result<Opened> open(ByteView entry, LongBody const& long_body) const;

  /// The plaintext of a row of a query, for decode_query_row. Errors: kCorrupt, kUnsupported.
  Result<Bytes> open_query_row(ByteView stored) const;
  /// What `row` holds, for decode_query, with the keys of its aliases. Errors: kCorrupt.
  Result<Bytes> open_query(QueryRow const& row,
                           std::span<std::shared_ptr<vault::SubjectKeys const> const> keys) const;
  /// Keys of the tenant or of a patient; nullptr when they are destroyed. Errors: kCorrupt, kUnavailable.
  Result<std::shared_ptr<vault::SubjectKeys const>> keys_behind(vault::Alias const& alias) const;

  /// Alias of the patient an entry is sealed for; nullopt: it is sealed for the tenant. Works after the
  /// patient's erasure, too. Errors: as open.
  Result<std::optional<vault::Alias>> alias_of(ByteView entry) const;

  /// The keys under which entries about `patient` are sealed now; nullptr when he has none (never made, or
  /// destroyed). Errors: kCorrupt, kUnavailable.
  Result<std::shared_ptr<vault::SubjectKeys const>> keys_of(std::string const& patient) const;

 private:
  using Keys = std::shared_ptr<vault::SubjectKeys const>;
  struct Outer {
    EntryHeader header;
    vault::Alias alias;
    Bytes body;  // still sealed for the alias
  };
  struct Sealed {
    Bytes entry;
    std::optional<Bytes> long_body;
  };
  struct Found {
    Keys keys;            // null: he has none
    bool erased = false;  // he had
  };
  /// An event, with what its patients' keys make of it.
  struct Prepared {
    Keys keys;                    // of the body
    std::vector<Bytes> prefixes;  // of its index rows
    std::optional<std::size_t> query;
  };
  /// A text of the commit, with all who can close it.
  struct Query {
    std::uint32_t event = 0;  // the first that has it
    std::vector<Keys> keys;
    bool erased = false;
    QueryMark mark{};
  };
  class Queries;

  Result<Found> find_for_write(std::string const& patient, vault::WriteSet& set) const;
  Result<Prepared> prepare(Event const& event, std::uint32_t index, Pending& pending, Queries& queries) const;
  Result<void> seal_queries(Pending& pending, Queries& queries) const;
  Result<Bytes> seal_query(Event const& event, Query& query) const;
  Result<Sealed> seal(Event const& event, QueryMark const& mark, vault::SubjectKeys const& keys) const;
  LogRow row(Bytes prefix, Bytes value, std::uint32_t event, Pending& pending) const;
  Result<Outer> open_outer(ByteView entry) const;
  Bytes associated_data(std::string_view label, EntryHeader const& header, ByteView more) const;
  Bytes associated_data(std::string_view label, ByteView more) const;

  vault::Vault const& vault_;
  vault::View rows_;
  Bytes context_;  // store and tenant: the part of the associated data that is the same for all entries
};

}  // namespace tacenda::audit
