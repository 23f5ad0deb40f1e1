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

/// A list of networks as the audit log keeps it.
std::string text_of(std::optional<std::vector<std::string>> const& networks) {
  if (!networks) return "networks: any";
  std::string text = "networks:";
  for (auto const& network : *networks) text.append(" ").append(network);
  return text;
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

Released Admin::add_user(Call& call) {
  identity::Directory::NewUser user;
  user.name = call.body.text_of("name");
  user.role = call.body.text_of("role");
  user.is_service = is_true(call.body.find("service"));
  call.origin.target = user.name;
  call.origin.new_value = user.role;
  auto const role = parts_.gate.role(user.role);
  if (!role) return refuse(call, Error(ErrorKind::kInvalid, "the policy has no such role"));
  if (auto const patient = call.body.text_of("patient"); !patient.empty()) {
    auto id = PatientId::parse(patient);
    if (!id.has_value()) return refuse(call, id.error());
    user.patient = std::move(*id);
  }
  if (role->own_record_only != user.patient.has_value()) {
    return refuse(call, Error(ErrorKind::kInvalid, "--patient goes with the role patient, and only with it"));
  }
  auto const until = until_of(call.body);
  if (!until.has_value()) return refuse(call, until.error());
  user.until = *until;
  if (role->acts_for_another && !user.until) return refuse(call, Error(ErrorKind::kInvalid, kNoEnd));
  if (user.until) call.origin.new_value += ", " + text_of(user.until);
  auto added = parts_.directory.add_user(user);
  if (!added.has_value()) return refuse(call, added.error());
  return change(call, added->pending, enrolment_json(user.name, *added, hooks_.endpoint()));
}

Released Admin::renew_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  call.origin.new_value = "new enrolment";
  auto added = parts_.directory.renew_enrolment(name);
  if (!added.has_value()) return refuse(call, added.error());
  return change(call, added->pending, enrolment_json(name, *added, hooks_.endpoint()));
}

Released Admin::disable_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  auto pending = parts_.directory.disable_user(name);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::change_role(Call& call) {
  std::string const name(call.body.text_of("name"));
  std::string const role(call.body.text_of("role"));
  call.origin.target = name;
  call.origin.new_value = role;
  auto const user = parts_.directory.find_user(name);
  if (!user) return refuse(call, Error(ErrorKind::kNotFound, "there is no such user"));
  call.origin.old_value = user->role;
  auto const rights = parts_.gate.role(role);
  if (!rights) return refuse(call, Error(ErrorKind::kInvalid, "the policy has no such role"));
  if (rights->own_record_only != user->patient.has_value()) {
    return refuse(
        call, Error(ErrorKind::kInvalid, "the role patient is for accounts of patients, and only for them"));
  }
  if (rights->acts_for_another && !user->standing->until)
    return refuse(call, Error(ErrorKind::kInvalid, kNoEnd));
  auto pending = parts_.directory.change_role(name, role);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::unlock_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  call.origin.new_value = "unlocked";
  auto pending = parts_.directory.unlock_user(name);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::bind_certificate(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  if (parts_.authorization.clients().find(name))
    return refuse(call, Error(ErrorKind::kForbidden, "an application gets its tokens from /oauth/token"));
  auto const bytes = codec::hex_decode(call.body.text_of("sha256"));
  Digest digest{};
  if (!bytes.has_value() || bytes->size() != digest.size()) {
    return refuse(call,
                  Error(ErrorKind::kInvalid, "a certificate is named by the SHA-256 of its DER, in hex"));
  }
  std::ranges::copy(*bytes, digest.begin());
  call.origin.new_value = codec::hex_encode(digest);
  auto pending = parts_.directory.bind_certificate(name, digest);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::restrict_networks(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  auto const user = parts_.directory.find_user(name);
  if (!user) return refuse(call, Error(ErrorKind::kNotFound, "there is no such user"));
  std::optional<std::vector<std::string>> networks;
  if (auto const* list = call.body.find("networks"); list != nullptr && list->is_array()) {
    networks.emplace();
    for (auto const& network : list->items())
      networks->emplace_back(network.is_string() ? network.as_string() : "");
    if (auto const parsed = access::AddressList::parse(*networks); !parsed.has_value())
      return refuse(call, parsed.error());
  }
  call.origin.old_value = text_of(user->standing->networks);
  call.origin.new_value = text_of(networks);
  auto pending = parts_.directory.restrict_networks(name, std::move(networks));
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::limit_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  call.origin.target = name;
  auto const user = parts_.directory.find_user(name);
  if (!user) return refuse(call, Error(ErrorKind::kNotFound, "there is no such user"));
  auto const until = until_of(call.body);
  if (!until.has_value()) return refuse(call, until.error());
  auto const role = parts_.gate.role(user->role);
  if (role && role->acts_for_another && !*until) return refuse(call, Error(ErrorKind::kInvalid, kNoEnd));
  call.origin.old_value = text_of(user->standing->until);
  call.origin.new_value = text_of(*until);
  auto pending = parts_.directory.limit_until(name, *until);
  if (!pending.has_value()) return refuse(call, pending.error());
  return change(call, *pending, "{}");
}

Released Admin::link_user(Call& call) {
  std::string const name(call.body.text_of("name"));
  std::string const external_id(call.body.text_of("external_id"));
  bool const unlinks = is_true(call.body.find("unlink"));
  call.origin.target = name;
  std::string const linked = "linked, externalId " + (external_id.empty() ? "none" : external_id);
  (unlinks ? call.origin.old_value : call.origin.new_value) = unlinks ? "linked" : linked;
  if (auto const* subject = call.body.find("subject"); subject != nullptr) {
    if (parts_.provider == nullptr)
      return refuse(call, Error(ErrorKind::kInvalid, "the configuration names no OpenID provider"));
    std::optional<identity::ProviderLink> link;
    if (!unlinks) link = {parts_.provider->issuer(), std::string(call.body.text_of("subject"))};
    (unlinks ? call.origin.old_value : call.origin.new_value) =
        unlinks ? "OpenID subject" : "OpenID subject " + link->subject;
    auto pending = identity::Provisioning(parts_.directory).link_provider(name, std::move(link));
    if (!pending.has_value()) return refuse(call, pending.error());
    return change(call, *pending, "{}");
  }
  identity::Provisioning provisioning(parts_.directory);
  auto changed = unlinks ? provisioning.unlink(name) : provisioning.link(name, external_id);
  if (!changed.has_value()) return refuse(call, changed.error());
  return change(call, changed->pending, "{}");
}

Released Admin::issue_token(Call& call) {
  std::string const name(call.body.text_of("user"));
  call.origin.target = name;
  // Without the scopes that it was registered with, its account would have its role whole.
  if (parts_.authorization.clients().find(name))
    return refuse(call, Error(ErrorKind::kForbidden, "an application gets its tokens from /oauth/token"));
  std::int64_t seconds = 0;
  if (auto const* value = call.body.find("expires_seconds"); value != nullptr && value->is_number()) {
    auto const text = value->number_text();
    (void)std::from_chars(text.data(), text.data() + text.size(), seconds);  // 0 is refused below
  }
  // An identity provider keeps one token for long; it opens nothing but /scim/v2.
  auto const user = parts_.directory.find_user(name);
  auto const role = user ? parts_.gate.role(user->role) : std::nullopt;
  auto const longest = role && role->provisions_users ? limits::kProvisioningToken : limits::kServiceToken;
  auto issued = parts_.directory.issue_service_token(name, std::chrono::seconds(seconds), longest);
  if (!issued.has_value()) return refuse(call, issued.error());
  call.origin.new_value = issued->principal.token_id();
  Json json = Json::object();
  json.set("access_token", Json::string(issued->access_token));
  json.set("expires_at", Json::string(codec::format_instant(issued->expires)));
  return change(call, issued->pending, codec::write_json(json));
}

}  // namespace tacenda::api
