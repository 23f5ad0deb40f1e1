#pragma once

#include <cstdint>
#include <expected>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "access/address_list.hpp"
#include "access/assignments.hpp"
#include "access/evidence.hpp"
#include "access/policy.hpp"
#include "access/scopes.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/mutex.hpp"
#include "core/permit.hpp"
#include "identity/principal.hpp"

namespace tacenda::access {

struct Asker;
struct Refusal;
/// Is a Group judged by what its members say, too?
enum class MembersOfGroups : std::uint8_t { kJudged, kJudgedApart };

/// Says yes or no. The only maker of Permits. Deny by default: an unknown role, type or action is denied.
///
/// Owner: start. Thread-safe. Source: PRODUCT row M3, REQUIREMENTS S-01, O-01.
class Gate {
 public:
  /// `listeners`: address list by listener name ("fhir"); one that is not named lets everyone in.
  explicit Gate(std::shared_ptr<Policy const> policy,
                std::map<std::string, AddressList, std::less<>> listeners = {});

  /// What decisions look at beside the policy. Called once, before anybody asks; both outlive the gate. A
  /// gate that was given nothing knows of no consent and no relation.
  void look_at(Evidence const& evidence, Assignments const& assignments, Clock const& clock);

  /// Permit for one interaction on `type` (empty: the system level). Its filter then judges each record.
  /// Decides as of `now`. Errors: kForbidden (the right, the scopes of an application, or the purpose that
  /// was stated; an emergency account and anything but reading).
  Result<Permit> authorize(identity::Principal const& principal, Action action, std::string_view type) const;

  /// Permit for the export of a Group's members: as authorize, and the Group itself is judged without a look
  /// at what its members consent to and whether he treats them. Each record of theirs is judged by the other
  /// one.
  Result<Permit> authorize_group_export(identity::Principal const& principal) const;

  /// The purpose of use that holds for what he asks: what he states, or what his role does by default.
  /// Of an emergency account: ETREAT. Errors: kForbidden (not a purpose of his role, G-01, C-03).
  Result<std::string> purpose_of(identity::Principal const& principal) const;
  /// May he search, sort, chain or include by this parameter of the type? Not by what his role does not see
  /// (P-01).
  bool shows_parameter(identity::Principal const& principal, std::string_view type,
                       fhir::SearchParameter const& parameter) const;

  /// True when his role has no view of the type (empty: of any type) but sees all of what it sees.
  bool sees_whole(identity::Principal const& principal, std::string_view type) const;

  /// What an access to records of these patients is explained by, for the log.
  struct Explanation {
    Relation relation = Relation::kNone;  // the weakest of all: kNone when one patient is not explained
    bool emergency = false;               // he has broken the glass
  };
  Explanation explain(identity::Principal const& principal, std::span<std::string const> patients) const;

  /// Is every access to what is about these patients watched?
  Watch watch(std::span<std::string const> patients) const;
  /// False: surely no living resource of the type has a security label.
  bool may_have_labels(std::string_view type) const;

  /// Errors: kForbidden (no right to break the glass).
  Result<std::chrono::minutes> authorize_emergency(identity::Principal const& principal) const;
  /// Labels that what is written must have by the policy's rules (C-17).
  std::vector<Label> labels_for(codec::Json const& resource) const;
  /// May he take a security label off a record (C-18)?
  bool may_lower_labels(identity::Principal const& principal) const;
  /// May he take a record away from the patient whose it is, as when it was put under the wrong one (W-01)?
  bool may_move_records(identity::Principal const& principal) const;

  /// Whose entries of the audit log he may read: nullopt, everybody's, by the right to it; or the patient
  /// that he is, or for whom he acts and whose record his role may read (G-17). Errors: as authorize_admin.
  Result<std::optional<std::string>> authorize_log(identity::Principal const& principal, Time now) const;

  /// Errors: kForbidden (no right), kUnauthenticated (second factor older than limits::kStepUpAge at `now`).
  Result<void> authorize_admin(identity::Principal const& principal, AdminAction action, Time now) const;

  /// A token that lasts longer than limits::kServiceToken is for provisioning alone, whatever role its
  /// account was given since. Errors: kForbidden.
  Result<void> admits_token(identity::Principal const& principal, Time now) const;
  /// May he keep accounts and groups as an identity provider does? A service account alone, and no
  /// application without the scope `scim`. Errors: kForbidden.
  Result<void> authorize_provisioning(identity::Principal const& principal) const;

  /// May the account be used from this address, by its own list and by its role's? Asked before anything is
  /// told (N-05). An empty address is the administration socket: no list is about it. Errors: kForbidden.
  Result<void> admits(identity::Principal const& principal, std::string_view address) const;
  /// Has he signed in with a second factor that his role takes? What he has for others he may not change
  /// with less. Errors: kForbidden.
  Result<void> takes_factor(identity::Principal const& principal) const;
  /// May he change the factors of his account? Not behind a sign-in at the identity provider, which also
  /// chooses his role and so what it demands; nor without a role. Errors: kForbidden.
  Result<void> may_change_factors(identity::Principal const& principal) const;
  /// Has he signed in with a second factor that his role takes, and read what it must have read? Until then
  /// he may look after his own account and nothing else. Errors: kForbidden (the message tells what to do).
  Result<void> is_complete(identity::Principal const& principal, Time now) const;

  /// A Permit of the server itself for verification; whoever uses it leaves an audit event with the reason.
  Permit system_permit(Action action) const;

  /// May this address connect to that listener? Checked before TLS (N-05).
  bool admits(std::string_view listener, std::string_view address) const;

  /// Rights of a role, for tables and checks. nullopt: no such role.
  std::optional<Role> role(std::string_view name) const;
  std::vector<std::string> roles() const;

  /// What decides whether a principal may do this with a record, never for who asks.
  struct Decision {
    /// "permitted", or the first that says no: "role", "emergency-limit", "purpose", "scope", "erasure",
    /// "own-record", "relation", "consent", "label", "clearance", "list", "unreadable".
    std::string_view decided_by;
    /// What it goes by, in words and with ids: the Consents, the label, the relation to the patient.
    std::vector<std::string> because;
  };
  Decision decide(identity::Principal const& principal, Action action, RecordFacts const& facts) const;
  /// Decision::decided_by alone: for the log.
  std::string_view why(identity::Principal const& principal, Action action, RecordFacts const& facts) const;
  /// The same of an interaction before any record is asked about: "permitted" where authorize gives a Permit.
  std::string_view why(identity::Principal const& principal, Action action, std::string_view type) const;

  /// The policy that holds.
  std::shared_ptr<Policy const> policy() const;
  /// Takes effect for the next decision.
  void replace(std::shared_ptr<Policy const> policy);

 private:
  Result<Permit> authorize(identity::Principal const& principal, Action action, std::string_view type,
                           MembersOfGroups members) const;
  /// Whoever may ask for this at all: what each judgement of a record then goes by.
  std::expected<Asker, Refusal> admit(Policy const& policy, identity::Principal const& principal,
                                      Action action, std::string_view type) const;
  Result<Asker> asker_of(identity::Principal const& principal, Role const& role, std::string purpose) const;

  Evidence const* evidence_ = nullptr;
  Assignments const* assignments_ = nullptr;
  Clock const* clock_ = nullptr;
  KnownScopes scopes_;
  mutable Mutex mutex_;
  std::shared_ptr<Policy const> policy_
      TACENDA_GUARDED_BY(mutex_);  // shared: decisions in flight keep theirs
  std::map<std::string, AddressList, std::less<>> const listeners_;
};

}  // namespace tacenda::access
