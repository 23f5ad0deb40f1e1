#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/consent.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "records/store.hpp"

namespace tacenda::access {

/// Why a person has to do with a patient; the word that the audit log keeps (`explained_by`).
enum class Relation : std::uint8_t {
  kNone,
  kCareTeam,
  kEncounter,
  kAppointment,
  kOrder,
  kEmergency,
  kSelf,
  kProxy
};
std::string_view word_of(Relation relation);

/// What was learned from the records, until a commit announces that it may be otherwise. Thread-safe.
template <typename Value>
class Kept {
 public:
  /// The value of `key`, read by `read` (a Result<Value>) unless it is known and stands. Errors: those of
  /// `read`.
  template <typename Read>
  Result<Value> get(records::Store const& store, std::string const& key, records::Decisive kind,
                    std::string_view name, Read read) {
    {
      ReadLock const lock(mutex_);
      auto const found = entries_.find(key);
      if (found != entries_.end() && store.decided_at(kind, name) <= found->second.as_of)
        return found->second.value;
    }
    // First as of when, then the question: a commit in between makes the answer stale, and not unnoticed.
    std::uint64_t const as_of = store.committed();
    Value value = TACENDA_TRY(read());
    WriteLock const lock(mutex_);
    // Beyond that all are forgotten, which costs time alone.
    if (entries_.size() >= kEntries) entries_.clear();
    entries_.insert_or_assign(key, Entry{value, as_of});
    return value;
  }

 private:
  static constexpr std::size_t kEntries = 100'000;
  struct Entry {
    Value value;
    std::uint64_t as_of = 0;
  };
  SharedMutex mutex_;
  std::unordered_map<std::string, Entry> entries_ TACENDA_GUARDED_BY(mutex_);
};

/// What decisions look at in the records: consents, treating relations, roles of practitioners, labels. Kept,
/// and read again after a commit that changes it: what was withdrawn is so for the next decision.
///
/// Owner: start. Thread-safe. Reads with a Permit of the server's own.
class Evidence {
 public:
  struct Times {
    std::chrono::hours grace_after_encounter{72};    // an ended encounter still explains
    std::chrono::hours around_appointment{14 * 24};  // before its start, and half of it after
  };
  /// `reader`: the server's own permit to read. `store` outlives this.
  Evidence(records::Store const& store, Permit reader);

  using Consents = std::shared_ptr<std::vector<Consent> const>;
  /// Active privacy consents of a patient; never nullptr. One that cannot be read denies everything. Errors:
  /// kUnavailable (the index is being written anew), kCorrupt.
  Result<Consents> consents_of(std::string_view patient) const;

  /// Errors: as consents_of.
  Result<Relation> relation(std::string_view practitioner, std::string_view patient, Time now) const;

  /// "Practitioner/1", and what his roles name: "PractitionerRole/2", "Organization/3". Errors: as
  /// consents_of.
  Result<std::shared_ptr<std::vector<std::string> const>> actors_of(std::string_view practitioner) const;

  /// False: there is no Consent at all. Errors: kUnavailable.
  Result<bool> has_consents() const;
  /// False: no resource of the type has a label. Errors: kUnavailable.
  Result<bool> has_labels(std::string_view type) const;

 private:
  struct Bond {
    Relation relation;
    std::optional<Time> from;   // nullopt: always
    std::optional<Time> until;  // nullopt: for good
  };
  using Bonds = std::vector<Bond>;

  Result<Consents> read_consents(std::string_view patient) const;
  Result<std::vector<codec::Json>> consents_without_index(std::string_view patient) const;
  Result<Bonds> read_bonds(std::string_view practitioner, std::string_view patient) const;
  Result<std::vector<std::string>> read_actors(std::string_view practitioner) const;
  /// The living resources of a type that refer by each of `criteria` {parameter, reference}.
  Result<std::vector<codec::Json>> find(
      std::string_view type, std::vector<std::pair<std::string, std::string>> const& criteria) const;
  records::Store const& store_;
  Permit reader_;
  Times times_;
  mutable Kept<Consents> consents_;                                       // by patient
  mutable Kept<std::shared_ptr<Bonds const>> bonds_;                      // by practitioner and patient
  mutable Kept<std::shared_ptr<std::vector<std::string> const>> actors_;  // by practitioner
  mutable Kept<bool> labels_;                                             // by type
  mutable Kept<bool> any_consent_;
};

}  // namespace tacenda::access
