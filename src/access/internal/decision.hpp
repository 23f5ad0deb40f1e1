#pragma once

#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "access/assignments.hpp"
#include "access/evidence.hpp"
#include "access/gate.hpp"
#include "access/policy.hpp"
#include "access/scopes.hpp"
#include "core/permit.hpp"
#include "identity/principal.hpp"

namespace tacenda::access {

/// Who asks, and why: what every judgement of one request has in common.
struct Asker {
  std::string user;                         // UserId
  std::string role;                         // name of the role
  std::string purpose;                      // code of v3-ActReason
  std::optional<std::string> own_patient;   // of a role that sees its own record only
  std::optional<std::string> practitioner;  // logical id
  Time now{};
  bool in_emergency = false;  // of an emergency account: as if he had broken the glass for everybody
  std::shared_ptr<ScopeSet const> scopes = {};  // shared: kept by KnownScopes; nullptr: no application
};

/// Why a record may not be seen. The word is for the log and `policy explain`; callers of the API are never
/// told.
enum class Denial : std::uint8_t {
  kNone,
  kRight,      // the role has no such right to the type
  kPurpose,    // not a purpose of the role
  kScope,      // the application's scopes do not reach it
  kOwn,        // another patient's record
  kRelation,   // no treating relation
  kConsent,    // a consent denies it, or none permits the purpose
  kLabel,      // a sensitive label that the role does not see
  kClearance,  // a level above the role's
  kList,       // he is not on the list of a very restricted record
  kEmergency,  // he broke the glass, or has an emergency account, and this stays closed to emergencies
  kErasure,    // the record of one of its patients is being erased
  kUnreadable  // what must be looked at cannot be read
};
std::string_view word_of(Denial denial);

/// What denies an interaction before any record is asked about.
struct Refusal {
  Denial by;
  Literal says;  // to who asks
};

/// An emergency opens reading, and nothing that takes many records out or away (C-14).
bool is_reading(Action action);

/// Judges each record: right of the role, own record, relation, consent, label. REQUIREMENTS annex D. What
/// cannot be decided is denied. Thread-safe: everything it keeps is immutable or locks itself.
class DecisionFilter final : public RecordFilter {
 public:
  /// `evidence`, `assignments`: nullptr in a gate without a store, where nobody consented and nobody treats.
  DecisionFilter(std::shared_ptr<Policy const> policy, Role const& role, Asker asker,
                 Evidence const* evidence, Assignments const* assignments, MembersOfGroups members);

  bool judge(Action action, RecordFacts const& facts) const override;
  bool judges_all(Action action, std::string_view type) const override;
  std::optional<std::string> view(std::string_view type, std::string_view json) const override;
  bool views_whole(std::string_view type) const override;
  bool could_not_tell() const override { return could_not_tell_.load(); }
  bool may_choose_ids() const override {
    return role_->chooses_ids && (!asker_.scopes || asker_.scopes->is_unlimited());
  }

  /// `because`: takes what the answer goes by, in words and with ids; nullptr: nobody wants to know.
  Denial why(Action action, RecordFacts const& facts, std::vector<std::string>* because = nullptr) const;

 private:
  struct Look;  // at one record's content, read when needed
  /// Of one patient; in order.
  enum class Glass : std::uint8_t { kWhole, kBroken, kBrokenOnRecord };
  /// Notes that something could not be read.
  Denial unknown(Error const& error) const;
  /// Is it the record of who sees his own only: of him alone, or clearly about him?
  bool is_own(RecordFacts const& facts, Look& look) const;
  Denial by_scope(Action action, RecordFacts const& facts, Look& look) const;
  /// What stays denied although he may have broken the glass: `denial`, where he has not.
  Denial in_emergency(Glass glass, Denial denial, Look& look) const;
  /// `is_needed`: by the role, or by what the record is.
  Denial by_relation(RecordFacts const& facts, bool is_needed) const;
  Denial by_consent(Action action, RecordFacts const& facts, Look& look) const;
  Denial by_consent_of(std::string const& patient, Action action, RecordFacts const& facts, Look& look) const;
  Denial by_label(Action action, RecordFacts const& facts, Look& look) const;
  bool removes_consents(std::string_view type) const;
  Denial by_list(RecordFacts const& facts, Look& look) const;
  /// Says which of the consents rule so.
  static void name_consents(std::vector<Consent> const& consents, ConsentQuestion const& question,
                            ConsentItem const& item, Ruling ruling, Look& look);
  bool permits_unasked() const;
  Glass glass_of(Action action, std::string const& patient) const;
  Glass glass_of_all(Action action, RecordFacts const& facts) const;  // the weakest of all its patients

  std::shared_ptr<Policy const> policy_;  // shared: keeps role_ alive while a Permit lives
  Role const* role_;
  Asker asker_;
  Evidence const* evidence_;
  Assignments const* assignments_;
  MembersOfGroups members_;
  mutable std::atomic<bool> could_not_tell_{false};
};

}  // namespace tacenda::access
