// Administration of emergency accounts and of emergency mode (S-03).
#include <charconv>

#include "api/admin.hpp"
#include "api/emergency_switch.hpp"
#include "api/internal/admin_call.hpp"
#include "api/internal/auth_json.hpp"
#include "codec/text.hpp"
#include "core/account_limits.hpp"
#include "identity/emergency_access.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

std::string credential_json(std::string_view name, identity::EmergencyAccess::Credential const& credential) {
  Json json = Json::object();
  json.set("user", Json::string(name));
  json.set("id", Json::string(credential.id.view()));
  json.set("passphrase", Json::string(credential.passphrase));
  json.set("codes", texts_json(credential.codes));
  return codec::write_json(json);
}

/// How long an order of a body is to last. Errors: kInvalid.
Result<std::chrono::seconds> duration_of(Json const& body) {
  auto const* value = body.find("hours");
  if (value == nullptr) return limits::kEmergencyMode;
  std::int64_t hours = 0;
  auto const text = value->is_number() ? value->number_text() : std::string_view();
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), hours);
  if (error != std::errc() || end != text.data() + text.size() || hours < 1 ||
      hours > limits::kEmergencyModeMax.count())
    return fail(ErrorKind::kInvalid, "an emergency lasts from 1 to 72 hours at a time");
  return std::chrono::hours(hours);
}

}  // namespace

Json emergency_json(identity::EmergencyMode const& mode) {
  Json json = Json::object();
  json.set("state", Json::string("on"));
  json.set("since", Json::string(codec::format_instant(mode.begun)));
  json.set("until", Json::string(codec::format_instant(mode.until)));
  return json;
}

Result<Admin::Plan> Admin::add_emergency_user(Call& call, identity::Directory::NewUser user) {
  auto const role = parts_.gate.role(user.role);
  // A role that opens nothing in an emergency would be found out in one.
  if (!role || !role->breaks_glass)
    return fail(ErrorKind::kInvalid, "an emergency account has a role that may break the glass");
  TACENDA_TRY_VOID(parts_.directory.check_new(user));
  call.origin.new_value += ", emergency account";
  Plan plan{.entrusts = true, .is_secret = true};
  plan.act = [this, user = std::move(user)]() -> Result<Done> {
    auto made = TACENDA_TRY(identity::EmergencyAccess(parts_.directory).add(user));
    auto json = credential_json(user.name, made);
    return Done{std::move(made.pending), std::move(json)};
  };
  return plan;
}

Result<Admin::Plan> Admin::reseal_user(Call& call) {
  std::string name(call.body.text_of("name"));
  call.origin.target = name;
  call.origin.new_value = "new credential";
  auto const user = parts_.directory.find_user(name);
  if (!user || user->sealed == nullptr)
    return fail(ErrorKind::kNotFound, "there is no such emergency account");
  // It is a new way in.
  Plan plan{.entrusts = true, .is_secret = true, .subject = user->id, .basis = basis_of(*user)};
  plan.act = [this, name = std::move(name)]() -> Result<Done> {
    auto made = TACENDA_TRY(identity::EmergencyAccess(parts_.directory).reseal(name));
    auto json = credential_json(name, made);
    return Done{std::move(made.pending), std::move(json)};
  };
  return plan;
}

Released Admin::turn_emergency_on(Call& call) {
  auto const lasts = duration_of(call.body);
  if (!lasts.has_value()) return refuse(call, lasts.error());
  auto const turned = parts_.emergency.turn_on(
      {std::string(call.body.text_of("reason")), *lasts, call.origin.actor_id}, call.origin);
  if (!turned.has_value()) return refuse(call, turned.error());
  return released(turned->receipt, codec::write_json(emergency_json(turned->mode)));
}

Released Admin::turn_emergency_off(Call& call) {
  auto const turned = parts_.emergency.turn_off(call.origin);
  if (!turned.has_value()) return refuse(call, turned.error());
  return released(turned->receipt, "{}");
}

}  // namespace tacenda::api
