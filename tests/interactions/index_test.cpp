#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "interactions/test_server.hpp"
#include "operations/index_worker.hpp"
#include "records/indexer.hpp"

namespace tacenda::operations {
namespace {

using records::Indexer;
using test::TestServer;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A store whose index can be taken away, and what writes it again, without a thread.
class Index : public ::testing::Test {
 protected:
  Index() : doctor(server.sign_in("doctor")), view(server.vault().view(vault::Keeper::kRecords)) {}

  std::string patient(std::string const& family) {
    return server.create(doctor, R"({"resourceType":"Patient","name":[{"family":")" + family + "\"}]}")
        .value()
        .id;
  }

  Result<void> commit(vault::WriteSet set) {
    audit::Event event;
    event.kind = audit::EventKind::kIndexChanged;
    TACENDA_TRY_VOID(server.log().commit(std::move(set), {event}));
    return {};
  }
  Indexer::Commit committer() {
    return [this](vault::WriteSet set) { return commit(std::move(set)); };
  }

  /// Erases all rows whose keys begin with one of `prefixes`.
  void erase_rows(std::vector<std::string> const& prefixes) {
    vault::WriteSet set;
    for (auto const& prefix : prefixes) {
      ASSERT_TRUE(view.scan(as_bytes(prefix),
                            [&](ByteView key, ByteView) -> Result<bool> {
                              view.erase(set, key);
                              return true;
                            })
                      .has_value());
    }
    ASSERT_TRUE(commit(std::move(set)).has_value());
  }

  Result<std::vector<records::Located>> named(std::string const& family) {
    auto const permit = server.gate().authorize(doctor, Action::kSearch, "Patient").value();
    auto const criteria = fhir::parse_criteria(fhir::r4_parameters(), "Patient", "family=" + family).value();
    return server.store().locate([&](std::string_view) { return &permit; }, "Patient", criteria, 10'000);
  }

  void finish(Indexer& indexer) {
    auto const permit = server.gate().system_permit(Action::kVerify);
    for (;;) {
      auto const more = indexer.step(permit, committer());
      ASSERT_TRUE(more.has_value()) << more.error().message();
      if (!*more) return;
    }
  }

  TestServer server;
  identity::Principal doctor;
  vault::View view;
};

TEST_F(Index, OfANewStoreIsCompleteAtOnce) {
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  EXPECT_FALSE(indexer.progress().is_at_work);
  patient("Grimes");
  EXPECT_THAT(named("grimes").value(), SizeIs(1));
  EXPECT_THAT(server.damage(), IsEmpty());
}

TEST_F(Index, ThatIsMissingIsWrittenFromTheRecordsAndAnswersOnlyThen) {
  patient("Grimes");
  patient("Grimes");
  erase_rows({"x", "D"});
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  EXPECT_FALSE(indexer.progress().answers);
  EXPECT_EQ(named("grimes").error().kind(), ErrorKind::kUnavailable);
  auto const conditional =
      server.create(doctor, R"({"resourceType":"Patient","name":[{"family":"Grimes"}]})", "family=grimes");
  ASSERT_FALSE(conditional.has_value());
  EXPECT_EQ(conditional.error().kind(), ErrorKind::kUnavailable) << "it could make a second one";
  patient("Grimes");  // others go on
  finish(indexer);
  EXPECT_TRUE(indexer.progress().answers);
  EXPECT_THAT(named("grimes").value(), SizeIs(3));
  EXPECT_THAT(server.damage(), IsEmpty());
}

TEST_F(Index, ThatIsMissingMakesNobodySeemToBeRefused) {
  TestServer hospital("hospital");
  auto const loader = hospital.sign_in("loader");
  auto const id = hospital.create(loader, R"({"resourceType":"Patient"})").value().id;
  auto const treating = hospital.sign_in("doctor");
  auto link = hospital.assignments().set_practitioner(treating.id().view(), ResourceId::parse("me").value());
  ASSERT_TRUE(link.has_value());
  link->committed();
  std::string const patient = R"({"resourceType":"Patient","id":")" + id + R"(","active":true})";
  EXPECT_EQ(hospital.update(treating, patient).error().kind(), ErrorKind::kForbidden) << "he treats nobody";

  auto const rows = hospital.vault().view(vault::Keeper::kRecords);
  vault::WriteSet set;
  for (auto const* prefix : {"x", "D"}) {
    ASSERT_TRUE(rows.scan(as_bytes(std::string_view(prefix)),
                          [&](ByteView key, ByteView) -> Result<bool> {
                            rows.erase(set, key);
                            return true;
                          })
                    .has_value());
  }
  audit::Event event;
  event.kind = audit::EventKind::kIndexChanged;
  ASSERT_TRUE(hospital.log().commit(std::move(set), {event}).has_value());
  Indexer indexer(hospital.store());
  ASSERT_TRUE(indexer
                  .open([&](vault::WriteSet more) -> Result<void> {
                    TACENDA_TRY_VOID(hospital.log().commit(std::move(more), {event}));
                    return {};
                  })
                  .has_value());
  EXPECT_EQ(hospital.update(treating, patient).error().kind(), ErrorKind::kUnavailable)
      << "whether he treats him cannot be looked up";
}

TEST_F(Index, RowsOfParametersThatAreNoMoreGo) {
  patient("Grimes");
  vault::WriteSet set;
  Bytes stray =
      to_bytes(std::string_view("x\x01\x02\x03\x04"
                                "tstray"));
  ByteWriter(stray).u64(1);
  view.put(set, stray, {});
  ASSERT_TRUE(commit(std::move(set)).has_value());
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  EXPECT_TRUE(indexer.progress().is_at_work) << "nobody said how the rows were written";
  finish(indexer);
  EXPECT_FALSE(view.get(stray).value().has_value());
  EXPECT_THAT(named("grimes").value(), SizeIs(1));
  EXPECT_THAT(server.damage(), IsEmpty());
}

TEST_F(Index, WorkThatWasCutOffGoesOnWhereItStood) {
  for (int i = 0; i < 2'100; ++i) patient("Grimes");
  erase_rows({"x", "D"});
  auto const permit = server.gate().system_permit(Action::kVerify);
  {
    Indexer indexer(server.store());
    ASSERT_TRUE(indexer.open(committer()).has_value());
    while (indexer.progress().done == 0) ASSERT_TRUE(indexer.step(permit, committer()).value());
    EXPECT_LT(indexer.progress().done, 2'100U);
  }
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  EXPECT_GT(indexer.progress().done, 0U);
  EXPECT_FALSE(indexer.progress().answers);
  finish(indexer);
  EXPECT_THAT(named("grimes").value(), SizeIs(2'100));
  EXPECT_THAT(server.damage(), IsEmpty());
}

TEST_F(Index, AWriterWhoIsFasterIsNotWrittenOver) {
  auto const id = patient("Grimes");
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  ASSERT_TRUE(indexer.renew(committer()).has_value());
  auto const permit = server.gate().system_permit(Action::kVerify);
  ASSERT_TRUE(indexer.step(permit, committer()).value());  // the sweep changes no resource
  bool once = false;
  auto const late = [&](vault::WriteSet set) -> Result<void> {
    // The rows in `set` were made from what this replaces.
    if (!std::exchange(once, true)) {
      auto const written = server.update(
          doctor, R"({"resourceType":"Patient","id":")" + id + R"(","name":[{"family":"Hopper"}]})");
      EXPECT_TRUE(written.has_value());
    }
    return commit(std::move(set));
  };
  auto const step = indexer.step(permit, late);
  ASSERT_FALSE(step.has_value());
  EXPECT_EQ(step.error().kind(), ErrorKind::kConflict);
  finish(indexer);
  EXPECT_THAT(named("hopper").value(), SizeIs(1));
  EXPECT_THAT(named("grimes").value(), IsEmpty());
  EXPECT_THAT(server.damage(), IsEmpty());
}

TEST_F(Index, AWriterWhoBeganBeforeAChangeOfParametersRunsAgain) {
  Indexer indexer(server.store());
  ASSERT_TRUE(indexer.open(committer()).has_value());
  auto transaction = server.store().begin();
  auto resource = fhir::parse_resource(R"({"resourceType":"Patient","active":true})").value();
  auto const permit = server.gate().authorize(doctor, Action::kCreate, "Patient").value();
  ASSERT_TRUE(
      transaction.create(permit, std::move(resource), ResourceId::parse("early").value(), 0).has_value());
  fhir::ParameterDefinition definition;
  definition.url = "http://example.org/is-in-use";
  definition.code = "in-use";
  definition.expression = "Patient.active";
  definition.bases = {"Patient"};
  ASSERT_TRUE(indexer.define({definition}, committer()).value());
  auto const late = commit(transaction.take());
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict) << "it has no row of the new parameter";
}

}  // namespace
}  // namespace tacenda::operations
