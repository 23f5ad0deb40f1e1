// Keys of the store: which there are, new ones, and the end of old ones (K-08).
#include <algorithm>
#include <array>
#include <charconv>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "api/key_worker.hpp"
#include "codec/text.hpp"
#include "vault/key_rotation.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using vault::KeyRotation;
using vault::KeyState;
using vault::Purpose;

constexpr std::string_view kAlgorithm = "XAES-256-GCM";
constexpr std::string_view kVaultRoot = "vault";
constexpr std::string_view kRoot = "root";

Json number(std::uint64_t value) {
  return Json::number(static_cast<std::int64_t>(value));
}

std::string_view uses_of(Purpose purpose) {
  switch (purpose) {
    case Purpose::kRecord:
      return "seals nothing: records lie under the keys of their patients";
    case Purpose::kFile:
      return "wraps the keys of the sealed files";
    case Purpose::kAudit:
      return "seals entries of the audit log, texts of requests and alerts";
    case Purpose::kAuth:
      return "seals accounts, policy, applications and approvals";
    case Purpose::kToken:
      return "seals links to pages of a listing, and pages of a sign-in";
    case Purpose::kState:
      return "seals the sum over what is stored";
  }
  std::unreachable();
}

/// What comes from the first term of a purpose and stays what it is.
std::string_view derives_of(Purpose purpose) {
  if (purpose == Purpose::kAuth)
    return "pepper of passwords, keys of recovery codes, names tried and refresh tokens";
  if (purpose == Purpose::kState) return "keys of the sum over what is stored";
  return {};
}

/// A small secret that the keyring keeps: what it is for, and what it is used with.
struct KeptSecret {
  std::string_view name;
  std::string_view algorithm;
  std::string_view uses;
};
constexpr std::array<KeptSecret, 4> kKeptSecrets{{
    {"checkpoint", "Ed25519",
     "signs checkpoints of the audit log; who verifies the log knows its other half"},
    {"openid-signing-key", "RS256", "signs what applications are told of who signed in"},
    {"tls-chain", "X.509", "the certificate that the server shows; no secret"},
    {"tls-key", "of the certificate", "proves to who connects that this is the server"},
}};

std::string id_of(Purpose purpose, std::uint32_t term) {
  return std::string(vault::name_of(purpose)) + "/" + std::to_string(term);
}

Result<Purpose> purpose_named(std::string_view name) {
  for (auto const purpose : vault::kPurposes) {
    if (vault::name_of(purpose) == name) return purpose;
  }
  return fail(ErrorKind::kInvalid, "the purpose is one of record, file, audit, auth, token and state");
}

Json key_json(std::string const& id, std::string_view purpose, KeyState state, std::string_view uses) {
  Json json = Json::object();
  json.set("id", Json::string(id));
  json.set("purpose", Json::string(purpose));
  json.set("algorithm", Json::string(kAlgorithm));
  json.set("state", Json::string(vault::name_of(state)));
  json.set("uses", Json::string(uses));
  return json;
}

/// Of a key that is in use.
void set_age(Json& json, Time made, Time now) {
  auto const days = std::chrono::duration_cast<std::chrono::days>(std::max(now, made) - made);
  json.set("age_days", Json::number(std::int64_t{days.count()}));
  json.set("overdue", Json::boolean(days > vault::kCryptoPeriod));
}

Json term_json(vault::TermView const& term, KeyWorker const& worker, Time now) {
  auto json = key_json(id_of(term.purpose, term.number), vault::name_of(term.purpose), term.state,
                       uses_of(term.purpose));
  json.set("term", number(term.number));
  json.set("created", Json::string(codec::format_instant(term.created)));
  json.set("since", Json::string(codec::format_instant(term.changed)));
  if (term.state == KeyState::kActive) set_age(json, term.created, now);
  if (term.derives && !derives_of(term.purpose).empty())
    json.set("derives", Json::string(derives_of(term.purpose)));
  json.set("can_be_destroyed", Json::boolean(vault::can_end(term.purpose)));
  auto const progress = worker.progress(term.purpose, term.number);
  // Of a compromised term that stays there is one, too, while the server knows of it.
  if (!term.is_to_be_destroyed && (!progress || term.state != KeyState::kCompromised)) return json;
  Json job = Json::object();
  job.set("state", Json::string(progress ? name_of(progress->stage) : "waits for its turn"));
  job.set("looked_at", number(progress ? progress->looked_at : 0));
  job.set("resealed", number(progress ? progress->resealed : 0));
  job.set("damaged", number(progress ? progress->damaged : 0));
  json.set("job", std::move(job));
  return json;
}

Json secret_json(std::string_view name) {
  auto const known = std::ranges::find(kKeptSecrets, name, &KeptSecret::name);
  bool const is_known = known != kKeptSecrets.end();
  Json json = Json::object();
  json.set("id", Json::string(name));
  json.set("algorithm", Json::string(is_known ? known->algorithm : "unknown"));
  json.set("uses", Json::string(is_known ? known->uses : "of another version of the program"));
  return json;
}

Json root_json(vault::KeysView const& keys, Time now) {
  auto root = key_json(keys.root_id, kRoot, KeyState::kActive, "seals the keyring and the vault root");
  root.set("created", Json::string(codec::format_instant(keys.root_made)));
  set_age(root, keys.root_made, now);
  Json slots = Json::array();
  for (auto const& slot : keys.slots) {
    Json one = Json::object();
    one.set("id", number(slot.id));
    one.set("kind", Json::string(slot.kind));
    slots.push(std::move(one));
  }
  root.set("slots", std::move(slots));
  // A change failed where nobody knows: the next start tells which of the two is in force.
  if (!keys.undecided_root.empty()) root.set("undecided", Json::string(keys.undecided_root));
  return root;
}

Result<std::uint32_t> term_of(Json const& body) {
  auto const* value = body.find("term");
  auto const text = value != nullptr && value->is_number() ? value->number_text() : std::string_view();
  std::uint32_t term = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), term);
  if (error != std::errc() || end != text.data() + text.size() || term == 0)
    return fail(ErrorKind::kInvalid, "the term is its number");
  return term;
}

bool is_set(Json const& body, std::string_view name) {
  auto const* value = body.find(name);
  return value != nullptr && value->is_boolean() && value->as_boolean();
}

/// What a body asks to rotate, each once. Errors: kInvalid.
Result<std::vector<std::string>> rotated_of(Json const& body) {
  std::vector<std::string> names;
  if (is_set(body, "all")) {
    for (auto const purpose : vault::kPurposes) names.emplace_back(vault::name_of(purpose));
    names.emplace_back(kVaultRoot);
    return names;
  }
  auto const* purposes = body.find("purposes");
  if (purposes != nullptr && purposes->is_array()) {
    for (auto const& purpose : purposes->items()) {
      auto const name = purpose.is_string() ? purpose.as_string() : std::string_view();
      if (name != kVaultRoot) TACENDA_TRY_VOID(purpose_named(name));
      if (std::ranges::find(names, name) == names.end()) names.emplace_back(name);
    }
  }
  if (is_set(body, "root")) names.emplace_back(kRoot);
  if (names.empty()) return fail(ErrorKind::kInvalid, "say which keys are to be rotated");
  return names;
}

/// Id of the key in force of what `name` of a rotation names. Errors: those of KeyRotation::keys.
Result<std::string> active_id(KeyRotation const& rotation, std::string_view name) {
  if (name == kRoot) {
    auto const keys = TACENDA_TRY(rotation.keys());
    if (keys.undecided_root.empty()) return keys.root_id;
    return keys.root_id + ", or " + keys.undecided_root + ": the next start tells";
  }
  if (name == kVaultRoot) return "vault/" + std::to_string(TACENDA_TRY(rotation.keys()).vault_root);
  auto const purpose = TACENDA_TRY(purpose_named(name));
  std::uint32_t newest = 0;
  for (auto const& term : rotation.terms()) {
    if (term.purpose == purpose) newest = std::max(newest, term.number);
  }
  return id_of(purpose, newest);
}

/// The ways to the root key that another one leaves behind; empty: none. The first slot of the key file is
/// wrapped anew.
Result<std::string> slots_dropped(KeyRotation const& rotation) {
  std::string names;
  bool is_kept = false;
  for (auto const& slot : TACENDA_TRY(rotation.keys()).slots) {
    if (!is_kept && slot.kind == "key file") {
      is_kept = true;
      continue;
    }
    names += (names.empty() ? "slot " : ", slot ") + std::to_string(slot.id) + " (" + slot.kind + ")";
  }
  return names;
}

Result<void> rotate(KeyRotation& rotation, std::string_view name, bool drops_slots) {
  if (name == kRoot) {
    return rotation.rotate_root(drops_slots ? KeyRotation::OtherSlots::kDrop
                                            : KeyRotation::OtherSlots::kRefuse);
  }
  if (name == kVaultRoot) {
    TACENDA_TRY_VOID(rotation.rotate_vault_root());
    return {};
  }
  auto const purpose = TACENDA_TRY(purpose_named(name));
  TACENDA_TRY_VOID(rotation.rotate(purpose));
  return {};
}

std::optional<vault::TermView> find(KeyRotation const& rotation, Purpose purpose, std::uint32_t number) {
  for (auto const& term : rotation.terms()) {
    if (term.purpose == purpose && term.number == number) return term;
  }
  return std::nullopt;
}

}  // namespace

Released Admin::keys(Call& call) {
  auto const keys = KeyRotation(parts_.vault).keys();
  if (!keys.has_value()) return refuse(call, keys.error());
  Time const now = parts_.clock.now();
  Json list = Json::array();
  list.push(root_json(*keys, now));
  auto vault_root =
      key_json("vault/" + std::to_string(keys->vault_root), kVaultRoot, KeyState::kActive,
               "wraps the keys of the key vault's pages, and so those of patients; new at each erasure");
  vault_root.set("pages", number(keys->pages));
  vault_root.set("wrapped", number(keys->subjects));
  list.push(std::move(vault_root));
  for (auto const& term : keys->terms) list.push(term_json(term, parts_.key_worker, now));
  Json json = Json::object();
  json.set("crypto_period_days", Json::number(std::int64_t{vault::kCryptoPeriod.count()}));
  json.set("keys", std::move(list));
  Json secrets = Json::array();
  for (auto const& name : keys->secrets) secrets.push(secret_json(name));
  json.set("secrets", std::move(secrets));
  return answer(call, codec::write_json(json));
}

/// What is about to be done to a key, durable before it is: no key changes that no entry tells of, also when
/// the disk has no room left for the one about what came of it. `new_value` and `reason` are those of the
/// announcement. Errors: as audit::Log::commit.
Result<void> Admin::announce(Call const& call, std::string_view new_value, std::string_view reason) {
  audit::Event event = call.origin;
  event.new_value = new_value;
  event.reason = reason;
  std::vector<audit::Event> events{std::move(event)};
  TACENDA_TRY_VOID(parts_.log.commit({}, std::move(events)));
  return {};
}

/// One rotation, announced before and recorded after it with what was and what is. Gives the answer when it
/// ends the call; nullopt: it is done, and stands in `list`.
std::optional<Released> Admin::rotate_key(Call& call, std::string const& name, codec::Json& list,
                                          std::optional<audit::Receipt>& last) {
  KeyRotation rotation(parts_.vault);
  bool const drops_slots = is_set(call.body, "drop_slots");
  call.origin.target = name;
  call.origin.old_value.clear();
  call.origin.new_value.clear();
  auto const before = active_id(rotation, name);
  if (!before.has_value()) return refuse(call, before.error());
  call.origin.old_value = *before;
  std::string dropped;
  if (name == kRoot && drops_slots) {
    auto names = slots_dropped(rotation);
    if (!names.has_value()) return refuse(call, names.error());
    dropped = std::move(*names);
    if (!dropped.empty()) call.origin.old_value = *before + "; dropped: " + dropped;
  }
  if (auto const told = announce(call, "to be rotated", ""); !told.has_value())
    return unstored(call, told.error());
  auto const done = rotate(rotation, name, drops_slots);
  auto const after = active_id(rotation, name);
  // Also of one that failed: it may have failed behind the moment from which the new key is in force.
  if (after.has_value() && *after != *before) call.origin.new_value = *after;
  if (!done.has_value()) return refuse(call, done.error());
  if (!after.has_value()) return refuse(call, after.error());
  std::vector<audit::Event> events{call.origin};
  auto receipt = parts_.log.commit({}, std::move(events));
  if (!receipt.has_value()) return unstored(call, receipt.error());
  last.emplace(std::move(*receipt));
  Json one = Json::object();
  one.set("purpose", Json::string(name));
  one.set("before", Json::string(*before));
  one.set("active", Json::string(*after));
  if (!dropped.empty()) one.set("dropped", Json::string(dropped));
  list.push(std::move(one));
  return std::nullopt;
}

// Each rotation has entries of its own, durable before the next begins: one that fails hides none.
Released Admin::rotate_keys(Call& call) {
  auto const names = rotated_of(call.body);
  if (!names.has_value()) return refuse(call, names.error());
  Json list = Json::array();
  std::optional<audit::Receipt> last;
  for (auto const& name : *names) {
    if (auto ended = rotate_key(call, name, list, last)) return std::move(*ended);
  }
  Json json = Json::object();
  json.set("rotated", std::move(list));
  return released(*last, codec::write_json(json));
}

Released Admin::retire_key(Call& call) {
  KeyRotation rotation(parts_.vault);
  auto const purpose = purpose_named(call.body.text_of("purpose"));
  if (!purpose.has_value()) return refuse(call, purpose.error());
  auto const term = term_of(call.body);
  if (!term.has_value()) return refuse(call, term.error());
  call.origin.target = id_of(*purpose, *term);
  auto const before = find(rotation, *purpose, *term);
  if (before) call.origin.old_value = vault::name_of(before->state);
  if (auto const told = announce(call, "to be retired", ""); !told.has_value())
    return unstored(call, told.error());
  if (auto const retired = rotation.retire(*purpose, *term); !retired.has_value())
    return refuse(call, retired.error());
  call.origin.new_value = "to be destroyed";
  return answer(call, "{}");
}

Released Admin::compromised_key(Call& call) {
  KeyRotation rotation(parts_.vault);
  auto const purpose = purpose_named(call.body.text_of("purpose"));
  if (!purpose.has_value()) return refuse(call, purpose.error());
  auto const term = term_of(call.body);
  if (!term.has_value()) return refuse(call, term.error());
  std::string const reason(call.body.text_of("reason"));
  call.origin.target = id_of(*purpose, *term);
  if (reason.find_first_not_of(" \t\r\n") == std::string::npos || reason.size() > limits::kReasonBytes)
    return refuse(call, Error(ErrorKind::kInvalid, "say why, in at most 2,000 bytes"));
  auto const before = find(rotation, *purpose, *term);
  if (before) call.origin.old_value = vault::name_of(before->state);
  if (auto const told = announce(call, "to be marked compromised", reason); !told.has_value())
    return unstored(call, told.error());
  auto const active = rotation.mark_compromised(*purpose, *term);
  auto const after = find(rotation, *purpose, *term);
  auto const in_force = active_id(rotation, vault::name_of(*purpose));
  if (after && in_force.has_value() && after->state == KeyState::kCompromised)
    call.origin.new_value = "compromised; " + *in_force + " is active";
  if (!active.has_value()) return refuse(call, active.error());
  call.origin.reason = reason;
  Json json = Json::object();
  json.set("active", Json::string(id_of(*purpose, *active)));
  json.set("will_be_destroyed", Json::boolean(vault::can_end(*purpose)));
  return answer(call, codec::write_json(json));
}

}  // namespace tacenda::api
