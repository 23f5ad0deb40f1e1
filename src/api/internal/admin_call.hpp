#pragma once

#include <map>
#include <optional>
#include <string>

#include "api/admin.hpp"
#include "codec/json.hpp"
#include "core/limits.hpp"

namespace tacenda::api {

/// Of the body of an administrative request.
inline constexpr codec::JsonLimits kBodyLimits{.depth = 4, .size_bytes = limits::kUnauthenticatedBodyBytes};

/// What was found of a patient whose erasure is asked for, by a look at the whole store.
struct Admin::Examined {
  std::string patient;
  privacy::Erasures::Others others;  // whose records change or go with it as well
  bool is_lost_to_others = false;    // one of them would lose what is clearly his
};

/// One administrative request. Owner: the worker that runs it.
struct Admin::Call {
  net::Request request;
  audit::Event origin;
  std::optional<identity::Principal> principal;
  std::string asker_role;  // of who asks for it, or asked
  std::string asker;       // his UserId
  std::string asker_name;
  codec::Json body = codec::Json::object();
  std::map<std::string, std::string, std::less<>> query;
  vault::WriteSet on_refusal;       // what is kept of it when it is refused
  std::string_view denied_by = {};  // "role", "factor": a literal, for the log
  std::optional<Examined> examined = {};
};

/// What an administrative act came to, not durable yet.
struct Admin::Done {
  identity::Pending pending;
  std::string json = "{}";                 // for who asked
  std::optional<std::string> new_value{};  // of the event, when the plan did not know it
};

/// What an administrative act would do. Its event stands in the call.
struct Admin::Plan {
  bool entrusts = false;   // gives rights or a way in: a second person may be needed
  bool is_secret = false;  // what comes of it is for who asked alone
  std::string subject{};   // id of the account that it is about; empty: none
  std::string basis{};     // what it rests on beside policy and event
  std::move_only_function<Result<Done>()> act{};
};

/// A list of networks as the audit log has it.
std::string text_of(std::optional<std::vector<std::string>> const& networks);
/// The list that a body names; nullopt: any network. Errors: kInvalid.
Result<std::optional<std::vector<std::string>>> networks_of(codec::Json const& body);
/// Does the second list let in whom the first may not have let in?
bool widens(std::optional<std::vector<std::string>> const& before,
            std::optional<std::vector<std::string>> const& after);
/// The account as what is done with it rests on it.
std::string basis_of(identity::UserView const& user);
/// What `status` says of emergency mode while it is on: nothing of why and by whom.
codec::Json emergency_json(identity::EmergencyMode const& mode);

}  // namespace tacenda::api
