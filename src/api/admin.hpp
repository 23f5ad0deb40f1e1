#pragma once

#include <functional>
#include <memory>
#include <stop_token>
#include <string>

#include "api/pipeline.hpp"
#include "api/response.hpp"
#include "privacy/erasures.hpp"
#include "privacy/holds.hpp"

namespace tacenda::privacy {
class ErasureWorker;
}

namespace tacenda::api {

/// Erasures and what stands against them. Administration alone has them: no application reaches them.
struct Forgetting {
  privacy::Holds const& holds;
  privacy::Erasures const& erasures;
  privacy::ErasureWorker& worker;
};

/// What administration needs of the process around it.
struct Hooks {
  std::function<std::string()> endpoint;  // "https://127.0.0.1:8443/fhir"
  std::function<void()> seal;             // wipes the keys after the answer has left
  std::stop_token stopping = {};          // asks what looks at the whole store to end
};

/// Administration over the unix socket: users, tokens, audit, verification, status. Each act needs the
/// server's own uid (or root) and, but for `status`, the session of an administrator whose second factor is
/// fresh.
///
/// Owner: start. Thread-safe.
class Admin {
 public:
  Admin(Parts parts, Forgetting forgetting, Pipeline& pipeline, Hooks hooks);

  Released handle(net::Request&& request);

  /// Once a second: ends requests for a second person whose time is over.
  void tick();

 private:
  struct Call;
  struct Plan;
  struct Done;
  struct Revived;
  struct Examined;
  using Act = Released (Admin::*)(Call&);
  using MakePlan = Result<Plan> (Admin::*)(Call&);
  using Prepare = Result<void> (Admin::*)(Call&);
  struct Row {
    std::string_view method;
    std::string_view path;
    access::AdminAction action;
    audit::EventKind event;
    Act act;
    MakePlan plan = nullptr;  // in place of `act`: what may need a second person
    Prepare prepare =
        nullptr;  // what the plan needs and takes long: made before the turn, and put into the call
  };
  static std::span<Row const> rows();
  /// The row that plans what a request asks for; nullptr: there is none.
  static Row const* planned(std::string_view path);

  Released status(Call& call);
  Released users(Call& call);
  Released disable_user(Call& call);
  Released unlock_user(Call& call);
  Released turn_emergency_on(Call& call);
  Released turn_emergency_off(Call& call);
  Released clients(Call& call);
  Released disable_client(Call& call);
  Released audit_list(Call& call);
  Released audit_checkpoint(Call& call);
  Released audit_proof(Call& call);
  Released reindex(Call& call);
  Released verify(Call& call);
  Released access_lists(Call& call);
  Released emergencies(Call& call);
  Released review_emergency(Call& call);
  Released alerts(Call& call);
  Released answer_alert(Call& call);
  Released keys(Call& call);
  Released rotate_keys(Call& call);
  std::optional<Released> rotate_key(Call& call, std::string const& name, codec::Json& list,
                                     std::optional<audit::Receipt>& last);
  Result<void> announce(Call const& call, std::string_view new_value, std::string_view reason);
  Released retire_key(Call& call);
  Released compromised_key(Call& call);
  Released show_policy(Call& call);
  Released policy_history(Call& call);
  Released explain_policy(Call& call);
  /// What the policy says of a type, or of `TYPE/ID`. Errors: kInvalid, kNotFound (no such record).
  Result<access::Gate::Decision> decide(identity::Principal const& principal, Action action,
                                        std::string_view resource) const;
  Released relabel(Call& call);
  Released erasures(Call& call);
  Released examine_erasure(Call& call);
  Released erasure_certificate(Call& call);
  Released holds(Call& call);
  Released set_hold(Call& call);
  Released lift_hold(Call& call);
  Released seal(Call& call);

  // What gives rights or a way in. A plan looks and does nothing. Errors: what the act is refused for.
  Result<Plan> add_user(Call& call);
  Result<Plan> add_emergency_user(Call& call, identity::Directory::NewUser user);
  Result<Plan> reseal_user(Call& call);
  Result<Plan> renew_user(Call& call);
  Result<Plan> change_role(Call& call);
  Result<Plan> bind_certificate(Call& call);
  Result<Plan> limit_user(Call& call);
  Result<Plan> link_user(Call& call);
  Result<Plan> issue_token(Call& call);
  Result<Plan> add_client(Call& call);
  Result<Plan> replace_client_keys(Call& call);
  Result<Plan> restrict_client(Call& call);
  Result<Plan> restrict_networks(Call& call);
  Result<Plan> link_practitioner(Call& call);
  Result<Plan> change_access_list(Call& call);
  Result<Plan> set_policy(Call& call);
  Result<Plan> order_erasure(Call& call);
  Result<void> survey_erasure(Call& call);
  /// True of a role that the policy does not have, too.
  bool is_privileged(std::string_view role) const;

  // Two persons (admin_approvals.cpp)
  Released approvals(Call& call);
  Released approve(Call& call);
  Released refuse_request(Call& call);
  Released withdraw_request(Call& call);
  Released collect(Call& call);
  /// Does what a row plans, or asks for a second person.
  Released undertake(Call& call, Row const& row);
  Released ask_for_second(Call& call, Row const& row, Plan const& plan, std::size_t others);
  /// Ids of the people who could approve now.
  std::vector<std::string> approvers() const;
  /// Remembers for good when there are two. Errors: as audit::Log::commit.
  Result<void> remember_approvers();
  /// Errors: as audit::Log::commit.
  Result<void> end_overdue();
  /// Everything that a plan rests on.
  std::string basis_of_plan(Plan const& plan) const;
  /// The call and plan of a request, as they would be if it were asked now. Errors: kConflict (it would be
  /// another thing, or who asked may not any more).
  Result<Revived> revive(Call& call, access::ApprovalRequest const& request);
  /// What the plan of the request that a call names needs beforehand. Errors: those of Row::prepare.
  Result<void> prepare_deed(Call& call);
  /// One round of an approval or collection; nullopt when something else was committed meanwhile.
  enum class Deed : std::uint8_t { kApprove, kCollect };
  std::optional<Released> try_deed(Call& call, Deed deed);
  Released deed(Call& call, Deed deed);
  /// Commits a decision that does nothing else.
  Released decide(Call& call, Result<access::Approvals::Step> step);

  Released run(Call& call, Row const& row);
  Released refuse(Call& call, Error const& error);
  Released release(Call& call, audit::Event event, net::Response response);
  Released answer(Call& call, std::string json);
  Released store(Call& call, vault::WriteSet set, std::vector<audit::Event> events, net::Response response);
  /// What is told when nothing was stored.
  Released unstored(Call& call, Error const& error);
  static Released released(audit::Receipt const& receipt, std::string json);
  Released change(Call& call, identity::Pending& pending, std::string json);
  /// A change of what is permitted, made anew as often as another commit was faster.
  identity::Pending pending_of(std::move_only_function<Result<access::Assignments::Change>()> make_change);
  /// Commits a change of what is permitted, and makes it effective.
  Released change(Call& call, access::Assignments::Change change, std::string json);
  Released change(Call& call, vault::WriteSet set, std::move_only_function<void()> committed,
                  std::string json);

  Parts parts_;
  Forgetting forgetting_;  // all of it outlives this
  Pipeline* pipeline_;     // signs people in; outlives this
  Hooks hooks_;
  // What gives rights follows each other, from the look to the commit. Held across commits; no other lock is
  // waited for under it but the log's and the keepers'.
  Mutex grants_;
};

}  // namespace tacenda::api
