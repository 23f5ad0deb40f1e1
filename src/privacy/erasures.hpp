#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "privacy/erasure.hpp"
#include "privacy/holds.hpp"
#include "records/store.hpp"
#include "vault/vault.hpp"

namespace tacenda::privacy {

/// The ledger of erasures: those that were ordered, are under way, are complete or were refused. Read from
/// the store each time. No row ever goes.
///
/// Owner: start. Thread-safe. Source: SECURITY_DESIGN sections 1 and 2; REQUIREMENTS G-07, K-10.
class Erasures {
 public:
  Erasures(vault::Vault& vault, records::Store const& store, Holds const& holds, Clock const& clock);

  /// Logical ids of those who have records of his as well, which change or go with an erasure.
  using Others = std::set<std::string, std::less<>>;

  /// What an erasure would begin with. Errors: kNotFound (nobody has such keys), kGone (erased already),
  /// kConflict (it is under way, or a hold on him or one of the others stands against it: `refused` keeps
  /// that).
  Result<vault::Alias> check(std::string_view patient, Others const& others = {}) const;

  /// Orders an erasure: `order` has id, patient, reason, grounds and asker; the rest is made here, of what is
  /// true now. From its commit on no record of the patient is written. The set is refused when a hold was set
  /// on him or one of the others, or another erasure ordered meanwhile. Errors: as check; kUnprocessable (no
  /// reason, one of over limits::kReasonBytes, an unknown ground).
  struct Change {
    vault::WriteSet set;
    Erasure erasure;
  };
  Result<Change> order(Erasure order, Others const& others = {}) const;
  /// Remembers that a hold stood against it; beyond kRefusedMax the log alone does. Errors: kCorrupt,
  /// kUnavailable.
  Result<Change> refused(Erasure order, HoldGround ground) const;
  /// What of an order is wrong by itself. Errors: kUnprocessable.
  static Result<void> check_order(Erasure const& order);

  /// The erasure as it stands then; the worker's alone, of which there is one.
  Result<void> put(Erasure const& erasure, vault::WriteSet& set) const;
  /// Puts the last row: what is certified, and where in the log event `event` of the set says so.
  Result<void> complete(Erasure const& erasure, std::string_view certificate, std::uint32_t event,
                        vault::WriteSet& set) const;

  Result<bool> is_under_way(std::string_view patient) const;
  /// Oldest first. Errors: kCorrupt, kUnavailable.
  Result<std::vector<Erasure>> all() const;
  /// Those that can be read, and what is wrong with the first of the others. Errors: kUnavailable, kCorrupt
  /// (a file is damaged).
  struct Readable {
    std::vector<Erasure> erasures;  // oldest first
    Result<void> damage;
  };
  Result<Readable> readable() const;
  /// Errors: kNotFound, kCorrupt, kUnavailable.
  Result<Erasure> find(std::string_view id) const;
  struct Certificate {
    std::string text;
    std::uint64_t sequence = 0;  // of the entry that says so
  };
  /// nullopt: it is not complete yet.
  Result<std::optional<Certificate>> certificate(std::string_view id) const;

 private:
  static constexpr std::ptrdiff_t kRefusedMax = 10'000;

  vault::Vault& vault_;
  records::Store const& store_;
  Holds const& holds_;
  Clock const& clock_;
  vault::View keys_;
  vault::SealedView rows_;
};

}  // namespace tacenda::privacy
