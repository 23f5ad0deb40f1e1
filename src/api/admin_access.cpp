// Administration of who may see what: practitioners, access lists, emergencies and the policy.
#include <algorithm>
#include <charconv>
#include <span>

#include "access/stored_policy.hpp"
#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "codec/scope.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json emergency_json(access::Emergency const& emergency, identity::Directory const& directory) {
  auto const name_of = [&](std::string const& user) {
    for (auto const& view : directory.users()) {
      if (view.id == user) return view.name;
    }
    return user;
  };
  Json json = Json::object();
  json.set("id", Json::string(emergency.id));
  json.set("user", Json::string(name_of(emergency.user)));
  // Of an emergency account: of every patient.
  if (!emergency.patient.empty()) json.set("patient", Json::string(emergency.patient));
  json.set("reason", Json::string(emergency.reason));
  json.set("begun", Json::string(codec::format_instant(emergency.begun)));
  json.set("expires", Json::string(codec::format_instant(emergency.expires)));
  if (emergency.reviewed) {
    json.set("reviewed", Json::string(codec::format_instant(*emergency.reviewed)));
    json.set("reviewer", Json::string(name_of(emergency.reviewer)));
    json.set("finding", Json::string(emergency.finding));
  }
  if (auto const& disclosure = emergency.disclosure) {
    Json record = Json::object();
    record.set("recipient", Json::string(disclosure->recipient));
    record.set("affiliation", Json::string(disclosure->affiliation));
    record.set("discloser", Json::string(disclosure->discloser));
    record.set("time", Json::string(codec::format_instant(emergency.begun)));
    record.set("nature", Json::string(disclosure->nature));
    json.set("disclosure", std::move(record));
  }
  return json;
}

Json number_of(std::uint64_t value) {
  return Json::number(static_cast<std::int64_t>(value));
}

Result<std::uint64_t> parse_version(std::string_view text) {
  std::uint64_t version = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  if (error == std::errc() && end == text.data() + text.size()) return version;
  return fail(ErrorKind::kInvalid, "a version of the policy is a number");
}

Json policy_json(std::string_view name, std::uint64_t version, std::string_view text) {
  Json json = Json::object();
  json.set("name", Json::string(name));
  json.set("version", number_of(version));
  json.set("toml", Json::string(text));
  return json;
}

/// An application that was granted `scope`; nullptr: none is said, and he asks himself. Errors: kInvalid.
Result<std::shared_ptr<identity::Application const>> application_of(Json const& body) {
  auto const scope = body.text_of("scope");
  if (scope.empty()) return nullptr;
  identity::Application application;
  application.scopes = TACENDA_TRY(codec::parse_scopes(scope));
  if (auto const patient = body.text_of("patient"); !patient.empty()) application.patient = patient;
  return std::make_shared<identity::Application const>(std::move(application));
}

/// What is demanded of him before any record is asked for, and is not met.
struct Demand {
  std::string_view code;
  std::string says;
};

/// Does the account have a second factor that its role takes?
bool has_factor(access::Role const& role, identity::UserView const& user) {
  using access::Factor;
  return (role.takes(Factor::kTotp) && user.enrolled) ||
         (role.takes(Factor::kPasskey) && user.passkeys > 0) ||
         (role.takes(Factor::kRecoveryCode) && user.recovery_codes > 0) ||
         (role.takes(Factor::kProvider) && user.provider != nullptr);
}

/// `address`: from where he would ask; empty: from anywhere that he may.
std::vector<Demand> demands_unmet(access::Gate const& gate, identity::Principal const& principal,
                                  identity::UserView const& user, std::string_view address, Time now) {
  std::vector<Demand> demands;
  auto const role = gate.role(user.role);
  if (!role) return demands;
  if (auto const admitted = gate.admits(principal, address); !admitted.has_value())
    demands.push_back({"network", std::string(admitted.error().message())});
  if (!user.is_service && !has_factor(*role, user))
    demands.push_back({"factor", "the account has no second factor that the role takes"});
  if (auto const complete = gate.is_complete(principal, now); !complete.has_value())
    demands.push_back({"awareness", std::string(complete.error().message())});
  return demands;
}

}  // namespace

Result<Admin::Plan> Admin::link_practitioner(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  auto const user = parts_.directory.find_user(name);
  if (!user) return fail(ErrorKind::kNotFound, "there is no such user");
  call.origin.old_value = parts_.assignments.practitioner_of(user->id).value_or(std::string());
  std::optional<ResourceId> practitioner;
  if (auto const id = call.body.text_of("practitioner"); !id.empty()) {
    practitioner = TACENDA_TRY(ResourceId::parse(id));
    call.origin.new_value = practitioner->view();
  }
  // Whoever is a Practitioner treats his patients; whatever the role is, as it may become another.
  Plan plan{.entrusts = practitioner && call.origin.old_value != call.origin.new_value,
            .subject = user->id,
            .basis = basis_of(*user)};
  plan.act = [this, id = user->id, practitioner = std::move(practitioner)]() -> Result<Done> {
    return Done{pending_of([this, id, practitioner]() -> Result<access::Assignments::Change> {
      return parts_.assignments.set_practitioner(id, practitioner);
    })};
  };
  return plan;
}

identity::Pending Admin::pending_of(
    std::move_only_function<Result<access::Assignments::Change>()> make_change) {
  // shared by the two closures of one Pending
  auto const committed = std::make_shared<std::move_only_function<void()>>();
  return identity::Pending(
      [this, committed, make_change = std::move(make_change)]() mutable -> Result<vault::WriteSet> {
        auto change = TACENDA_TRY(make_change());
        parts_.store.change_decisions(change.set);
        *committed = std::move(change.committed);
        return std::move(change.set);
      },
      [committed](bool is_committed) {
        if (is_committed && *committed) (*committed)();
      });
}

Released Admin::access_lists(Call& call) {
  Json list = Json::array();
  for (auto const& [patient, user] : parts_.assignments.lists()) {
    Json entry = Json::object();
    entry.set("patient", Json::string(patient));
    for (auto const& view : parts_.directory.users()) {
      if (view.id == user) entry.set("user", Json::string(view.name));
    }
    list.push(std::move(entry));
  }
  Json json = Json::object();
  json.set("lists", std::move(list));
  return answer(call, codec::write_json(json));
}

Result<Admin::Plan> Admin::change_access_list(Call& call) {
  auto const* said = call.body.find("listed");
  std::string const name(call.body.text_of("user"));
  call.origin.target = name;
  auto const patient = TACENDA_TRY(PatientId::parse(call.body.text_of("patient")));
  if (said == nullptr || !said->is_boolean())
    return fail(ErrorKind::kInvalid, "say whether the user is to be on the list");
  bool const listed = said->as_boolean();
  auto const user = parts_.directory.find_user(name);
  if (!user) return fail(ErrorKind::kNotFound, "there is no such user");
  auto const& assignments = parts_.assignments;
  bool const was_listed = assignments.is_listed(patient.view(), user->id);
  call.origin.patients.emplace_back(patient.view());
  call.origin.old_value = was_listed ? "listed" : "not listed";
  call.origin.new_value = listed ? "listed" : "not listed";
  auto const is_his = [&](auto const& entry) { return entry.first == patient.view(); };
  // Who is on it sees what nobody else sees. And with the last one of a patient ends that every access to his
  // record alerts.
  bool const ends_watch = was_listed && !listed && std::ranges::count_if(assignments.lists(), is_his) == 1;
  Plan plan{.entrusts = (listed && !was_listed) || ends_watch, .subject = user->id, .basis = basis_of(*user)};
  if (ends_watch) plan.basis.append("\nthe last one");
  plan.act = [this, patient, id = user->id, listed]() -> Result<Done> {
    return Done{pending_of([this, patient, id, listed]() -> Result<access::Assignments::Change> {
      return parts_.assignments.set_listed(patient.view(), id, listed);
    })};
  };
  return plan;
}

Released Admin::emergencies(Call& call) {
  bool const open_only = call.query.contains("open");
  auto const patient = call.query.find("patient");
  if (patient != call.query.end()) call.origin.patients.push_back(patient->second);
  Json list = Json::array();
  for (auto const& emergency : parts_.assignments.emergencies()) {
    if (patient != call.query.end() && emergency.patient != patient->second) continue;
    if (!open_only || !emergency.reviewed) list.push(emergency_json(emergency, parts_.directory));
  }
  Json json = Json::object();
  json.set("emergencies", std::move(list));
  return answer(call, codec::write_json(json));
}

Released Admin::review_emergency(Call& call) {
  std::string const id(call.body.text_of("id"));
  std::string const finding(call.body.text_of("finding"));
  call.origin.target = id;
  call.origin.new_value = finding;
  auto reviewed = parts_.assignments.review(id, call.origin.actor_id, finding);
  if (!reviewed.has_value()) return refuse(call, reviewed.error());
  return change(call, std::move(*reviewed), "{}");
}

Released Admin::show_policy(Call& call) {
  auto const asked = call.query.find("version");
  if (asked == call.query.end()) {
    auto const policy = parts_.gate.policy();
    return answer(call, codec::write_json(policy_json(policy->name(), policy->epoch(), policy->text())));
  }
  call.origin.target = asked->second;
  auto const version = parse_version(asked->second);
  if (!version.has_value()) return refuse(call, version.error());
  auto const text = access::policy_text(parts_.vault, *version);
  if (!text.has_value()) return refuse(call, text.error());
  // One of before that this server would not take any more is shown as well.
  auto const policy = access::Policy::parse(*text, *version);
  std::string const name = policy.has_value() ? (*policy)->name() : std::string();
  return answer(call, codec::write_json(policy_json(name, *version, *text)));
}

Released Admin::policy_history(Call& call) {
  auto const versions = access::policy_versions(parts_.vault);
  if (!versions.has_value()) return refuse(call, versions.error());
  auto const holds = parts_.gate.policy()->epoch();
  Json list = Json::array();
  for (auto const& each : *versions) {
    Json version = Json::object();
    version.set("version", number_of(each.version));
    if (each.mark) {
      version.set("time", Json::string(codec::format_instant(each.mark->time)));
      version.set("by", Json::string(each.mark->by));
    }
    version.set("sha256", Json::string(codec::hex_encode(std::as_bytes(std::span(each.digest)))));
    version.set("holds", Json::boolean(each.version == holds));
    list.push(std::move(version));
  }
  Json json = Json::object();
  json.set("versions", std::move(list));
  return answer(call, codec::write_json(json));
}

Result<Admin::Plan> Admin::set_policy(Call& call) {
  auto const now = parts_.gate.policy();
  std::string text(call.body.text_of("toml"));
  auto const policy = TACENDA_TRY(access::policy_change(parts_.vault, *now, text, {})).policy;
  // Who changes it must be able to change it again: a policy that locks everybody out cannot be taken back.
  auto const* own = policy->role(call.asker_role);
  if (own == nullptr || !own->may(access::AdminAction::kManagePolicy) ||
      !own->may(access::AdminAction::kManageUsers))
    return fail(ErrorKind::kInvalid, "your own role must keep its rights to manage policy and users");
  call.origin.target = policy->name();
  // What held and what holds, whole: an audit log of rights is of no use without them.
  call.origin.old_value = now->text();
  call.origin.new_value = policy->text();
  // Whether one policy gives more than another is not for a program to say: each change counts.
  Plan plan{.entrusts = true};
  plan.act = [this, now, policy, text = std::move(text), by = call.asker_name]() -> Result<Done> {
    auto make_set = [this, now, text, by]() -> Result<vault::WriteSet> {
      if (parts_.gate.policy() != now) return fail(ErrorKind::kConflict, "the policy was changed meanwhile");
      auto change = TACENDA_TRY(access::policy_change(parts_.vault, *now, text, {parts_.clock.now(), by}));
      parts_.store.change_decisions(change.set);
      return std::move(change.set);
    };
    auto finish = [this, now, policy](bool committed) {
      if (!committed) return;
      parts_.gate.replace(policy);
      access::hold_to(*policy, parts_.directory);
      // A rule that is new is for records of before, too.
      if (policy->bounds().label_rules != now->bounds().label_rules) parts_.label_worker.renew();
    };
    return Done{identity::Pending(std::move(make_set), std::move(finish)),
                "{\"version\":" + std::to_string(policy->epoch()) + "}"};
  };
  return plan;
}

Released Admin::explain_policy(Call& call) {
  std::string const name(call.body.text_of("user"));
  auto const resource = call.body.text_of("resource");
  call.origin.target = name;
  auto const user = parts_.directory.find_user(name);
  if (!user) return refuse(call, Error(ErrorKind::kNotFound, "there is no such user"));
  auto const id = UserId::parse(user->id);
  if (!id.has_value()) return refuse(call, id.error());
  auto application = application_of(call.body);
  if (!application.has_value()) return refuse(call, application.error());
  auto principal = parts_.directory.principal_for_work(*id, std::move(*application));
  if (!principal.has_value()) return refuse(call, principal.error());
  if (auto const purpose = call.body.text_of("purpose"); !purpose.empty())
    principal->state_purpose(std::string(purpose));
  auto const action = access::action_of(call.body.text_of("action"));
  if (!action) return refuse(call, Error(ErrorKind::kInvalid, "there is no such action"));
  auto decision = decide(*principal, *action, resource);
  if (!decision.has_value()) return refuse(call, decision.error());
  auto const demands =
      demands_unmet(parts_.gate, *principal, *user, call.body.text_of("address"), parts_.clock.now());
  // What stands in the way stands before the record is asked for.
  bool const permitted = decision->decided_by == "permitted";
  Json json = Json::object();
  json.set("permitted", Json::boolean(permitted && demands.empty()));
  json.set("decided_by",
           Json::string(permitted && !demands.empty() ? demands.front().code : decision->decided_by));
  Json because = Json::array();
  for (auto const& each : decision->because) because.push(Json::string(each));
  json.set("because", std::move(because));
  Json unmet = Json::array();
  for (auto const& each : demands) unmet.push(Json::string(std::string(each.code) + ": " + each.says));
  json.set("demands", std::move(unmet));
  json.set("role", Json::string(user->role));
  json.set("policy", Json::string(parts_.gate.policy()->name()));
  return answer(call, codec::write_json(json));
}

Result<access::Gate::Decision> Admin::decide(identity::Principal const& principal, Action action,
                                             std::string_view resource) const {
  auto const slash = resource.find('/');
  auto const type = resource.substr(0, slash);
  // What holds for every record of the type first.
  auto const permit = parts_.gate.authorize(principal, action, type);
  if (!permit.has_value())
    return parts_.gate.decide(principal, action, {.type = type, .id = "", .patients = {}});
  if (slash == std::string_view::npos)
    return access::Gate::Decision{"permitted",
                                  {"the role has the right to the type; each record is judged by itself"}};
  auto const place = TACENDA_TRY(ResourceId::parse(resource.substr(slash + 1)));
  access::Gate::Decision decision;
  TACENDA_TRY_VOID(parts_.store.with_facts(
      parts_.gate.system_permit(Action::kRead), type, place,
      [&](RecordFacts const& facts) { decision = parts_.gate.decide(principal, action, facts); }));
  return decision;
}

}  // namespace tacenda::api
