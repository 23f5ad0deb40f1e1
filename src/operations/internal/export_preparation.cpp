#include "operations/internal/export_preparation.hpp"

#include <algorithm>

#include "core/limits.hpp"
#include "fhir/types.hpp"
#include "operations/internal/code_criteria.hpp"
#include "operations/internal/export_request.hpp"

namespace tacenda::operations {
namespace {

using records::ExportFileKind;
using records::ExportLevel;

constexpr std::chrono::milliseconds kBetweenTending{500};
constexpr std::size_t kHistoryPage = 100;

}  // namespace

Permit const* ExportPreparation::permit(std::string_view type) {
  auto found = permits_.find(type);
  if (found == permits_.end()) {
    auto right = worker_.parts_.gate.authorize(*principal_, Action::kExport, type);
    std::optional<Permit> kept;
    if (right.has_value()) kept = std::move(*right);
    found = permits_.emplace(type, std::move(kept)).first;
  }
  return found->second ? &*found->second : nullptr;
}

Result<void> ExportPreparation::run() {
  principal_ = TACENDA_TRY(worker_.asker_of(job_));
  patients_ = {job_.request.patients.begin(), job_.request.patients.end()};
  TACENDA_TRY_VOID(clear());
  // What was committed before this is in the state that is walked, so nothing up to its time is missed; what
  // came between the two is in it as well, and comes once more with the next `_since`.
  auto const begun = TACENDA_TRY(worker_.commit(
      [&]() -> Result<vault::WriteSet> {
        TACENDA_TRY(worker_.waiting(job_.id));
        return vault::WriteSet();
      },
      worker_.event_of(job_, audit::EventKind::kExportPrepared, "the preparation begins")));
  transaction_time_ = begun.time();
  {
    // The state that is walked has rows of the parameters of its time, and of no others.
    parameters_ = worker_.parts_.store.parameters();
    auto const at = worker_.parts_.store.read_point();
    if (parameters_ != worker_.parts_.store.parameters())
      return fail(ErrorKind::kConflict, "the search parameters changed: the export begins anew");
    TACENDA_TRY_VOID(walk_all(at));
  }
  hides_members_ = TACENDA_TRY(has_hidden_members());
  if (job_.request.since) {
    for (auto const& type : job_.request.types) TACENDA_TRY_VOID(add_deletions(type));
    TACENDA_TRY_VOID(flush());
  }
  TACENDA_TRY_VOID(add_remarks());
  TACENDA_TRY(worker_.commit(
      [&]() -> Result<vault::WriteSet> {
        auto job = TACENDA_TRY(worker_.waiting(job_.id));
        job.state = records::ExportState::kComplete;
        job.transaction_time = transaction_time_;
        job.resources = resources_;
        vault::WriteSet set;
        TACENDA_TRY_VOID(worker_.parts_.jobs.put(job, set));
        return set;
      },
      worker_.event_of(job_, audit::EventKind::kExportEnded, "the export is complete")));
  return {};
}

/// Is there a member of the group whom the asker may not export? Each record of his is judged by itself; that
/// there is one is said, and not who.
Result<bool> ExportPreparation::has_hidden_members() {
  Permit const* right = permit("Patient");
  if (job_.request.level != ExportLevel::kGroup || right == nullptr) return false;
  for (auto const& id : patients_) {
    TACENDA_TRY_VOID(look());
    auto const patient = worker_.parts_.store.read(*right, "Patient", TACENDA_TRY(ResourceId::parse(id)));
    if (patient.has_value() || patient.error().kind() == ErrorKind::kCorrupt) continue;
    auto const kind = patient.error().kind();
    if (kind == ErrorKind::kNotFound || kind == ErrorKind::kGone) return true;
    return std::unexpected(patient.error());
  }
  return false;
}

Result<void> ExportPreparation::look() {
  if (stop_.stop_requested())
    return fail(ErrorKind::kUnavailable, "the server stops: the export begins anew");
  auto const now = worker_.parts_.clock.monotonic();
  if (now - tended_ < kBetweenTending) return {};
  tended_ = now;
  worker_.parts_.jobs.set_progress(job_.id, resources_);
  TACENDA_TRY_VOID(worker_.tend());
  TACENDA_TRY(worker_.waiting(job_.id));
  return {};
}

/// Takes out what a preparation that was cut off has left.
Result<void> ExportPreparation::clear() {
  for (bool more = true; more;) {
    vault::WriteSet probe;
    if (!TACENDA_TRY(worker_.parts_.jobs.clear_files(job_, probe))) return {};
    TACENDA_TRY(worker_.commit(
        [&]() -> Result<vault::WriteSet> {
          vault::WriteSet set;
          more = TACENDA_TRY(worker_.parts_.jobs.clear_files(job_, set));
          return set;
        },
        worker_.event_of(job_, audit::EventKind::kExportPrepared,
                         "files of a preparation that was cut off are removed")));
  }
  return {};
}

Result<void> ExportPreparation::walk_all(vault::ReadPoint const& at) {
  std::vector<std::string> outside;
  for (auto const& type : job_.request.types) {
    records::WalkScope scope;
    if (is_limited()) {
      if (!fhir::in_patient_compartment(type)) {
        outside.push_back(type);
        continue;
      }
      scope.in_a_compartment = true;
      if (job_.request.of_patients) scope.patients = patients_;
      scope.refers_to = [&](std::string_view target, std::string_view id) {
        if (fhir::in_patient_compartment(target)) return;
        if (referred_count_ == limits::kExportPatients) {
          referred_cut_ = true;
        } else if (referred_[std::string(target)].emplace(id).second) {
          ++referred_count_;
        }
      };
    }
    TACENDA_TRY_VOID(walk(type, std::move(scope), at));
  }
  for (auto const& type : outside) {
    auto const found = referred_.find(type);
    if (found == referred_.end()) continue;
    records::WalkScope scope;
    scope.ids = std::move(found->second);
    TACENDA_TRY_VOID(walk(type, std::move(scope), at));
  }
  return {};
}

/// The codes that value sets and code systems have now, as far as the asker may export those.
Result<void> ExportPreparation::resolve_codes(std::vector<fhir::SearchQuery>& queries,
                                              std::string const& base_url) {
  Services services{worker_.parts_.store, worker_.parts_.gate, worker_.parts_.log};
  services.vocabulary = worker_.parts_.vocabulary;
  audit::Event const origin;  // nothing is recorded by it
  Context const context{services, *principal_, origin, base_url};
  CodeCriteria codes(context, Action::kExport);
  for (auto& query : queries) TACENDA_TRY_VOID(codes.resolve(query.criteria));
  return {};
}

Result<void> ExportPreparation::walk(std::string const& type, records::WalkScope scope,
                                     vault::ReadPoint const& at) {
  if (permit(type) == nullptr) return {};
  auto const& url = job_.request.url;
  scope.permits = [this](std::string_view each) { return permit(each); };
  scope.base_urls = {url.substr(0, url.find("/fhir") + 5)};
  scope.now = transaction_time_;
  scope.watch = [this] { return look(); };
  auto queries = TACENDA_TRY(queries_of(*parameters_, job_.request, type));
  TACENDA_TRY_VOID(resolve_codes(queries, scope.base_urls.front()));
  auto const walk = TACENDA_TRY(worker_.parts_.store.walk(std::move(scope), std::move(queries), at));
  file_ = {ExportFileKind::kOutput, type, {}, {}};
  for (;;) {
    TACENDA_TRY_VOID(look());
    auto const version = TACENDA_TRY(walk->next());
    if (!version) break;
    TACENDA_TRY_VOID(add({type, version->id, version->version}, version->json.size() + 1));
  }
  unreadable_ += walk->unreadable();
  return flush();
}

Result<void> ExportPreparation::add(records::ExportPlace place, std::size_t size_bytes) {
  bool const full = file_.places.size() == limits::kExportFileResources ||
                    file_bytes_ + size_bytes > limits::kExportFileBytes;
  if (full && !file_.places.empty()) TACENDA_TRY_VOID(flush());
  file_.places.push_back(std::move(place));
  file_bytes_ += size_bytes;
  ++resources_;
  return {};
}

Result<void> ExportPreparation::flush() {
  if (file_.places.empty() && file_.texts.empty()) return {};
  if (files_ == limits::kExportFiles) return fail(ErrorKind::kTooCostly, "the export has too many files");
  auto event = worker_.event_of(job_, audit::EventKind::kExportPrepared, "a file is prepared");
  event.resource_type = file_.type;
  event.new_value = std::to_string(files_);
  TACENDA_TRY(worker_.commit(
      [&]() -> Result<vault::WriteSet> {
        auto const job = TACENDA_TRY(worker_.waiting(job_.id));
        vault::WriteSet set;
        TACENDA_TRY_VOID(worker_.parts_.jobs.add_file(job, files_, file_, set));
        return set;
      },
      event));
  ++files_;
  file_.places.clear();
  file_.texts.clear();
  file_bytes_ = 0;
  worker_.parts_.jobs.set_progress(job_.id, resources_);
  return {};
}

Result<bool> ExportPreparation::is_newest(Permit const& right, records::StoredVersion const& version) const {
  auto const next =
      worker_.parts_.store.vread(right, version.type,
                                 TACENDA_TRY(ResourceId::parse(version.id)), version.version + 1);
  return !next.has_value() && next.error().kind() == ErrorKind::kNotFound;
}

/// What was deleted since, as far as it would have been in the export (export.html, "deleted").
Result<void> ExportPreparation::add_deletions(std::string const& type) {
  Permit const* right = permit(type);
  if (right == nullptr || (is_limited() && !fhir::in_patient_compartment(type))) return {};
  if (file_.kind != ExportFileKind::kDeleted) file_ = {ExportFileKind::kDeleted, "Bundle", {}, {}};
  records::HistoryPosition position;
  records::HistoryWindow window;
  window.since = job_.request.since;
  for (;;) {
    auto const page = TACENDA_TRY(worker_.parts_.store.history(*right, type, position, kHistoryPage, window));
    for (auto const& version : page.entries) {
      TACENDA_TRY_VOID(look());
      if (!version.deleted || version.last_updated > transaction_time_) continue;
      bool const wanted =
          !is_limited() ||
          (!version.patients.empty() &&
           (!job_.request.of_patients ||
            std::ranges::all_of(version.patients, [&](auto const& id) { return patients_.contains(id); })));
      if (!wanted || !TACENDA_TRY(is_newest(*right, version))) continue;
      TACENDA_TRY_VOID(add({type, version.id, version.version}, 128));
    }
    if (!page.next) return {};
    position = *page.next;
  }
}

Result<void> ExportPreparation::add_remarks() {
  file_ = {ExportFileKind::kError, "OperationOutcome", {}, job_.remarks};
  if (unreadable_ > 0)
    file_.texts.emplace_back("resources that could not be read are left out: the store is damaged");
  if (hides_members_)
    file_.texts.emplace_back("members of the group who are not here, or may not be exported, are left out");
  if (referred_cut_)
    file_.texts.emplace_back("not all resources that the patients' records refer to are in the export");
  return flush();
}

}  // namespace tacenda::operations
