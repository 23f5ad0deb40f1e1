#include "operations/export.hpp"

#include <set>
#include <stop_token>

#include <gtest/gtest.h>

#include "interactions/test_server.hpp"
#include "operations/export_worker.hpp"
#include "records/walk.hpp"

namespace tacenda::operations {
namespace {

using test::parse;
using test::TestServer;

constexpr char kOrganization[] = R"({"resourceType":"Organization","name":"x"})";
constexpr char kPatient[] = R"({"resourceType":"Patient","gender":"female"})";

/// Asks to stop when it was looked at so many times.
class StoppingClock final : public Clock {
 public:
  explicit StoppingClock(int looks) : looks_left_(looks) {}
  Time now() const override { return system_.now(); }
  std::chrono::steady_clock::time_point monotonic() const override {
    if (--looks_left_ == 0) stop_.request_stop();
    return system_.monotonic();
  }
  std::stop_token token() const { return stop_.get_token(); }

 private:
  SystemClock system_;
  mutable std::stop_source stop_;
  mutable int looks_left_;
};

/// A store in which exports are asked for, prepared and fetched, without HTTP and without a thread.
class Bulk : public ::testing::Test {
 protected:
  ExportWorker worker() { return worker(server.clock()); }
  ExportWorker worker(Clock const& clock) {
    return ExportWorker({server.store(), server.exports(), server.gate(), server.log(), clock,
                         [this](UserId const& id, auto application) {
                           return server.directory().principal_for_work(id, std::move(application));
                         }});
  }
  Result<ExportAnswer> answer(Result<Outcome> outcome) {
    if (!outcome.has_value()) return std::unexpected(outcome.error());
    return std::get<ExportAnswer>(std::move(outcome->result));
  }
  Result<ExportAnswer> start(identity::Principal const& who, std::string const& types = "") {
    return answer(server.run(who, [&](Context const& context) -> Result<Outcome> {
      auto const permit = TACENDA_TRY(server.gate().authorize(who, Action::kExport, ""));
      ExportKickOff kick_off;
      kick_off.url = "https://localhost/fhir/$export";
      if (!types.empty()) kick_off.parameters.emplace_back("_type", types);
      return start_export(context, permit, kick_off);
    }));
  }
  Result<ExportAnswer> status(identity::Principal const& who, std::string const& job) {
    return answer(server.run(who, [&](Context const& context) { return export_status(context, job); }));
  }
  Result<ExportAnswer> file(identity::Principal const& who, std::string const& job, std::uint32_t number) {
    return answer(server.run(
        who, [&](Context const& context) { return export_file(context, job, std::to_string(number)); }));
  }
  Result<ExportAnswer> cancel(identity::Principal const& who, std::string const& job) {
    return answer(server.run(who, [&](Context const& context) { return cancel_export(context, job); }));
  }
  /// Ids of all resources in the files of a complete export, as often as they are in them.
  std::multiset<std::string> ids_of(identity::Principal const& who, std::string const& job) {
    std::multiset<std::string> ids;
    auto const done = status(who, job).value();
    EXPECT_EQ(done.kind, ExportAnswer::Kind::kComplete);
    for (auto const& one : done.files) {
      auto const fetched = file(who, job, one.number).value();
      std::string_view rest = fetched.body;
      while (!rest.empty()) {
        auto const end = rest.find('\n');
        ids.emplace(parse(std::string(rest.substr(0, end))).text_of("id"));
        rest.remove_prefix(end + 1);
      }
    }
    return ids;
  }
  std::vector<std::string> reasons_of(std::string const& job) {
    std::vector<std::string> reasons;
    auto const entries = server.log().list({}).value();
    for (auto const& entry : entries) {
      if (entry.event.target == job && !entry.event.reason.empty()) reasons.push_back(entry.event.reason);
    }
    return reasons;
  }

  TestServer server;
};

TEST_F(Bulk, AWalkSeesTheStateOfItsMomentWhateverIsWrittenMeanwhile) {
  auto const admin = server.sign_in("administrator");
  auto const kept = server.create(admin, kPatient).value();
  auto const changed = server.create(admin, kPatient).value();
  auto const deleted = server.create(admin, kPatient).value();
  auto const at = server.store().read_point();
  ASSERT_TRUE(server.update(admin, R"({"resourceType":"Patient","id":")" + changed.id + R"("})").has_value());
  ASSERT_TRUE(server.remove(admin, "Patient", deleted.id).has_value());
  ASSERT_TRUE(server.create(admin, kPatient).has_value());

  auto const permit = server.gate().authorize(admin, Action::kExport, "Patient").value();
  records::WalkScope scope;
  scope.permits = [&](std::string_view) { return &permit; };
  auto const query = [] {
    return fhir::parse_search(fhir::r4_parameters(), "Patient", {}, fhir::Handling::kStrict).value();
  };
  std::vector<fhir::SearchQuery> queries;
  queries.push_back(query());
  queries.push_back(query());  // alternatives: what meets both comes once
  auto const walk = server.store().walk(std::move(scope), std::move(queries), at).value();
  std::vector<std::pair<std::string, std::uint64_t>> found;
  while (auto const version = walk->next().value()) found.emplace_back(version->id, version->version);
  EXPECT_EQ(found, (std::vector<std::pair<std::string, std::uint64_t>>{
                       {kept.id, 1}, {changed.id, 1}, {deleted.id, 1}}));
}

TEST_F(Bulk, APreparationThatWasCutOffBeginsAnewAndLeavesNothingTwice) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  std::multiset<std::string> made;
  for (int i = 0; i < 5; ++i) made.insert(server.create(loader, kOrganization).value().id);
  for (int i = 0; i < 100; ++i) made.insert(server.create(loader, kPatient).value().id);
  auto const job = start(exporter, "Organization,Patient").value().job.id;

  // In the midst of the patients: the file of the organizations is stored by then.
  StoppingClock const clock(50);
  EXPECT_EQ(worker(clock).step(clock.token()).error().kind(), ErrorKind::kUnavailable);
  EXPECT_EQ(status(exporter, job).value().kind, ExportAnswer::Kind::kWaiting);
  EXPECT_EQ(server.exports().files(server.exports().find(job).value())->size(), 1U);
  made.insert(server.create(loader, kPatient).value().id);

  EXPECT_TRUE(worker().step({}).value());
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_EQ(ids_of(exporter, job), made);
  EXPECT_EQ(reasons_of(job), (std::vector<std::string>{"the preparation begins", "a file is prepared",
                                                       "files of a preparation that was cut off are removed",
                                                       "the preparation begins", "a file is prepared",
                                                       "a file is prepared", "the export is complete"}));
}

TEST_F(Bulk, AWalkThatReadsMuchAndFindsNothingCanBeEnded) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  std::string bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (int i = 0; i < 5'000; ++i) {
    if (i > 0) bundle.push_back(',');
    bundle +=
        R"({"request":{"method":"POST","url":"Basic"},"resource":{"resourceType":"Basic","code":{"text":"x"}}})";
  }
  ASSERT_TRUE(server.bundle(loader, bundle + "]}").has_value());
  auto const permit = server.gate().authorize(exporter, Action::kExport, "Basic").value();
  records::WalkScope scope;
  scope.permits = [&](std::string_view) { return &permit; };
  scope.patients = std::set<std::string>{"nobody"};
  scope.in_a_compartment = true;
  int looks = 0;
  scope.watch = [&]() -> Result<void> {
    if (++looks == 1) return fail(ErrorKind::kGone, "enough");
    return {};
  };
  std::vector<fhir::SearchQuery> queries;
  queries.push_back(fhir::parse_search(fhir::r4_parameters(), "Basic", {}, fhir::Handling::kStrict).value());
  auto const walk = server.store().walk(std::move(scope), std::move(queries), server.store().read_point());
  EXPECT_EQ(walk.value()->next().error().kind(), ErrorKind::kGone);
}

TEST_F(Bulk, CancellingDestroysTheKeysAndTakesEveryRowOut) {
  auto const exporter = server.sign_in("exporter");
  ASSERT_TRUE(server.create(server.sign_in("loader"), kPatient).has_value());
  auto const job = start(exporter).value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  auto const subject = vault::Subject::export_job(job);
  auto const kept = server.exports().find(job).value();
  ASSERT_TRUE(server.exports().file(kept, 0).has_value());
  ASSERT_TRUE(server.vault().subject(subject).has_value());

  ASSERT_TRUE(cancel(exporter, job).has_value());
  EXPECT_EQ(status(exporter, job).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(file(exporter, job, 0).error().kind(), ErrorKind::kNotFound);
  EXPECT_EQ(cancel(exporter, job).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_EQ(server.vault().subject(subject).error().kind(), ErrorKind::kGone);
  EXPECT_EQ(server.exports().file(kept, 0).error().kind(), ErrorKind::kNotFound);
  EXPECT_TRUE(server.exports().all().value().empty());
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Bulk, AnEndThatWasCutOffAfterItsKeysWereDestroyedIsFinished) {
  auto const exporter = server.sign_in("exporter");
  ASSERT_TRUE(server.create(server.sign_in("loader"), kPatient).has_value());
  auto const job = start(exporter).value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  ASSERT_TRUE(server.exports().destroy_keys(job).has_value());
  EXPECT_EQ(status(exporter, job).error().kind(), ErrorKind::kNotFound);
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_TRUE(server.exports().all().value().empty());
}

// G-07: an export holds no copy that an erasure would not reach.
TEST_F(Bulk, G07AnErasedPatientIsInNoFileThatWasPreparedBefore) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  auto const erased = server.create(loader, kPatient).value().id;
  auto const other = server.create(loader, kPatient).value().id;
  auto const job = start(exporter, "Patient").value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  EXPECT_EQ(ids_of(exporter, job), (std::multiset<std::string>{erased, other}));
  ASSERT_TRUE(server.vault().shred(vault::Subject::patient(erased)).has_value());
  EXPECT_EQ(ids_of(exporter, job), std::multiset<std::string>{other});
}

TEST_F(Bulk, FilesAreJudgedByThePolicyOfTheMomentTheyAreFetched) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  ASSERT_TRUE(server.create(loader, kPatient).has_value());
  auto const organization = server.create(loader, kOrganization).value().id;
  auto const job = start(exporter).value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  EXPECT_EQ(ids_of(exporter, job).size(), 2U);
  auto const put = [&](std::string const& purposes) {
    server.gate().replace(
        access::Policy::parse(
            "version = 1\n[roles.exporter]\npurposes = [" + purposes + "]\ndirectory = [\"export\"]", 2)
            .value());
  };
  put("\"HOPERAT\"");
  EXPECT_EQ(ids_of(exporter, job), std::multiset<std::string>{organization});
  // C-03: what it was asked for is no purpose of the role any more.
  put("\"HRESCH\"");
  EXPECT_EQ(file(exporter, job, 1).error().kind(), ErrorKind::kForbidden);
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_EQ(status(exporter, job).error().kind(), ErrorKind::kNotFound);
}

// S-11
TEST_F(Bulk, S11AWaitingExportOfADisabledUserIsNotPrepared) {
  auto const exporter = server.sign_in("exporter");
  auto const job = start(exporter).value().job.id;
  auto pending = server.directory().disable_user(exporter.name()).value();
  server.commit(pending, audit::EventKind::kUserDisabled);
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_TRUE(server.exports().all().value().empty());
  EXPECT_EQ(reasons_of(job), (std::vector<std::string>{"the user who asked for the export is disabled",
                                                       "the keys of the export are destroyed"}));
}

TEST_F(Bulk, AnExportEndsWhenItsAskerLosesTheRight) {
  auto const exporter = server.sign_in("exporter");
  ASSERT_TRUE(start(exporter).has_value());
  auto pending = server.directory().change_role(exporter.name(), "nurse").value();
  server.commit(pending, audit::EventKind::kRoleChanged);
  EXPECT_FALSE(worker().step({}).value());
  EXPECT_TRUE(server.exports().all().value().empty());
}

// W-03
TEST_F(Bulk, W03OneUserAndAllUsersHaveALimitOfExportsAtOnce) {
  auto const first = server.sign_in("exporter");
  std::string last;
  for (std::size_t i = 0; i < limits::kExportsRunningPerUser; ++i) last = start(first).value().job.id;
  EXPECT_EQ(start(first).error().kind(), ErrorKind::kThrottled);
  ASSERT_TRUE(cancel(first, last).has_value());
  EXPECT_TRUE(start(first).has_value());
  std::size_t running = limits::kExportsRunningPerUser;
  while (running < limits::kExportsRunning) {
    auto const next = server.sign_in("exporter");
    for (std::size_t i = 0; i < limits::kExportsRunningPerUser; ++i, ++running)
      ASSERT_TRUE(start(next).has_value());
  }
  EXPECT_EQ(start(server.sign_in("exporter")).error().kind(), ErrorKind::kThrottled);
}

// A-11
TEST_F(Bulk, A11AFileNamesEachPatientInAnEntryOfItsOwn) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  std::set<std::string> patients;
  for (int i = 0; i < 3; ++i) patients.insert(server.create(loader, kPatient).value().id);
  auto const job = start(exporter, "Patient").value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  ASSERT_TRUE(file(exporter, job, 0).has_value());
  for (auto const& patient : patients) {
    int named = 0;
    auto const entries = server.log().list({.patient = patient}).value();
    for (auto const& entry : entries) {
      if (entry.event.kind != audit::EventKind::kExportFile) continue;
      ++named;
      EXPECT_EQ(entry.event.patients, std::vector<std::string>{patient});
    }
    EXPECT_EQ(named, 1);
  }
}

TEST_F(Bulk, ManyResourcesGoIntoSeveralFilesOfOneType) {
  auto const exporter = server.sign_in("exporter");
  auto const loader = server.sign_in("loader");
  // Of almost a megabyte each: four fit into one file.
  std::string const large =
      R"({"resourceType":"Basic","code":{"text":")" + std::string(900'000, 'x') + R"("}})";
  std::multiset<std::string> made;
  for (int i = 0; i < 10; ++i) made.insert(server.create(loader, large).value().id);
  auto const job = start(exporter, "Basic").value().job.id;
  EXPECT_TRUE(worker().step({}).value());
  auto const done = status(exporter, job).value();
  EXPECT_EQ(done.files.size(), 3U);
  for (auto const& one : done.files) {
    EXPECT_EQ(one.type, "Basic");
    EXPECT_LE(file(exporter, job, one.number).value().body.size(), limits::kExportFileBytes);
  }
  EXPECT_EQ(ids_of(exporter, job), made);
}

}  // namespace
}  // namespace tacenda::operations
