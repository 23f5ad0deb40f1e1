#include "operations/bundle.hpp"

#include <gtest/gtest.h>

#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

using test::parse;
using test::TestServer;

std::string entry(std::string const& method, std::string const& url, std::string const& resource = "",
                  std::string const& full_url = "", std::string const& more = "") {
  std::string json = "{";
  if (!full_url.empty()) json += "\"fullUrl\":\"" + full_url + "\",";
  if (!resource.empty()) json += "\"resource\":" + resource + ",";
  return json + "\"request\":{\"method\":\"" + method + "\",\"url\":\"" + url + "\"" + more + "}}";
}

std::string bundle(std::string const& type, std::vector<std::string> const& entries) {
  std::string json = R"({"resourceType":"Bundle","type":")" + type + "\"";
  for (std::size_t i = 0; i < entries.size(); ++i) json += (i == 0 ? ",\"entry\":[" : ",") + entries[i];
  return json + (entries.empty() ? "}" : "]}");
}

records::Written const& written(BundleOutcome const& outcome, std::size_t index) {
  return std::get<records::Written>(outcome.entries.at(index).result);
}

std::string const kPatientUrl = "urn:uuid:0a000000-0000-4000-8000-000000000001";
std::string const kPatient = R"({"resourceType":"Patient","identifier":[{"system":"urn:mrn","value":"1"}]})";

std::string observation(std::string const& subject) {
  return R"({"resourceType":"Observation","status":"final","code":{"text":"x"},"subject":{"reference":")" +
         subject + "\"}}";
}

TEST(Transaction, ResolvesLinksBetweenItsEntriesWhateverTheirOrder) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const outcome =
      server
          .bundle(doctor, bundle("transaction", {entry("POST", "Observation", observation(kPatientUrl)),
                                                 entry("POST", "Patient", kPatient, kPatientUrl)}))
          .value();
  auto const committed = server.last_commit();
  auto const stored = server.read(doctor, "Observation", written(outcome, 0).id).value();
  EXPECT_EQ(parse(stored.json).find("subject")->text_of("reference"), "Patient/" + written(outcome, 1).id);
  EXPECT_EQ(stored.patients, std::vector<std::string>{written(outcome, 1).id});
  EXPECT_EQ(stored.last_updated, committed);
  EXPECT_TRUE(server.damage().empty());
}

TEST(Transaction, RefusesALinkToNoEntry) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const size = server.log().size();
  EXPECT_EQ(
      server.bundle(doctor, bundle("transaction", {entry("POST", "Observation", observation(kPatientUrl))}))
          .error()
          .kind(),
      ErrorKind::kInvalid);
  EXPECT_EQ(server.log().size(), size);  // nothing was committed
}

TEST(Transaction, ResolvesConditionalReferencesAgainstTheStateAfterIt) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  // Against a resource that the transaction itself makes ...
  auto const first =
      server
          .bundle(doctor, bundle("transaction",
                                 {entry("POST", "Observation", observation("Patient?identifier=urn:mrn|1")),
                                  entry("POST", "Patient", kPatient)}))
          .value();
  auto const patient = "Patient/" + written(first, 1).id;
  EXPECT_EQ(parse(server.read(doctor, "Observation", written(first, 0).id)->json)
                .find("subject")
                ->text_of("reference"),
            patient);
  // ... and against one that was there.
  auto const second =
      server
          .bundle(doctor, bundle("transaction",
                                 {entry("POST", "Observation", observation("Patient?identifier=urn:mrn|1"))}))
          .value();
  EXPECT_EQ(parse(server.read(doctor, "Observation", written(second, 0).id)->json)
                .find("subject")
                ->text_of("reference"),
            patient);
}

TEST(Transaction, FailsWholeWhenAConditionalReferenceMatchesNoneOrSeveral) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const refer =
      bundle("transaction", {entry("POST", "Observation", observation("Patient?identifier=urn:mrn|1"))});
  EXPECT_EQ(server.bundle(doctor, refer).error().kind(), ErrorKind::kPrecondition);
  ASSERT_TRUE(server.create(doctor, kPatient).has_value());
  ASSERT_TRUE(server.create(doctor, kPatient).has_value());
  EXPECT_EQ(server.bundle(doctor, refer).error().kind(), ErrorKind::kPrecondition);
}

TEST(Transaction, MatchesIfNoneExistWithinItselfAndAgainstTheStore) {
  TestServer server;
  auto const loader = server.sign_in("loader");
  std::string const unless = R"(,"ifNoneExist":"identifier=urn:mrn|1")";
  auto const twice =
      bundle("transaction",
             {entry("POST", "Patient", kPatient, kPatientUrl, unless),
              entry("POST", "Patient", kPatient, "urn:uuid:0a000000-0000-4000-8000-000000000002", unless),
              entry("POST", "Observation", observation(kPatientUrl))});
  auto const first = server.bundle(loader, twice).value();
  EXPECT_TRUE(written(first, 0).created);
  EXPECT_TRUE(first.entries[1].matched);
  EXPECT_EQ(written(first, 1).id, written(first, 0).id);
  auto const second = server.bundle(loader, twice).value();
  EXPECT_TRUE(second.entries[0].matched);
  EXPECT_EQ(written(second, 0).id, written(first, 0).id);
  auto const doctor = server.sign_in("doctor");
  EXPECT_EQ(parse(server.read(doctor, "Observation", written(second, 2).id)->json)
                .find("subject")
                ->text_of("reference"),
            "Patient/" + written(first, 0).id);
}

TEST(Transaction, StoresNothingWhenOneEntryFails) {
  TestServer server;
  auto const nurse = server.sign_in("nurse");
  auto const doctor = server.sign_in("doctor");
  auto const outcome = server.bundle(
      nurse,
      bundle("transaction", {entry("PUT", "Patient/p1", R"({"resourceType":"Patient","id":"p1"})"),
                             entry("POST", "MedicationRequest", R"({"resourceType":"MedicationRequest"})")}));
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kForbidden);
  EXPECT_EQ(server.read(doctor, "Patient", "p1").error().kind(), ErrorKind::kNotFound);
}

TEST(Transaction, RefusesTheSameIdentityTwice) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  std::string const put = entry("PUT", "Patient/p1", R"({"resourceType":"Patient","id":"p1"})");
  EXPECT_EQ(server.bundle(doctor, bundle("transaction", {put, put})).error().kind(), ErrorKind::kInvalid);
}

TEST(Transaction, DeletesBeforeItCreatesSoThatAnIdentifierMayMove) {
  TestServer server;
  auto const administrator = server.sign_in("administrator");
  auto const old = server.create(administrator, kPatient).value();
  auto const outcome =
      server
          .bundle(administrator, bundle("transaction", {entry("POST", "Patient", kPatient, "",
                                                              R"(,"ifNoneExist":"identifier=urn:mrn|1")"),
                                                        entry("DELETE", "Patient/" + old.id)}))
          .value();
  EXPECT_TRUE(written(outcome, 0).created);
  EXPECT_NE(written(outcome, 0).id, old.id);
  EXPECT_TRUE(written(outcome, 1).deletion);
  EXPECT_TRUE(server.damage().empty());
}

// A-04: entries are audited one by one.
TEST(Transaction, LeavesOneEventPerEntry) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  auto const before = server.log().size();
  std::vector<std::string> entries;
  for (int i = 0; i < 5; ++i) entries.push_back(entry("POST", "Patient", kPatient));
  ASSERT_TRUE(server.bundle(doctor, bundle("transaction", entries)).has_value());
  EXPECT_EQ(server.log().size(), before + 5);
}

TEST(Batch, LetsTheOthersSucceedWhenOneFails) {
  TestServer server;
  auto const nurse = server.sign_in("nurse");
  auto const outcome =
      server
          .bundle(
              nurse,
              bundle("batch", {entry("GET", "Patient/absent"),
                               entry("POST", "MedicationRequest", R"({"resourceType":"MedicationRequest"})"),
                               entry("POST", "Patient", kPatient), entry("TRACE", "Patient/p1"),
                               entry("PUT", "Patient/p1", R"({"resourceType":"Patient","id":"p1"})"),
                               entry("GET", "Patient/p1")}))
          .value();
  auto const kind = [&](std::size_t i) { return std::get<Error>(outcome.entries[i].result).kind(); };
  EXPECT_EQ(kind(0), ErrorKind::kNotFound);
  EXPECT_EQ(kind(1), ErrorKind::kForbidden);
  EXPECT_TRUE(written(outcome, 2).created);
  EXPECT_EQ(kind(3), ErrorKind::kUnsupported);
  EXPECT_TRUE(written(outcome, 4).created);
  EXPECT_EQ(std::get<records::StoredVersion>(outcome.entries[5].result).id, "p1");  // reads come last
}

TEST(Batch, G05ReadsRunAgainAndWritesDoNot) {
  TestServer server;
  auto const doctor = server.sign_in("doctor");
  ASSERT_TRUE(server.update(doctor, R"({"resourceType":"Patient","id":"p1"})").has_value());
  auto const version = [](Outcome const& outcome) {
    auto const& entries = std::get<BundleOutcome>(outcome.result).entries;
    return std::get<records::StoredVersion>(entries.at(0).result).version;
  };
  auto const sent = bundle("batch", {entry("GET", "Patient/p1"), entry("POST", "Patient", kPatient)});
  auto const outcome = server.peek(doctor, [&](Context const& context) -> Result<Outcome> {
    auto first = TACENDA_TRY(batch(context, TACENDA_TRY(fhir::parse_bundle(sent))));
    EXPECT_EQ(version(first), 1U);
    EXPECT_EQ(first.rest->seen, server.store().committed());
    EXPECT_TRUE(server.update(doctor, R"({"resourceType":"Patient","id":"p1","active":true})").has_value());
    auto again = TACENDA_TRY(first.rest->again());
    EXPECT_EQ(version(again), 2U);
    EXPECT_EQ(again.rest->seen, server.store().committed());
    EXPECT_EQ(again.events.size(), first.events.size());
    auto const id = [](Outcome const& one) { return written(std::get<BundleOutcome>(one.result), 1).id; };
    EXPECT_EQ(id(again), id(first));
    return again;
  });
  ASSERT_TRUE(outcome.has_value());
  EXPECT_EQ(server.search(doctor, "Patient", "identifier=urn:mrn|1").value().matches.size(), 1U);
}

}  // namespace
}  // namespace tacenda::operations
