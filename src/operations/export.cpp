#include "operations/export.hpp"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>

#include "codec/json.hpp"
#include "codec/scope.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"
#include "operations/internal/code_criteria.hpp"
#include "operations/internal/export_request.hpp"
#include "operations/refused.hpp"

namespace tacenda::operations {
namespace {

using records::ExportFileKind;
using records::ExportJob;
using records::ExportLevel;
using records::ExportState;

audit::Event export_event(Context const& context, audit::EventKind kind, ExportJob const& job) {
  audit::Event event = event_of(context, kind, "", "");
  event.target = job.id;
  if (!job.purpose.empty()) event.purpose_of_use = job.purpose;
  return event;
}

std::string scopes_of(identity::Principal const& principal) {
  return principal.application() ? codec::write_scopes(principal.application()->scopes) : std::string();
}

std::string client_of(identity::Principal const& principal) {
  return principal.application() ? principal.application()->client : std::string();
}

/// The job, if it is the asker's own and has not expired. Whose it is else, nobody learns. Of an application
/// with the same scopes: its manifest counts what those reach.
Result<ExportJob> own_job(Context const& context, std::string_view job_id) {
  if (context.services.exports == nullptr || !ResourceId::parse(job_id).has_value())
    return fail(ErrorKind::kNotFound, "there is no such export");
  auto job = TACENDA_TRY(context.services.exports->find(job_id));
  if (job.user != context.principal.id().view() || job.client != client_of(context.principal) ||
      job.scopes != scopes_of(context.principal) || job.expires <= context.now)
    return fail(ErrorKind::kNotFound, "there is no such export");
  return job;
}

/// To fetch what it holds, for what it was asked for and nothing else. Errors: kForbidden.
Result<Permit> permit_of(Context const& context, ExportJob const& job) {
  auto asker = context.principal;
  if (!asker.purpose().empty() && !job.purpose.empty() && asker.purpose() != job.purpose)
    return deny(context, "purpose", "the export is for another purpose");
  if (!job.purpose.empty()) asker.state_purpose(job.purpose);
  return context.services.gate.authorize(asker, Action::kExport, "");
}

/// Active members of a Group that are patients of this server. Who of them may be exported is judged of each.
Result<std::set<std::string>> members_of(Context const& context, std::string_view group_id) {
  auto const permit = TACENDA_TRY(context.services.gate.authorize_group_export(context.principal));
  auto const stored =
      TACENDA_TRY(context.services.store.read(permit, "Group", TACENDA_TRY(ResourceId::parse(group_id))));
  auto const group = TACENDA_TRY(codec::parse_json(stored.json));
  std::set<std::string> members;
  auto const* list = group.find("member");
  if (list == nullptr) return members;
  for (auto const& member : list->items()) {
    auto const* inactive = member.find("inactive");
    if (inactive != nullptr && inactive->is_boolean() && inactive->as_boolean()) continue;
    auto const* entity = member.find("entity");
    if (entity == nullptr) continue;
    auto const id = patient_of_reference(entity->text_of("reference"), own_addresses(context));
    if (id) members.insert(*id);
    if (members.size() > limits::kExportPatients)
      return fail(ErrorKind::kTooLarge, "the group has more members than one export takes");
  }
  return members;
}

/// Whose records are wanted: all, those of a group, those that are named.
Result<void> choose_patients(Context const& context, Permit const& permit, ExportKickOff const& kick_off,
                             records::ExportRequest& request) {
  std::set<std::string> const named(request.patients.begin(), request.patients.end());
  std::set<std::string> chosen = named;
  if (kick_off.level == ExportLevel::kGroup) {
    auto const members = TACENDA_TRY(members_of(context, kick_off.group));
    for (auto const& id : named) {
      // Of whom he may not see he does not learn whether it is a member.
      if (!members.contains(id) ||
          !context.services.store.read(permit, "Patient", TACENDA_TRY(ResourceId::parse(id))).has_value())
        return fail(ErrorKind::kInvalid, "a patient who is named is no member of the group");
    }
    if (named.empty()) chosen = members;
  } else {
    for (auto const& id : named) {
      auto const patient = context.services.store.read(permit, "Patient", TACENDA_TRY(ResourceId::parse(id)));
      if (!patient.has_value()) return fail(ErrorKind::kInvalid, "a patient who is named is not there");
    }
  }
  request.of_patients = kick_off.level == ExportLevel::kGroup || !named.empty();
  request.patients.assign(chosen.begin(), chosen.end());
  return {};
}

/// That the codes _typeFilter asks for are known: who asks learns it now and not from an export that failed.
Result<void> check_codes(Context const& context, records::ExportRequest const& request) {
  if (request.filters.empty()) return {};
  CodeCriteria codes(context, Action::kExport);
  for (auto const& type : request.types) {
    for (auto& query : TACENDA_TRY(queries_of(*context.services.store.parameters(), request, type)))
      TACENDA_TRY_VOID(codes.resolve(query.criteria));
  }
  return {};
}

}  // namespace

Result<Outcome> start_export(Context const& context, Permit const& permit, ExportKickOff const& kick_off) {
  if (context.services.exports == nullptr)
    return fail(ErrorKind::kNotSupported, "this server exports nothing");
  ExportJob job;
  TACENDA_TRY_VOID(
      read_parameters(*context.services.store.parameters(), kick_off, own_addresses(context), job));
  TACENDA_TRY_VOID(check_codes(context, job.request));
  auto const asked_about = job.request.patients;
  TACENDA_TRY_VOID(choose_patients(context, permit, kick_off, job.request));
  auto const asked_types = job.request.types;
  std::erase_if(job.request.types, [&](std::string const& type) {
    return !context.services.gate.authorize(context.principal, Action::kExport, type).has_value();
  });
  if (job.request.types.empty()) {
    auto const by = asked_types.empty()
                        ? std::string_view("role")
                        : context.services.gate.why(context.principal, Action::kExport, asked_types.front());
    return deny(context, by, "this role may export nothing of these types");
  }
  job.user = context.principal.id().view();
  job.user_name = context.principal.name();
  job.role = context.principal.role();
  job.client = client_of(context.principal);
  job.scopes = scopes_of(context.principal);
  // What it is for does not change later with the order of the policy.
  job.purpose = TACENDA_TRY(context.services.gate.purpose_of(context.principal));
  job.request_id = context.origin.request_id;
  job.created = context.now;
  job.expires = context.now + context.services.export_time;

  Outcome outcome;
  // One entry for each patient who is named, as a search has; none are named for a group or all.
  std::vector<std::string> named;
  if (kick_off.level != ExportLevel::kGroup) named = job.request.patients;
  ExportAnswer answer;
  answer.job.purpose = job.purpose;
  answer.job.id = TACENDA_TRY(context.services.exports->create(std::move(job), outcome.set));
  auto event = export_event(context, audit::EventKind::kExportStarted, answer.job);
  if (kick_off.level == ExportLevel::kGroup) {
    event.resource_type = "Group";
    event.resource_id = kick_off.group;
  }
  event.query_patients = asked_about;
  for (auto const& patient : named) {
    outcome.events.push_back(event);
    outcome.events.back().patients.push_back(patient);
    // As long as the list of patients is: the first entry keeps it, and ends it for all.
    event.query.clear();
    event.query_patients.clear();
  }
  if (named.empty()) outcome.events.push_back(std::move(event));
  outcome.result = std::move(answer);
  return outcome;
}

Result<Outcome> export_status(Context const& context, std::string_view job_id) {
  ExportAnswer answer;
  answer.job = TACENDA_TRY(own_job(context, job_id));
  if (answer.job.state == ExportState::kFailed)
    return fail(ErrorKind::kBug, "the export failed: ask for it again");
  if (answer.job.state == ExportState::kComplete) {
    answer.kind = ExportAnswer::Kind::kComplete;
    answer.files = TACENDA_TRY(context.services.exports->files(answer.job));
  } else {
    answer.kind = ExportAnswer::Kind::kWaiting;
    answer.progress = context.services.exports->progress(job_id);
  }
  Outcome outcome;
  outcome.events.push_back(export_event(context, audit::EventKind::kExportStatus, answer.job));
  outcome.result = std::move(answer);
  return outcome;
}

namespace {

std::string deletion_line(records::ExportPlace const& place) {
  codec::Json request = codec::Json::object();
  request.set("method", codec::Json::string("DELETE"));
  request.set("url", codec::Json::string(place.type + "/" + place.id));
  codec::Json entry = codec::Json::object();
  entry.set("request", std::move(request));
  codec::Json entries = codec::Json::array();
  entries.push(std::move(entry));
  codec::Json bundle = codec::Json::object();
  bundle.set("resourceType", codec::Json::string("Bundle"));
  bundle.set("type", codec::Json::string("transaction"));
  bundle.set("entry", std::move(entries));
  return codec::write_json(bundle);
}

std::string remark_line(std::string const& text) {
  codec::Json issue = codec::Json::object();
  issue.set("severity", codec::Json::string("warning"));
  issue.set("code", codec::Json::string("processing"));
  issue.set("diagnostics", codec::Json::string(text));
  codec::Json issues = codec::Json::array();
  issues.push(std::move(issue));
  codec::Json outcome = codec::Json::object();
  outcome.set("resourceType", codec::Json::string("OperationOutcome"));
  outcome.set("issue", std::move(issues));
  return codec::write_json(outcome);
}

/// The patients of what leaves, and what is watched of it.
using WatchByPatient = std::map<std::string, access::Watch>;

/// Appends the versions of a file as lines; gives the patients they are of.
Result<WatchByPatient> append_versions(Context const& context, Permit const& permit,
                                       records::ExportFile const& file, std::string& body) {
  WatchByPatient patients;
  for (auto const& place : file.places) {
    auto const version =
        context.services.store.vread(permit, place.type,
                                     TACENDA_TRY(ResourceId::parse(place.id)), place.version);
    if (!version.has_value()) {
      auto const kind = version.error().kind();
      if (kind == ErrorKind::kNotFound || kind == ErrorKind::kGone) continue;
      return std::unexpected(version.error());
    }
    body.append(version->json).push_back('\n');
    auto const watch = access::watch_of_text(version->json);
    for (auto const& patient : version->patients) patients[patient] |= watch;
  }
  return patients;
}

/// The same of deletions: who may not see one any more, or whose keys are gone, is left out.
Result<WatchByPatient> append_deletions(Context const& context, Permit const& permit,
                                        records::ExportFile const& file, std::string& body) {
  WatchByPatient patients;
  for (auto const& place : file.places) {
    auto const version =
        context.services.store.deletion(permit, place.type,
                                        TACENDA_TRY(ResourceId::parse(place.id)), place.version);
    if (!version.has_value()) {
      auto const kind = version.error().kind();
      if (kind == ErrorKind::kNotFound || kind == ErrorKind::kGone) continue;
      return std::unexpected(version.error());
    }
    body.append(deletion_line(place)).push_back('\n');
    auto const watch = access::watch_of_text(version->json);
    for (auto const& patient : version->patients) patients[patient] |= watch;
    if (place.type == "Patient") patients.try_emplace(place.id);
  }
  return patients;
}

}  // namespace

Result<Outcome> export_file(Context const& context, std::string_view job_id, std::string_view number) {
  ExportAnswer answer;
  answer.kind = ExportAnswer::Kind::kFile;
  answer.job = TACENDA_TRY(own_job(context, job_id));
  auto const permit = TACENDA_TRY(permit_of(context, answer.job));
  std::uint32_t index = 0;
  auto const [end, error] = std::from_chars(number.data(), number.data() + number.size(), index);
  if (error != std::errc() || end != number.data() + number.size() ||
      answer.job.state != ExportState::kComplete)
    return fail(ErrorKind::kNotFound, "the export has no such file");
  auto const file = TACENDA_TRY(context.services.exports->file(answer.job, index));
  WatchByPatient patients;
  switch (file.kind) {
    case ExportFileKind::kOutput:
      patients = TACENDA_TRY(append_versions(context, permit, file, answer.body));
      break;
    case ExportFileKind::kDeleted:
      patients = TACENDA_TRY(append_deletions(context, permit, file, answer.body));
      break;
    case ExportFileKind::kError:
      for (auto const& text : file.texts) answer.body.append(remark_line(text)).push_back('\n');
      break;
  }
  Outcome outcome;
  auto const add = [&] {
    outcome.events.push_back(export_event(context, audit::EventKind::kExportFile, answer.job));
    outcome.events.back().resource_type = file.type;
    outcome.events.back().new_value = std::string(number);
  };
  for (auto const& [patient, seen] : patients) {
    add();
    outcome.events.back().patients.push_back(patient);
    auto watch = context.services.gate.watch(outcome.events.back().patients);
    watch |= seen;
    outcome.events.back().labels = watch.text();
  }
  if (patients.empty()) add();
  outcome.result = std::move(answer);
  return outcome;
}

Result<Outcome> cancel_export(Context const& context, std::string_view job_id) {
  auto job = TACENDA_TRY(own_job(context, job_id));
  job.state = ExportState::kEnding;
  Outcome outcome;
  TACENDA_TRY_VOID(context.services.exports->put(job, outcome.set));
  outcome.events.push_back(export_event(context, audit::EventKind::kExportCancelled, job));
  ExportAnswer answer;
  answer.kind = ExportAnswer::Kind::kEnded;
  answer.job.id = job_id;
  outcome.result = std::move(answer);
  return outcome;
}

}  // namespace tacenda::operations
