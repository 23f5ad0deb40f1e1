#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "access/consent.hpp"
#include "access/relation.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "records/store.hpp"

namespace tacenda::access {

/// What was learned from the records, until a commit announces that it may be otherwise. Thread-safe.
template <typename Value>
class Kept {
 public:
  /// The value of `key`, read by `read` (a Result<Value>) unless it is known and stands. Errors: those of
  /// `read`.
  template <typename Read>
  Result<Value> get(records::Store const& store, std::string_view key, records::Decisive kind,
                    std::string_view name, Read read) {
    return get(store, key, kind, name, read, [](Value const&, std::uint64_t) { return true; });
  }
  /// The same; `is_of_use` says whether what is known, as of that many commits, answers the question too.
  template <typename Read, typename IsOfUse>
  Result<Value> get(records::Store const& store, std::string_view key, records::Decisive kind,
                    std::string_view name, Read read, IsOfUse is_of_use) {
    {
      ReadLock const lock(mutex_);
      auto const found = entries_.find(key);
      if (found != entries_.end() && store.decided_at(kind, name) <= found->second.as_of &&
          is_of_use(found->second.value, found->second.as_of))
        return found->second.value;
    }
    // First as of when, then the question: a commit in between makes the answer stale, and not unnoticed.
    std::uint64_t const as_of = store.committed();
    Value value = TACENDA_TRY(read());
    WriteLock const lock(mutex_);
    // Beyond that all are forgotten, which costs time alone.
    if (entries_.size() >= kEntries) entries_.clear();
    entries_.insert_or_assign(std::string(key), Entry{value, as_of});
    return value;
  }

 private:
  static constexpr std::size_t kEntries = 100'000;
  struct Entry {
    Value value;
    std::uint64_t as_of = 0;
  };
  /// Finds a view without making a string of it.
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view key) const { return std::hash<std::string_view>()(key); }
  };
  SharedMutex mutex_;
  std::unordered_map<std::string, Entry, Hash, std::equal_to<>> entries_ TACENDA_GUARDED_BY(mutex_);
};

/// What decisions look at in the records: consents, treating relations, roles of practitioners, labels. Kept,
/// and read again after a commit that changes it: what was withdrawn is so for the next decision.
///
/// Owner: start. Thread-safe. Reads with a Permit of the server's own.
class Evidence {
 public:
  /// `reader`: the server's own permit to read. `store` outlives this.
  Evidence(records::Store const& store, Permit reader);

  using Consents = std::shared_ptr<std::vector<Consent> const>;
  /// Active privacy consents of a patient; never nullptr. One that cannot be read denies everything, and so
  /// do more than are looked at. Errors: kUnavailable.
  Result<Consents> consents_of(std::string_view patient) const;

  /// Why he has to do with the patient now. What is beyond what is looked at explains nothing. Errors:
  /// kUnavailable (the index is being written anew), kCorrupt.
  Result<Relation> relation(std::string_view practitioner, std::string_view patient, Time now,
                            RelationTimes const& times) const;

  /// "Practitioner/1", and what his roles name: "PractitionerRole/2", "Organization/3". Errors: as
  /// relation.
  Result<std::shared_ptr<std::vector<std::string> const>> actors_of(std::string_view practitioner) const;

  /// False: there is no Consent at all. Errors: kUnavailable.
  Result<bool> has_consents() const;
  /// False: no resource of the type has a label. Errors: kUnavailable.
  Result<bool> has_labels(std::string_view type) const;

 private:
  /// A relation, and how long that is the answer while nothing changes.
  struct KnownRelation {
    Relation relation = Relation::kNone;
    Span during;
    RelationTimes times;
  };
  using Criteria = std::vector<std::pair<std::string, std::string>>;
  using Names = std::shared_ptr<std::vector<ActorName> const>;

  Result<Consents> read_consents(std::string_view patient) const;
  Result<Consents> consents_without_index(std::string_view patient) const;
  Result<KnownRelation> read_relation(std::string_view practitioner, std::string_view patient, Time now,
                                      RelationTimes const& times) const;
  /// Looks at the living resources of a type that meet the criteria, the newest first, until one explains.
  Result<void> look_for_bond(std::string_view type, Criteria const& criteria,
                             std::vector<ActorName> const& names, Time now, KnownRelation& known) const;
  static Result<void> weigh(records::StoredVersion const& stored, std::vector<ActorName> const& names,
                            Time now, KnownRelation& known);
  /// His active PractitionerRoles.
  Result<std::vector<codec::Json>> roles_of(std::string_view practitioner) const;
  /// The names that count for a treating relation. Errors: as relation.
  Result<Names> names_of(std::string_view practitioner) const;
  Result<std::vector<std::string>> read_actors(std::string_view practitioner) const;
  /// The living resources of a type that meet each of `criteria` {parameter, value}, at most `limit`.
  Result<std::vector<records::Located>> find(std::string_view type, Criteria const& criteria,
                                             std::size_t limit) const;
  /// nullopt: it was deleted since it was found, and decides nothing any more.
  Result<std::optional<records::StoredVersion>> open(std::string_view type, std::string_view id) const;
  records::Store const& store_;
  Permit reader_;
  mutable Kept<Consents> consents_;                                       // by patient
  mutable Kept<KnownRelation> relations_;                                 // by practitioner and patient
  mutable Kept<Names> names_;                                             // by practitioner
  mutable Kept<std::shared_ptr<std::vector<std::string> const>> actors_;  // by practitioner
  mutable Kept<bool> labels_;                                             // by type
  mutable Kept<bool> any_consent_;
};

}  // namespace tacenda::access
