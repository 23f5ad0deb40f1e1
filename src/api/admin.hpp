#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/pipeline.hpp"
#include "api/response.hpp"

namespace tacenda::api {

/// What administration needs of the process around it.
struct Hooks {
  std::function<std::string()> endpoint;  // "https://127.0.0.1:8443/fhir"
  std::function<void()> seal;             // wipes the keys after the answer has left
};

/// Administration over the unix socket: users, tokens, audit, verification, status. Each act needs the
/// server's own uid (or root) and, but for `status`, the session of an administrator whose second factor is
/// fresh.
///
/// Owner: start. Thread-safe.
class Admin {
 public:
  Admin(Parts parts, Pipeline& pipeline, Hooks hooks);

  Released handle(net::Request&& request);

 private:
  struct Call;
  using Act = Released (Admin::*)(Call&);
  struct Row {
    std::string_view method;
    std::string_view path;
    access::AdminAction action;
    audit::EventKind event;
    Act act;
  };
  static std::span<Row const> rows();

  Released status(Call& call);
  Released users(Call& call);
  Released add_user(Call& call);
  Released renew_user(Call& call);
  Released disable_user(Call& call);
  Released change_role(Call& call);
  Released unlock_user(Call& call);
  Released bind_certificate(Call& call);
  Released restrict_networks(Call& call);
  Released limit_user(Call& call);
  Released link_user(Call& call);
  Released issue_token(Call& call);
  Released clients(Call& call);
  Released add_client(Call& call);
  Released disable_client(Call& call);
  Released replace_client_keys(Call& call);
  Released audit_list(Call& call);
  Released audit_checkpoint(Call& call);
  Released audit_proof(Call& call);
  Released reindex(Call& call);
  Released verify(Call& call);
  Released link_practitioner(Call& call);
  Released access_lists(Call& call);
  Released change_access_list(Call& call);
  Released emergencies(Call& call);
  Released review_emergency(Call& call);
  Released alerts(Call& call);
  Released answer_alert(Call& call);
  Released show_policy(Call& call);
  Released set_policy(Call& call);
  Released explain_policy(Call& call);
  Released relabel(Call& call);
  Released seal(Call& call);

  Released run(Call& call, Row const& row);
  Released refuse(Call& call, Error const& error);
  Released release(Call& call, audit::Event event, net::Response response);
  Released answer(Call& call, std::string json);
  Released change(Call& call, identity::Pending& pending, std::string json);
  /// Commits a change of what is permitted, and makes it effective.
  Released change(Call& call, access::Assignments::Change change, std::string json);
  Released change(Call& call, vault::WriteSet set, std::move_only_function<void()> committed,
                  std::string json);

  Parts parts_;
  Pipeline* pipeline_;  // signs people in; outlives this
  Hooks hooks_;
};

}  // namespace tacenda::api
