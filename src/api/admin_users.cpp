// Administration of users, service accounts and their tokens.
#include <charconv>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "api/internal/auth_json.hpp"
#include "codec/text.hpp"
#include "core/application_limits.hpp"
#include "identity/provisioning.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json user_json(identity::UserView const& user) {
  Json json = Json::object();
  json.set("id", Json::string(user.id));
  json.set("name", Json::string(user.name));
  json.set("role", Json::string(user.role));
  json.set("service", Json::boolean(user.is_service));
  json.set("enabled", Json::boolean(user.enabled));
  json.set("enrolled", Json::boolean(user.enrolled));
  if (user.patient) json.set("patient", Json::string(*user.patient));
  json.set("created", Json::string(codec::format_instant(user.created)));
  if (user.last_login) json.set("last_login", Json::string(codec::format_instant(*user.last_login)));
  json.set("passkeys", Json::number(static_cast<std::int64_t>(user.passkeys)));
  json.set("recovery_codes_left", Json::number(static_cast<std::int64_t>(user.recovery_codes)));
  if (user.standing->until) json.set("until", Json::string(codec::format_instant(*user.standing->until)));
  if (user.standing->networks) json.set("networks", texts_json(*user.standing->networks));
  Json awareness = Json::array();
  for (auto const& read : user.standing->acknowledgements) {
    Json topic = Json::object();
    topic.set("topic", Json::string(read.topic));
    topic.set("version", Json::number(read.version));
    topic.set("acknowledged", Json::string(codec::format_instant(read.at)));
    awareness.push(std::move(topic));
  }
  json.set("awareness", std::move(awareness));
  if (user.sealed) {
    Json sealed = Json::object();
    sealed.set("made", Json::string(codec::format_instant(user.sealed->made)));
    if (user.sealed->opened) sealed.set("opened", Json::string(codec::format_instant(*user.sealed->opened)));
    json.set("sealed", std::move(sealed));
  }
  if (user.provider) json.set("openid_subject", Json::string(user.provider->subject));
  if (user.provisioned) {
    Json provisioned = Json::object();
    provisioned.set("user_name", Json::string(user.provisioned->user_name));
    provisioned.set("external_id", Json::string(user.provisioned->external_id));
    provisioned.set("deleted", Json::boolean(user.provisioned->deleted));
    provisioned.set("linked", Json::boolean(user.provisioned->keeps_role));
    json.set("provisioned", std::move(provisioned));
  }
  json.set("live_tokens", Json::number(static_cast<std::int64_t>(user.live_tokens)));
  return json;
}

/// `endpoint` is that of the FHIR base. The link carries the code in its fragment, which browsers keep to
/// themselves.
std::string enrolment_json(std::string_view name, identity::Directory::Added const& added,
                           std::string_view endpoint) {
  Json json = Json::object();
  json.set("user", Json::string(name));
  json.set("id", Json::string(added.id.view()));
  if (!added.enrolment_code.empty()) {
    json.set("enrolment_code", Json::string(added.enrolment_code));
    std::string const origin(endpoint.substr(0, endpoint.rfind('/')));
    json.set("enrolment_link", Json::string(origin + "/auth/enrol#" + added.enrolment_code));
    json.set("expires", Json::string(codec::format_instant(added.expires)));
  }
  return codec::write_json(json);
}

std::string text_of(std::optional<Time> until) {
  return "until: " + (until ? codec::format_instant(*until) : std::string("never"));
}

/// The end of an account that a body names, if any. Errors: kInvalid.
Result<std::optional<Time>> until_of(Json const& body) {
  auto const text = body.text_of("until");
  if (text.empty()) return std::nullopt;
  auto const time = codec::parse_instant(text);
  if (!time.has_value()) return fail(ErrorKind::kInvalid, "the end of an account is no date");
  return *time;
}

constexpr Literal kNoEnd("who acts for a patient does so for a time: say --until");

/// Errors: kNotFound.
Result<identity::UserView> known_user(identity::Directory const& directory, std::string_view name) {
  auto user = directory.find_user(name);
  if (!user) return fail(ErrorKind::kNotFound, "there is no such user");
  return *std::move(user);
}

bool is_true(Json const* value) {
  return value != nullptr && value->is_boolean() && value->as_boolean();
}

}  // namespace

Released Admin::users(Call& call) {
  Json list = Json::array();
  for (auto const& user : parts_.directory.users()) list.push(user_json(user));
  Json json = Json::object();
  json.set("users", std::move(list));
  return answer(call, codec::write_json(json));
}

bool Admin::is_privileged(std::string_view role) const {
  auto const rights = parts_.gate.role(role);
  return !rights || rights->is_privileged();
}

std::string text_of(std::optional<std::vector<std::string>> const& networks) {
  if (!networks) return "networks: any";
  std::string text = "networks:";
  for (auto const& network : *networks) text.append(" ").append(network);
  return text;
}

Result<std::optional<std::vector<std::string>>> networks_of(Json const& body) {
  auto const* list = body.find("networks");
  if (list == nullptr || !list->is_array()) return std::nullopt;
  std::vector<std::string> networks;
  for (auto const& network : list->items())
    networks.emplace_back(network.is_string() ? network.as_string() : "");
  TACENDA_TRY_VOID(access::AddressList::parse(networks));
  return networks;
}

bool widens(std::optional<std::vector<std::string>> const& before,
            std::optional<std::vector<std::string>> const& after) {
  if (!before) return false;
  if (!after) return true;
  auto const held = access::AddressList::parse(*before);
  auto const next = access::AddressList::parse(*after);
  // What cannot be read lets nobody in.
  return !held.has_value() || !next.has_value() || !held->covers(*next);
}

std::string basis_of(identity::UserView const& user) {
  std::string basis = user.id + "\n" + user.role + "\n" + user.patient.value_or("");
  for (bool const flag : {user.is_service, user.enabled, user.enrolled}) basis.append(flag ? " yes" : " no");
  basis.append("\n").append(text_of(user.standing->until));
  if (user.provider) basis.append("\n").append(user.provider->subject);
  if (user.sealed) basis.append("\nsealed");
  return basis;
}

Result<Admin::Plan> Admin::add_user(Call& call) {
  identity::Directory::NewUser user;
  user.name = call.body.text_of("name");
  user.role = call.body.text_of("role");
  user.is_service = is_true(call.body.find("service"));
  call.origin.target = user.name;
  call.origin.new_value = user.role;
  auto const role = parts_.gate.role(user.role);
  if (!role) return fail(ErrorKind::kInvalid, "the policy has no such role");
  if (auto const patient = call.body.text_of("patient"); !patient.empty()) {
    user.patient = TACENDA_TRY(PatientId::parse(patient));
    call.origin.new_value += ", patient: " + std::string(patient);
  }
  if (role->own_record_only != user.patient.has_value())
    return fail(ErrorKind::kInvalid, "--patient goes with the role patient, and only with it");
  user.until = TACENDA_TRY(until_of(call.body));
  if (role->acts_for_another && !user.until) return fail(ErrorKind::kInvalid, kNoEnd);
  if (user.until) call.origin.new_value += ", " + text_of(user.until);
  if (is_true(call.body.find("emergency"))) return add_emergency_user(call, std::move(user));
  TACENDA_TRY_VOID(parts_.directory.check_new(user));
  Plan plan;
  plan.entrusts = role->is_privileged();
  plan.is_secret = !user.is_service;
  plan.act = [this, user = std::move(user)]() -> Result<Done> {
    auto added = TACENDA_TRY(parts_.directory.add_user(user));
    auto json = enrolment_json(user.name, added, hooks_.endpoint());
    return Done{std::move(added.pending), std::move(json)};
  };
  return plan;
}

Result<Admin::Plan> Admin::renew_user(Call& call) {
  std::string name(call.body.text_of("name"));
  call.origin.target = name;
  call.origin.new_value = "new enrolment";
  TACENDA_TRY_VOID(parts_.directory.check_renewal(name));
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  // Whatever the role is: who completes it has every role that the account is given later.
  Plan plan{.entrusts = true, .is_secret = true, .subject = user.id, .basis = basis_of(user)};
  plan.act = [this, name = std::move(name)]() -> Result<Done> {
    auto added = TACENDA_TRY(parts_.directory.renew_enrolment(name));
    auto json = enrolment_json(name, added, hooks_.endpoint());
    return Done{std::move(added.pending), std::move(json)};
  };
  return plan;
}

Released Admin::disable_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  auto pending = parts_.directory.disable_user(name);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Result<Admin::Plan> Admin::change_role(Call& call) {
  std::string name(call.body.text_of("name"));
  std::string role(call.body.text_of("role"));
  call.origin.target = name;
  call.origin.new_value = role;
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  call.origin.old_value = user.role;
  auto const rights = parts_.gate.role(role);
  if (!rights) return fail(ErrorKind::kInvalid, "the policy has no such role");
  if (rights->own_record_only != user.patient.has_value())
    return fail(ErrorKind::kInvalid, "the role patient is for accounts of patients, and only for them");
  if (rights->acts_for_another && !user.standing->until) return fail(ErrorKind::kInvalid, kNoEnd);
  Plan plan{.entrusts = rights->is_privileged(), .subject = user.id, .basis = basis_of(user)};
  plan.act = [this, name = std::move(name), role = std::move(role)]() -> Result<Done> {
    return Done{TACENDA_TRY(parts_.directory.change_role(name, role))};
  };
  return plan;
}

Released Admin::unlock_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  call.origin.new_value = "unlocked";
  auto pending = parts_.directory.unlock_user(name);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Result<Admin::Plan> Admin::bind_certificate(Call& call) {
  std::string name(call.body.text_of("name"));
  call.origin.target = name;
  if (parts_.authorization.clients().find(name))
    return fail(ErrorKind::kForbidden, "an application gets its tokens from /oauth/token");
  auto const bytes = codec::hex_decode(call.body.text_of("sha256"));
  Digest digest{};
  if (!bytes.has_value() || bytes->size() != digest.size())
    return fail(ErrorKind::kInvalid, "a certificate is named by the SHA-256 of its DER, in hex");
  std::ranges::copy(*bytes, digest.begin());
  call.origin.new_value = codec::hex_encode(digest);
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  // Whatever the role is, as of an invitation.
  Plan plan{.entrusts = true, .subject = user.id, .basis = basis_of(user)};
  plan.act = [this, name = std::move(name), digest]() -> Result<Done> {
    return Done{TACENDA_TRY(parts_.directory.bind_certificate(name, digest))};
  };
  return plan;
}

Result<Admin::Plan> Admin::restrict_networks(Call& call) {
  std::string name(call.body.text_of("name"));
  call.origin.target = name;
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  auto networks = TACENDA_TRY(networks_of(call.body));
  auto const& before = user.standing->networks;
  call.origin.old_value = text_of(before);
  call.origin.new_value = text_of(networks);
  // Whatever the role is: whoever has what it takes to use the account could use it from there.
  Plan plan{.entrusts = widens(before, networks), .subject = user.id, .basis = basis_of(user)};
  plan.act = [this, name = std::move(name), networks = std::move(networks)]() -> Result<Done> {
    return Done{TACENDA_TRY(parts_.directory.restrict_networks(name, networks))};
  };
  return plan;
}

Result<Admin::Plan> Admin::limit_user(Call& call) {
  std::string name(call.body.text_of("name"));
  call.origin.target = name;
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  auto const until = TACENDA_TRY(until_of(call.body));
  auto const role = parts_.gate.role(user.role);
  if (role && role->acts_for_another && !until) return fail(ErrorKind::kInvalid, kNoEnd);
  auto const& before = user.standing->until;
  call.origin.old_value = text_of(before);
  call.origin.new_value = text_of(until);
  // What ends later, or comes back, is given for that time; an earlier end takes.
  bool const lengthens = before && (!until || *until > *before);
  Plan plan{.entrusts = lengthens && is_privileged(user.role), .subject = user.id, .basis = basis_of(user)};
  plan.act = [this, name = std::move(name), until]() -> Result<Done> {
    return Done{TACENDA_TRY(parts_.directory.limit_until(name, until))};
  };
  return plan;
}

Result<Admin::Plan> Admin::link_user(Call& call) {
  std::string name(call.body.text_of("name"));
  std::string external_id(call.body.text_of("external_id"));
  bool const unlinks = is_true(call.body.find("unlink"));
  call.origin.target = name;
  auto const user = TACENDA_TRY(known_user(parts_.directory, name));
  Plan plan{.subject = user.id, .basis = basis_of(user)};
  if (auto const* subject = call.body.find("subject"); subject != nullptr) {
    if (parts_.provider == nullptr)
      return fail(ErrorKind::kInvalid, "the configuration names no OpenID provider");
    std::optional<identity::ProviderLink> link;
    if (!unlinks) link = {parts_.provider->issuer(), std::string(call.body.text_of("subject"))};
    (unlinks ? call.origin.old_value : call.origin.new_value) =
        unlinks ? "OpenID subject" : "OpenID subject " + link->subject;
    plan.entrusts = !unlinks;  // a way in, whatever the role is
    plan.act = [this, name = std::move(name), link = std::move(link)]() -> Result<Done> {
      return Done{TACENDA_TRY(identity::Provisioning(parts_.directory).link_provider(name, link))};
    };
    return plan;
  }
  std::string const linked = "linked, externalId " + (external_id.empty() ? "none" : external_id);
  (unlinks ? call.origin.old_value : call.origin.new_value) = unlinks ? "linked" : linked;
  plan.act = [this, name = std::move(name), external_id = std::move(external_id), unlinks]() -> Result<Done> {
    identity::Provisioning provisioning(parts_.directory);
    auto changed = TACENDA_TRY(unlinks ? provisioning.unlink(name) : provisioning.link(name, external_id));
    return Done{std::move(changed.pending)};
  };
  return plan;
}

Result<Admin::Plan> Admin::issue_token(Call& call) {
  std::string name(call.body.text_of("user"));
  call.origin.target = name;
  // Without the scopes that it was registered with, its account would have its role whole.
  if (parts_.authorization.clients().find(name))
    return fail(ErrorKind::kForbidden, "an application gets its tokens from /oauth/token");
  std::int64_t number = 0;
  if (auto const* value = call.body.find("expires_seconds"); value != nullptr && value->is_number()) {
    auto const text = value->number_text();
    (void)std::from_chars(text.data(), text.data() + text.size(), number);  // 0 is refused below
  }
  std::chrono::seconds const lifetime(number);
  auto const user = parts_.directory.find_user(name);
  // An identity provider keeps one token for long; it opens nothing but /scim/v2.
  auto const role = user ? parts_.gate.role(user->role) : std::nullopt;
  auto const longest = role && role->provisions_users ? limits::kProvisioningToken : limits::kServiceToken;
  TACENDA_TRY_VOID(parts_.directory.check_service_token(name, lifetime, longest));
  call.origin.new_value = "a token for " + std::to_string(number) + " s";
  Plan plan{.entrusts = is_privileged(user->role),
            .is_secret = true,
            .subject = user->id,
            .basis = basis_of(*user)};
  plan.act = [this, name = std::move(name), lifetime, longest]() -> Result<Done> {
    auto issued = TACENDA_TRY(parts_.directory.issue_service_token(name, lifetime, longest));
    Json json = Json::object();
    json.set("access_token", Json::string(issued.access_token));
    json.set("expires_at", Json::string(codec::format_instant(issued.expires)));
    return Done{std::move(issued.pending), codec::write_json(json), issued.principal.token_id()};
  };
  return plan;
}

}  // namespace tacenda::api
