// The audit log and the verification of the store, for administrators and auditors.
#include <charconv>

#include "api/admin.hpp"
#include "api/internal/admin_call.hpp"
#include "api/verification.hpp"
#include "codec/text.hpp"

namespace tacenda::api {
namespace {

using codec::Json;

Json strings(std::vector<std::string> const& values) {
  Json list = Json::array();
  for (auto const& value : values) list.push(Json::string(value));
  return list;
}

void set_text(Json& json, std::string_view name, std::string_view value) {
  if (!value.empty()) json.set(name, Json::string(value));
}

Json entry_json(audit::Entry const& entry) {
  auto const& event = entry.event;
  Json json = Json::object();
  json.set("sequence", Json::number(static_cast<std::int64_t>(entry.sequence)));
  json.set("recorded", Json::string(codec::format_instant(entry.recorded)));
  json.set("event", Json::string(audit::name_of(event.kind)));
  json.set("outcome", Json::number(static_cast<std::int64_t>(event.outcome)));
  if (!entry.readable) {
    json.set("readable", Json::boolean(false));
    return json;
  }
  if (event.count > 1) json.set("count", Json::number(static_cast<std::int64_t>(event.count)));
  if (event.http_status != 0) json.set("http_status", Json::number(event.http_status));
  set_text(json, "user_id", event.actor_id);
  set_text(json, "user", event.actor_name);
  set_text(json, "role", event.role);
  set_text(json, "authentication", event.authentication);
  set_text(json, "token_id", event.token_id);
  set_text(json, "client", event.client);
  set_text(json, "network", event.network);
  set_text(json, "request_id", event.request_id);
  set_text(json, "type", event.resource_type);
  set_text(json, "id", event.resource_id);
  if (event.resource_version != 0)
    json.set("version", Json::number(static_cast<std::int64_t>(event.resource_version)));
  if (!event.patients.empty()) json.set("patients", strings(event.patients));
  set_text(json, "purpose_of_use", event.purpose_of_use);
  set_text(json, "explained_by", event.explained_by);
  set_text(json, "labels", event.labels);
  set_text(json, "query", event.query);
  // The key of the text ended with a patient whom it matched or named.
  if (entry.query_state == audit::QueryState::kErased) json.set("query_erased", Json::boolean(true));
  set_text(json, "target", event.target);
  set_text(json, "old_value", event.old_value);
  set_text(json, "new_value", event.new_value);
  set_text(json, "reason", event.reason);
  return json;
}

Result<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  auto const [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(ErrorKind::kInvalid, "a parameter is not a number");
  return number;
}

Result<audit::Log::Filter> filter_of(std::map<std::string, std::string, std::less<>> const& query) {
  audit::Log::Filter filter;
  for (auto const& [name, value] : query) {
    if (name == "patient") {
      filter.patient = value;
    } else if (name == "user_id") {
      filter.user = value;
    } else if (name == "since") {
      filter.since = TACENDA_TRY(codec::parse_instant(value));
    } else if (name == "until") {
      filter.until = TACENDA_TRY(codec::parse_instant(value));
    } else if (name == "after") {
      filter.after = TACENDA_TRY(number_of(value));
    } else if (name == "limit") {
      filter.limit = std::min<std::size_t>(TACENDA_TRY(number_of(value)), limits::kAuditPage);
    } else if (name != "user" && name != "format") {
      return fail(ErrorKind::kInvalid, "audit takes patient, user, since, until, after, limit and format");
    }
  }
  return filter;
}

Json hashes(std::vector<Digest> const& digests) {
  Json list = Json::array();
  for (auto const& digest : digests) list.push(Json::string(codec::base64_encode(digest)));
  return list;
}

}  // namespace

Released Admin::audit_list(Call& call) {
  call.origin.query = call.request.query;
  auto filter = filter_of(call.query);
  if (!filter.has_value()) return refuse(call, filter.error());
  if (auto const user = call.query.find("user"); user != call.query.end()) {
    auto const view = parts_.directory.find_user(user->second);
    if (!view) return refuse(call, Error(ErrorKind::kNotFound, "there is no such user"));
    filter->user = view->id;
  }
  if (filter->patient) call.origin.patients.push_back(*filter->patient);
  filter->texts = audit::Log::Texts::kOpened;
  auto const entries = parts_.log.list(*filter);
  if (!entries.has_value()) return refuse(call, entries.error());
  bool const as_fhir = call.query.contains("format") && call.query.at("format") == "fhir";
  std::string const store = codec::hex_encode(parts_.vault.store_id());
  std::string body = "{\"entries\":[";
  for (std::size_t i = 0; i < entries->size(); ++i) {
    if (i > 0) body.push_back(',');
    if (as_fhir) {
      body.append(audit::to_fhir((*entries)[i], store));
    } else {
      codec::write_json(entry_json((*entries)[i]), body);
    }
  }
  body.append("]}");
  return answer(call, std::move(body));
}

Released Admin::audit_checkpoint(Call& call) {
  auto const checkpoint = parts_.log.checkpoint();
  if (!checkpoint.has_value()) return refuse(call, checkpoint.error());
  Json json = Json::object();
  json.set("checkpoint", Json::string(*checkpoint));
  json.set("verifier_key", Json::string(parts_.log.verifier_key()));
  return answer(call, codec::write_json(json));
}

Released Admin::audit_proof(Call& call) {
  auto const found = call.query.find("sequence");
  auto const old_size = call.query.find("old_size");
  std::uint64_t const size = parts_.log.size();
  auto const size_text = call.query.find("size");
  auto const tree_size =
      size_text == call.query.end() ? Result<std::uint64_t>(size) : number_of(size_text->second);
  if (!tree_size.has_value()) return refuse(call, tree_size.error());
  Json json = Json::object();
  json.set("tree_size", Json::number(static_cast<std::int64_t>(*tree_size)));
  if (old_size != call.query.end()) {
    auto const old = number_of(old_size->second);
    if (!old.has_value()) return refuse(call, old.error());
    auto const proof = parts_.log.consistency_proof(*old, *tree_size);
    if (!proof.has_value()) return refuse(call, proof.error());
    json.set("consistency", hashes(*proof));
    return answer(call, codec::write_json(json));
  }
  auto const sequence = found == call.query.end()
                            ? Result<std::uint64_t>(fail(ErrorKind::kInvalid, "a proof needs a sequence"))
                            : number_of(found->second);
  if (!sequence.has_value()) return refuse(call, sequence.error());
  auto const proof = parts_.log.inclusion_proof(*sequence, *tree_size);
  if (!proof.has_value()) return refuse(call, proof.error());
  auto const bytes = parts_.log.entry_bytes(*sequence);
  if (!bytes.has_value()) return refuse(call, bytes.error());
  json.set("sequence", Json::number(static_cast<std::int64_t>(*sequence)));
  json.set("entry", Json::string(codec::base64_encode(*bytes)));
  json.set("inclusion", hashes(*proof));
  return answer(call, codec::write_json(json));
}

Released Admin::verify(Call& call) {
  auto const report = verify_store(parts_, [](std::string_view, std::uint64_t, std::uint64_t) {});
  if (!report.has_value()) return refuse(call, report.error());
  if (!report->damage.empty()) {
    call.origin.outcome = audit::Outcome::kSeriousFailure;
    call.origin.reason = "damage found";
  }
  return answer(call, to_json(*report));
}

Released Admin::seal(Call& call) {
  auto released = answer(call, "{\"state\":\"sealed\"}");
  if (released.status() == 200) hooks_.seal();
  return released;
}

}  // namespace tacenda::api
