#include "operations/write.hpp"

#include <atomic>
#include <set>

#include <gtest/gtest.h>

#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

using test::parse;
using test::TestServer;

std::string const kPatient =
    R"({"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"7"}],"birthDate":"1970"})";

std::string observation_of(std::string const& patient) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"weight"},"subject":{"reference":"Patient/)" +
         patient + R"("},"valueQuantity":{"value":405.70}})";
}

TEST(Create, GivesANewIdAndKeepsNumbersAndOrderByteForByte) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const patient = server.create(doctor, kPatient).value();
  auto const written = server.create(doctor, observation_of(patient.id)).value();
  EXPECT_TRUE(written.created);
  auto const stored = server.read(doctor, "Observation", written.id).value();
  EXPECT_TRUE(stored.json.starts_with(R"({"resourceType":"Observation","id":")" + written.id +
                                      R"(","meta":{"versionId":"1",)"));
  EXPECT_NE(stored.json.find(R"("status":"final","code":{"text":"weight"},"subject")"), std::string::npos);
  EXPECT_NE(stored.json.find(R"("value":405.70}})"), std::string::npos);
  EXPECT_EQ(stored.patients, std::vector<std::string>{patient.id});
}

// W-02: the server's fields are the server's.
TEST(Create, IgnoresIdVersionAndTimeOfTheClient) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const written = server
                           .create(doctor, R"({"resourceType":"Patient","id":"mine","meta":{"versionId":"99",
      "lastUpdated":"1999-01-01T00:00:00Z","tag":[{"code":"kept"}]},"active":true})")
                           .value();
  EXPECT_NE(written.id, "mine");
  auto const meta = *parse(server.read(doctor, "Patient", written.id)->json).find("meta");
  EXPECT_EQ(meta.text_of("versionId"), "1");
  EXPECT_FALSE(meta.text_of("lastUpdated").starts_with("1999"));
  EXPECT_EQ(meta.find("tag")->items().front().text_of("code"), "kept");
}

TEST(Create, MakesExactlyOneOfManyConditionalCreatesAtOnce) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  std::atomic<int> created{0};
  std::set<std::string> ids;
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 16; ++i) {
      threads.emplace_back([&] {
        for (int n = 0; n < 4; ++n) {
          auto const written = server.create(doctor, kPatient, "identifier=urn:mrn|7").value();
          created += written.created ? 1 : 0;
          std::lock_guard const lock(mutex);
          ids.insert(written.id);
        }
      });
    }
  }
  EXPECT_EQ(created, 1);
  EXPECT_EQ(ids.size(), 1U);
  EXPECT_TRUE(server.damage().empty());
}

TEST(Create, RefusesSeveralMatchesAndOtherCriteria) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  ASSERT_TRUE(server.create(doctor, kPatient).has_value());
  ASSERT_TRUE(server.create(doctor, kPatient).has_value());
  EXPECT_EQ(server.create(doctor, kPatient, "identifier=7").error().kind(), ErrorKind::kPrecondition);
  EXPECT_EQ(server.create(doctor, kPatient, "shoe-size=x").error().kind(), ErrorKind::kNotSupported);
  EXPECT_TRUE(server.create(doctor, kPatient, "identifier=urn:other|7")->created);
}

TEST(Create, TellsTheLoaderWhereAMatchIsAndNotWhatItHolds) {
  TestServer server;
  auto const loader = server.sign_in("loader");
  auto const first = server.create(loader, kPatient, "identifier=urn:mrn|7").value();
  auto const second = server.create(loader, kPatient, "identifier=urn:mrn|7").value();
  EXPECT_EQ(second.id, first.id);
  EXPECT_FALSE(second.changed);
  EXPECT_TRUE(second.text.empty());
  EXPECT_EQ(server.read(loader, "Patient", first.id).error().kind(), ErrorKind::kForbidden);
}

TEST(Update, CountsUpAndHoldsIfMatch) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  std::string const one = R"({"resourceType":"Patient","id":"p1","birthDate":"1970"})";
  EXPECT_TRUE(server.update(doctor, one)->created);  // create-on-update
  auto const second = server.update(doctor, one, 1).value();
  EXPECT_FALSE(second.created);
  EXPECT_EQ(second.version, 2U);
  EXPECT_EQ(server.update(doctor, one, 1).error().kind(), ErrorKind::kPrecondition);
  EXPECT_EQ(server.update(doctor, R"({"resourceType":"Patient","id":"new"})", 1).error().kind(),
            ErrorKind::kPrecondition);
}

// M16: no lost update, versions dense.
TEST(Update, GivesEveryConcurrentWriterAVersionOfHisOwn) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  std::set<std::uint64_t> versions;
  std::mutex mutex;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 8; ++i) {
      threads.emplace_back([&, i] {
        for (int n = 0; n < 15; ++n) {
          auto const written =
              server
                  .update(doctor, R"({"resourceType":"Patient","id":"hot","multipleBirthInteger":)" +
                                      std::to_string(i * 100 + n) + "}")
                  .value();
          std::lock_guard const lock(mutex);
          versions.insert(written.version);
        }
      });
    }
  }
  EXPECT_EQ(versions.size(), 120U);
  EXPECT_EQ(*versions.rbegin(), 120U);
  EXPECT_TRUE(server.damage().empty());
}

TEST(Remove, IsGoneAfterwardsAndTheNumberGoesOn) {
  TestServer server;
  auto const administrator = server.sign_in("administrator");
  std::string const one = R"({"resourceType":"Patient","id":"p1","active":true})";
  ASSERT_TRUE(server.update(administrator, one).has_value());
  EXPECT_TRUE(server.remove(administrator, "Patient", "p1")->changed);
  EXPECT_EQ(server.read(administrator, "Patient", "p1").error().kind(), ErrorKind::kGone);
  EXPECT_FALSE(server.remove(administrator, "Patient", "p1")->changed);
  EXPECT_FALSE(server.remove(administrator, "Patient", "never")->changed);
  auto const again = server.update(administrator, one).value();
  EXPECT_TRUE(again.created);
  EXPECT_EQ(again.version, 3U);
  EXPECT_TRUE(server.damage().empty());
}

TEST(Write, IsRefusedToRolesWithoutTheRight) {
  TestServer server;
  auto const nurse = server.sign_in("nurse");
  EXPECT_EQ(server.create(nurse, R"({"resourceType":"MedicationRequest","status":"active"})").error().kind(),
            ErrorKind::kForbidden);
  EXPECT_EQ(server.create(nurse, R"({"resourceType":"Practitioner","active":true})").error().kind(),
            ErrorKind::kForbidden);
  EXPECT_EQ(server.remove(nurse, "Patient", "p1").error().kind(), ErrorKind::kForbidden);
}

TEST(Read, ShowsAPatientHisOwnRecordAndHidesEveryOtherAsIfItWereNotThere) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  ASSERT_TRUE(server.update(doctor, R"({"resourceType":"Patient","id":"p1","active":true})").has_value());
  ASSERT_TRUE(server.update(doctor, R"({"resourceType":"Patient","id":"p2","active":true})").has_value());
  auto const mine = server.create(doctor, observation_of("p1")).value();
  auto const other = server.create(doctor, observation_of("p2")).value();
  auto const patient = server.sign_in("patient", PatientId::parse("p1").value());
  EXPECT_TRUE(server.read(patient, "Patient", "p1").has_value());
  EXPECT_TRUE(server.read(patient, "Observation", mine.id).has_value());
  auto const hidden = server.read(patient, "Observation", other.id).error();
  auto const absent = server.read(patient, "Observation", "nothing-here").error();
  EXPECT_EQ(hidden.kind(), ErrorKind::kNotFound);
  EXPECT_EQ(hidden.message(), absent.message());
}

TEST(History, ListsNewestFirstPageByPageOnAllThreeLevels) {
  TestServer server;
  auto const administrator = server.sign_in("administrator");
  for (int i = 0; i < 5; ++i) {
    ASSERT_TRUE(server
                    .update(administrator, R"({"resourceType":"Patient","id":"p1","multipleBirthInteger":)" +
                                               std::to_string(i) + "}")
                    .has_value());
    ASSERT_TRUE(server
                    .update(administrator, R"({"resourceType":"Organization","id":"o1","name":")" +
                                               std::to_string(i) + "\"}")
                    .has_value());
  }
  ASSERT_TRUE(server.remove(administrator, "Patient", "p1").has_value());
  auto const list = [&](Action action, std::string const& type, bool instance) {
    auto const permit = server.gate().authorize(administrator, action, type).value();
    std::vector<std::string> seen;
    records::HistoryPosition position;
    while (true) {
      auto const page =
          instance
              ? server.store().history_of(permit, type, ResourceId::parse("p1").value(), position, 2).value()
              : server.store().history(permit, type, position, 2).value();
      EXPECT_LE(page.entries.size(), 2U);
      for (auto const& entry : page.entries) {
        seen.push_back(entry.id + "/" + std::to_string(entry.version) + (entry.deleted ? " deleted" : ""));
      }
      if (!page.next) return seen;
      position = *page.next;
    }
  };
  EXPECT_EQ(list(Action::kHistoryInstance, "Patient", true),
            (std::vector<std::string>{"p1/6 deleted", "p1/5", "p1/4", "p1/3", "p1/2", "p1/1"}));
  EXPECT_EQ(list(Action::kHistoryType, "Organization", false),
            (std::vector<std::string>{"o1/5", "o1/4", "o1/3", "o1/2", "o1/1"}));
  EXPECT_EQ(list(Action::kHistorySystem, "", false),
            (std::vector<std::string>{"p1/6 deleted", "o1/5", "p1/5", "o1/4", "p1/4", "o1/3", "p1/3", "o1/2",
                                      "p1/2", "o1/1", "p1/1"}));
}

}  // namespace
}  // namespace tacenda::operations
