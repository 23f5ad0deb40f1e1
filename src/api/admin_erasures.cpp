// Erasure of a patient's record, and the legal holds that stand against it (G-07, G-08, K-10).
#include <algorithm>
#include <charconv>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "codec/text.hpp"
#include "privacy/erasure_worker.hpp"

namespace tacenda::api {
namespace {

using codec::Json;
using privacy::Erasure;
using privacy::Hold;

Json number(std::uint64_t value) {
  return Json::number(static_cast<std::int64_t>(value));
}

Json instant(Time time) {
  return Json::string(codec::format_instant(time));
}

Json counts(std::map<std::string, std::uint64_t> const& by_type) {
  Json json = Json::object();
  for (auto const& [type, count] : by_type) json.set(type, number(count));
  return json;
}

/// Without who and why: what a certificate may say as well.
Json state_json(Erasure const& erasure) {
  Json json = Json::object();
  json.set("id", Json::string(erasure.id));
  bool const is_pending = erasure.is_under_way();
  json.set("state", Json::string(is_pending ? "pending" : privacy::name_of(erasure.state)));
  if (is_pending) json.set("step", Json::string(privacy::name_of(erasure.state)));
  if (erasure.hold) json.set("hold", Json::string(privacy::name_of(*erasure.hold)));
  json.set("ordered", instant(erasure.ordered));
  if (erasure.state == Erasure::State::kRefused) return json;
  json.set("key", Json::string(codec::hex_encode(erasure.key)));
  if (erasure.destroyed) json.set("keys_destroyed", instant(*erasure.destroyed));
  if (erasure.completed) json.set("completed", instant(*erasure.completed));
  json.set("resources", counts(erasure.resources));
  json.set("versions", number(erasure.versions));
  json.set("rewritten", number(erasure.rewritten));
  json.set("purged_versions", number(erasure.purged));
  json.set("ended_exports", number(erasure.exports));
  if (erasure.blocked > 0) json.set("damaged", number(erasure.blocked));
  if (erasure.waiting > 0) json.set("waits_for", number(erasure.waiting));
  return json;
}

Json erasure_json(Erasure const& erasure) {
  Json json = state_json(erasure);
  json.set("patient", Json::string(erasure.patient));
  json.set("reason", Json::string(erasure.reason));
  Json grounds = Json::array();
  for (auto const& ground : erasure.grounds) grounds.push(Json::string(ground));
  json.set("grounds", std::move(grounds));
  json.set("asked_by", Json::string(erasure.asker_name));
  return json;
}

Json hold_json(Hold const& hold, Time now) {
  Json json = Json::object();
  json.set("id", Json::string(hold.id));
  json.set("patient", Json::string(hold.patient));
  json.set("ground", Json::string(privacy::name_of(hold.ground)));
  json.set("reason", Json::string(hold.reason));
  json.set("stands", Json::boolean(hold.stands(now)));
  json.set("set", instant(hold.set));
  json.set("set_by", Json::string(hold.setter_name));
  if (hold.until) json.set("until", instant(*hold.until));
  if (hold.lifted) {
    json.set("lifted", instant(*hold.lifted));
    json.set("lifted_by", Json::string(hold.lifter_name));
    json.set("lift_reason", Json::string(hold.lift_reason));
  }
  return json;
}

/// The patient that a body names. Errors: kInvalid.
Result<std::string> patient_of(Json const& body) {
  return std::string(TACENDA_TRY(PatientId::parse(body.text_of("patient"))).view());
}

Result<Erasure> order_of(Json const& body, std::string const& asker, std::string const& asker_name) {
  Erasure order;
  order.patient = TACENDA_TRY(patient_of(body));
  order.reason = body.text_of("reason");
  order.asker = asker;
  order.asker_name = asker_name;
  if (auto const* grounds = body.find("grounds"); grounds != nullptr) {
    if (!grounds->is_array())
      return fail(ErrorKind::kInvalid, "the grounds of an erasure are a list of texts");
    for (auto const& ground : grounds->items()) {
      if (!ground.is_string()) return fail(ErrorKind::kInvalid, "the grounds of an erasure are texts");
      order.grounds.emplace_back(ground.as_string());
    }
  }
  TACENDA_TRY_VOID(privacy::Erasures::check_order(order));
  return order;
}

std::string words_of(Erasure const& order) {
  std::string words;
  for (auto const& ground : order.grounds) words.append(ground).push_back(' ');
  return words.append(order.reason);
}

/// Who has records of his as well.
privacy::Erasures::Others others_of(records::OwnedRecords const& owned) {
  privacy::Erasures::Others others;
  for (auto const& record : owned.records) others.insert(record.others.begin(), record.others.end());
  return others;
}

/// What an erasure would do, and what stands against it.
Json survey_json(std::string const& patient, records::OwnedRecords const& owned,
                 std::vector<records::OwnedRecord> const& lost, std::vector<Hold> const& holds, Time now) {
  std::map<std::string, std::uint64_t> own;
  std::map<std::string, std::uint64_t> shared;
  std::uint64_t versions = 0;
  for (auto const& record : owned.records) {
    ++(record.is_shared() ? shared : own)[record.type];
    versions += record.older.size() + (record.is_his ? 1 : 0);
  }
  Json json = Json::object();
  json.set("patient", Json::string(patient));
  json.set("resources", counts(own));
  json.set("shared", counts(shared));
  json.set("versions", number(versions));
  if (owned.unreadable > 0) json.set("damaged", number(owned.unreadable));
  Json in_the_way = Json::array();
  for (auto const& record : lost) in_the_way.push(Json::string(record.type + "/" + record.id));
  if (!lost.empty()) json.set("lost_to_others", std::move(in_the_way));
  auto const others = others_of(owned);
  Json of_others = Json::array();
  for (auto const& hold : holds) {
    if (!hold.stands(now)) continue;
    if (hold.patient == patient && json.find("hold") == nullptr) json.set("hold", hold_json(hold, now));
    if (others.contains(hold.patient)) of_others.push(hold_json(hold, now));
  }
  if (!of_others.items().empty()) json.set("holds_of_others", std::move(of_others));
  return json;
}

/// Size of the tree that a checkpoint is of: its second line. Errors: kCorrupt.
Result<std::uint64_t> size_of(std::string_view checkpoint) {
  auto const begin = checkpoint.find('\n') + 1;
  auto const end = checkpoint.find('\n', begin);
  std::uint64_t size = 0;
  if (begin == 0 || end == std::string_view::npos)
    return fail(ErrorKind::kCorrupt, "a checkpoint is cut off");
  auto const text = checkpoint.substr(begin, end - begin);
  auto const [stop, error] = std::from_chars(text.data(), text.data() + text.size(), size);
  if (error != std::errc() || stop != text.data() + text.size())
    return fail(ErrorKind::kCorrupt, "a checkpoint names no size");
  return size;
}

/// That the entry is in the log, for anybody to check.
Result<Json> proof_json(audit::Log const& log, std::uint64_t sequence) {
  auto const checkpoint = TACENDA_TRY(log.checkpoint());
  auto const size = TACENDA_TRY(size_of(checkpoint));
  auto const entry = TACENDA_TRY(log.entry_bytes(sequence));
  Json hashes = Json::array();
  for (auto const& hash : TACENDA_TRY(log.inclusion_proof(sequence, size)))
    hashes.push(Json::string(codec::base64_encode(hash)));
  Json json = Json::object();
  json.set("sequence", number(sequence));
  json.set("entry", Json::string(codec::base64_encode(entry)));
  json.set("tree_size", number(size));
  json.set("inclusion", std::move(hashes));
  json.set("checkpoint", Json::string(checkpoint));
  return json;
}

}  // namespace

Result<void> Admin::survey_erasure(Call& call) {
  auto const order = order_of(call.body, call.asker, call.asker_name);
  // What is wrong with it, the plan says.
  if (!order.has_value() || !forgetting_.erasures.check(order->patient).has_value()) return {};
  auto const& survey = forgetting_.worker.survey();
  auto const owned = TACENDA_TRY(survey.records_of(order->patient, hooks_.stopping));
  auto const lost = TACENDA_TRY(survey.lost_to_others(order->patient, owned, hooks_.stopping));
  call.examined = {order->patient, others_of(owned), !lost.empty()};
  return {};
}

Result<Admin::Plan> Admin::order_erasure(Call& call) {
  auto order = TACENDA_TRY(order_of(call.body, call.asker, call.asker_name));
  call.origin.target = "Patient/" + order.patient;
  call.origin.new_value = words_of(order);
  auto others = call.examined ? call.examined->others : privacy::Erasures::Others();
  if (auto const key = forgetting_.erasures.check(order.patient, others); !key.has_value()) {
    others.insert(order.patient);
    // That it was refused, and on what ground, is kept (G-08).
    if (auto const hold = TACENDA_TRY(forgetting_.holds.standing_of_any(others)))
      call.on_refusal = TACENDA_TRY(forgetting_.erasures.refused(std::move(order), hold->ground)).set;
    return std::unexpected(key.error());
  }
  // What stood against it when it was looked for does not any more.
  if (!call.examined) return fail(ErrorKind::kConflict, "the record was changed meanwhile: ask again");
  if (call.examined->is_lost_to_others) {
    return fail(ErrorKind::kConflict,
                "other patients would lose records that cannot be without this one: a dry run names them; "
                "change or delete those first");
  }
  // Nothing takes it back: as what gives rights, it is not for one person to decide.
  Plan plan{.entrusts = true};
  plan.act = [this, order = std::move(order), others = std::move(others)]() mutable -> Result<Done> {
    order.id = codec::format_uuid_v4(TACENDA_TRY(parts_.vault.random_bytes16()));
    Json json = Json::object();
    json.set("id", Json::string(order.id));
    json.set("state", Json::string("pending"));
    std::string new_value = "erasure " + order.id + ": " + words_of(order);
    identity::Pending pending(
        [this, order = std::move(order), others = std::move(others)]() -> Result<vault::WriteSet> {
          return TACENDA_TRY(forgetting_.erasures.order(order, others)).set;
        },
        [this](bool committed) {
          if (committed) forgetting_.worker.renew();
        });
    return Done{std::move(pending), codec::write_json(json), std::move(new_value)};
  };
  return plan;
}

Released Admin::examine_erasure(Call& call) {
  auto const patient = patient_of(call.body);
  if (!patient.has_value()) return refuse(call, patient.error());
  call.origin.target = "Patient/" + *patient;
  auto const keys = parts_.vault.subject(vault::Subject::patient(*patient));
  if (!keys.has_value() && keys.error().kind() == ErrorKind::kNotFound)
    return refuse(call, Error(ErrorKind::kNotFound, "there is no record of such a patient"));
  if (!keys.has_value()) return refuse(call, keys.error());
  auto const holds = forgetting_.holds.all();
  if (!holds.has_value()) return refuse(call, holds.error());
  auto const& survey = forgetting_.worker.survey();
  auto const owned = survey.records_of(*patient, hooks_.stopping);
  if (!owned.has_value()) return refuse(call, owned.error());
  auto const lost = survey.lost_to_others(*patient, *owned, hooks_.stopping);
  if (!lost.has_value()) return refuse(call, lost.error());
  return answer(call, codec::write_json(survey_json(*patient, *owned, *lost, *holds, parts_.clock.now())));
}

Released Admin::erasures(Call& call) {
  Json json = Json::object();
  if (auto const id = call.query.find("id"); id != call.query.end()) {
    call.origin.target = id->second;
    auto const erasure = forgetting_.erasures.find(id->second);
    if (!erasure.has_value()) return refuse(call, erasure.error());
    return answer(call, codec::write_json(erasure_json(*erasure)));
  }
  auto const all = forgetting_.erasures.all();
  if (!all.has_value()) return refuse(call, all.error());
  Json list = Json::array();
  for (auto const& erasure : *all) list.push(erasure_json(erasure));
  json.set("erasures", std::move(list));
  return answer(call, codec::write_json(json));
}

Released Admin::erasure_certificate(Call& call) {
  auto const id = call.query.find("id");
  if (id == call.query.end())
    return refuse(call, Error(ErrorKind::kInvalid, "a certificate is asked for by id"));
  call.origin.target = id->second;
  auto const erasure = forgetting_.erasures.find(id->second);
  if (!erasure.has_value()) return refuse(call, erasure.error());
  if (erasure->state == Erasure::State::kRefused)
    return refuse(call, Error(ErrorKind::kConflict, "this erasure was refused: there is nothing to certify"));
  Json json = state_json(*erasure);
  auto const certificate = forgetting_.erasures.certificate(id->second);
  if (!certificate.has_value()) return refuse(call, certificate.error());
  if (*certificate) {
    auto const note = parts_.log.certify((*certificate)->text);
    if (!note.has_value()) return refuse(call, note.error());
    auto proof = proof_json(parts_.log, (*certificate)->sequence);
    if (!proof.has_value()) return refuse(call, proof.error());
    json.set("certificate", Json::string(*note));
    json.set("log", std::move(*proof));
    json.set("verifier_key", Json::string(parts_.log.verifier_key()));
  }
  return answer(call, codec::write_json(json));
}

Released Admin::holds(Call& call) {
  auto const all = forgetting_.holds.all();
  if (!all.has_value()) return refuse(call, all.error());
  Json list = Json::array();
  auto const patient = call.query.find("patient");
  for (auto const& hold : *all) {
    if (patient == call.query.end() || patient->second == hold.patient)
      list.push(hold_json(hold, parts_.clock.now()));
  }
  Json json = Json::object();
  json.set("holds", std::move(list));
  return answer(call, codec::write_json(json));
}

Released Admin::set_hold(Call& call) {
  Hold hold;
  auto const patient = patient_of(call.body);
  if (!patient.has_value()) return refuse(call, patient.error());
  hold.patient = *patient;
  call.origin.target = "Patient/" + hold.patient;
  auto const ground = privacy::hold_ground_of(call.body.text_of("ground"));
  if (!ground) {
    return refuse(call,
                  Error(ErrorKind::kUnprocessable,
                        "the ground of a hold is art17-3-b, art17-3-c, art17-3-d, art17-3-e or retention"));
  }
  hold.ground = *ground;
  hold.reason = call.body.text_of("reason");
  if (auto const until = call.body.text_of("until"); !until.empty()) {
    auto const time = codec::parse_instant(until);
    if (!time.has_value()) return refuse(call, time.error());
    hold.until = *time;
  }
  auto const seen = parts_.vault.order().committed();
  // Of what is gone, or on its way out, nothing can be kept any more.
  auto const free = forgetting_.erasures.check(hold.patient);
  bool const is_held = !free.has_value() && free.error().kind() == ErrorKind::kConflict &&
                       !forgetting_.erasures.is_under_way(hold.patient).value_or(true);
  if (!free.has_value() && !is_held) return refuse(call, free.error());
  auto change = forgetting_.holds.set(std::move(hold), {call.origin.actor_id, call.origin.actor_name});
  if (!change.has_value()) return refuse(call, change.error());
  change->set.read_at(seen);
  call.origin.new_value = std::string(privacy::name_of(change->hold.ground)) + " " + change->hold.reason;
  return this->change(call, std::move(change->set), nullptr,
                      codec::write_json(hold_json(change->hold, parts_.clock.now())));
}

Released Admin::lift_hold(Call& call) {
  call.origin.target = call.body.text_of("id");
  auto change = forgetting_.holds.lift(call.body.text_of("id"), call.body.text_of("reason"),
                                       {call.origin.actor_id, call.origin.actor_name});
  if (!change.has_value()) return refuse(call, change.error());
  call.origin.old_value =
      "Patient/" + change->hold.patient + " " + std::string(privacy::name_of(change->hold.ground));
  call.origin.new_value = change->hold.lift_reason;
  // An erasure may have waited for it.
  return this->change(
      call, std::move(change->set), [this] { forgetting_.worker.renew(); },
      codec::write_json(hold_json(change->hold, parts_.clock.now())));
}

}  // namespace tacenda::api
