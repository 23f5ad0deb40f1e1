// Erasures that meet: other erasures, holds, records of others, and damage. Without HTTP, step by step.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "interactions/test_server.hpp"
#include "privacy/erasure_worker.hpp"
#include "privacy/erasures.hpp"
#include "privacy/holds.hpp"
#include "records/indexer.hpp"

namespace tacenda::privacy {
namespace {

using operations::test::TestServer;
using ::testing::HasSubstr;
using ::testing::Not;

std::string patient(std::string const& id) {
  return R"({"resourceType":"Patient","id":")" + id + R"(","gender":"female"})";
}

std::string named(std::string const& id) {
  return R"({"reference":"Patient/)" + id + R"("})";
}

std::string group(std::string const& id, std::vector<std::string> const& members) {
  std::string json =
      R"({"resourceType":"Group","id":")" + id + R"(","type":"person","actual":true,"member":[)";
  for (auto const& member : members)
    json += (json.ends_with('[') ? "" : ",") + (R"({"entity":)" + named(member) + "}");
  return json + "]}";
}

/// An Observation about one patient, in which others take part.
std::string observation(std::string const& id, std::string const& about,
                        std::vector<std::string> const& performers = {}, std::string const& more = {}) {
  std::string json = R"({"resourceType":"Observation","id":")" + id +
                     R"(","status":"final","code":{"text":"c"},"subject":)" + named(about);
  if (!performers.empty()) {
    json += R"(,"performer":[)";
    for (auto const& one : performers) json += (json.ends_with('[') ? "" : ",") + named(one);
    json += "]";
  }
  return json + more + "}";
}

/// What holds something whole cannot be written without a patient.
std::string const kContained =
    R"(,"contained":[{"resourceType":"Device","id":"d"}],"device":{"reference":"#d"})";

class Eraser : public ::testing::Test {
 protected:
  void SetUp() override {
    who_.emplace(server.sign_in("administrator"));
    for (auto const* id : {"a", "b", "c"}) put(patient(id));
  }

  identity::Principal const& who() const { return *who_; }
  void put(std::string const& json) {
    auto const written = server.update(who(), json);
    ASSERT_TRUE(written.has_value()) << written.error().message() << ": " << json;
  }
  /// The resource as it is, or why it is not to be had.
  std::string get(std::string const& type, std::string const& id) {
    auto const read = server.read(who(), type, id);
    return read.has_value() ? read->json : std::string(read.error().message());
  }
  bool is_there(std::string const& type, std::string const& id) {
    return server.read(who(), type, id).has_value();
  }
  Result<records::StoredVersion> version(std::string const& type, std::string const& id,
                                         std::uint64_t number) {
    return server.store().vread(server.gate().system_permit(Action::kRead), type,
                                ResourceId::parse(id).value(), number);
  }
  records::OwnedRecords owned(std::string const& id) { return worker.survey().records_of(id, {}).value(); }
  std::vector<std::string> lost(std::string const& id) {
    std::vector<std::string> names;
    auto const records = worker.survey().lost_to_others(id, owned(id), {}).value();
    for (auto const& record : records) names.push_back(record.type + "/" + record.id);
    return names;
  }
  Erasures::Others others_of(std::string const& id) {
    Erasures::Others others;
    auto const found = owned(id);
    for (auto const& record : found.records) others.insert(record.others.begin(), record.others.end());
    return others;
  }

  /// Orders an erasure as api::Admin does, and gives its id.
  Result<std::string> try_order(std::string const& id, Erasures::Others const& others = {}) {
    Erasure order;
    order.id = codec::format_uuid_v4(server.vault().random_bytes16().value());
    order.patient = id;
    order.reason = "by letter";
    auto change = TACENDA_TRY(erasures.order(std::move(order), others));
    TACENDA_TRY_VOID(commit(std::move(change.set), audit::EventKind::kErasureOrdered));
    worker.renew();
    return change.erasure.id;
  }
  std::string order(std::string const& id) { return try_order(id, others_of(id)).value(); }
  Result<void> commit(vault::WriteSet set, audit::EventKind kind) {
    audit::Event event;
    event.kind = kind;
    std::vector<audit::Event> events{std::move(event)};
    TACENDA_TRY_VOID(server.log().commit(std::move(set), std::move(events)));
    return {};
  }
  std::string hold(std::string const& id) {
    Hold hold;
    hold.patient = id;
    hold.ground = HoldGround::kLegalClaims;
    hold.reason = "case 12/26";
    auto change = holds.set(std::move(hold), {"u1", "pia"}).value();
    EXPECT_TRUE(commit(std::move(change.set), audit::EventKind::kHoldSet).has_value());
    return change.hold.id;
  }
  void lift(std::string const& id) {
    auto change = holds.lift(id, "case closed", {"u1", "pia"}).value();
    EXPECT_TRUE(commit(std::move(change.set), audit::EventKind::kHoldLifted).has_value());
  }
  /// Works until nothing is left to do; false: something still is after twenty seconds.
  bool finish() {
    for (int i = 0; i < 200; ++i) {
      auto const done = worker.step({});
      if (done.has_value() && *done) return true;
      // Files are written anew when no state of before is held any more, to the second.
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    return false;
  }
  Erasure erasure(std::string const& id) { return erasures.find(id).value(); }
  bool has_keys(std::string const& id) {
    return server.vault().subject(vault::Subject::patient(id)).has_value();
  }
  std::vector<audit::Event> events(audit::EventKind kind) {
    std::vector<audit::Event> found;
    auto const entries = server.log().list({}).value();
    for (auto const& entry : entries) {
      if (entry.event.kind == kind) found.push_back(entry.event);
    }
    return found;
  }
  /// Changes a byte of a row, as damage does; a second time it is as it was. `at`: from the end, if negative.
  void damage(std::string const& key, std::ptrdiff_t at, vault::Keeper keeper = vault::Keeper::kRecords) {
    auto const view = server.vault().view(keeper);
    Bytes const name = to_bytes(std::string_view(key));
    auto row = view.get(name).value().value();
    auto const place = at < 0 ? static_cast<std::ptrdiff_t>(row.size()) + at : at;
    row.at(static_cast<std::size_t>(place)) ^= std::byte{0xFF};
    vault::WriteSet set;
    view.put(set, name, std::move(row));
    ASSERT_TRUE(commit(std::move(set), audit::EventKind::kIndexChanged).has_value());
  }

  TestServer server;
  Holds holds{server.vault(), server.clock()};
  Erasures erasures{server.vault(), server.store(), holds, server.clock()};
  ErasureWorker worker{ErasureWorker::Parts{
      server.vault(), server.store(), server.exports(), erasures, holds, server.gate(), server.assignments(),
      server.log(), server.clock(), [] { return std::vector<std::string>{"https://localhost/fhir"}; }}};

 private:
  std::optional<identity::Principal> who_;
};

constexpr std::ptrdiff_t kFormatByte = 16;  // of a row, behind sequence and time
constexpr std::ptrdiff_t kInTheBody = -1;

std::string current_row(std::string const& type, std::string const& id) {
  return "C" + type + std::string(1, '\0') + id;
}

TEST_F(Eraser, TwoAtOnceLeaveTheOthersTheirRecords_G07) {
  put(group("g", {"a", "b", "c"}));
  put(observation("o", "c", {"a", "b"}));
  auto const first = order("a");
  auto const second = order("b");
  ASSERT_TRUE(finish());
  for (auto const& [type, id] : {std::pair("Group", "g"), std::pair("Observation", "o")}) {
    auto const json = get(type, id);
    EXPECT_THAT(json, HasSubstr("Patient/c"));
    EXPECT_THAT(json, Not(HasSubstr("Patient/a")));
    EXPECT_THAT(json, Not(HasSubstr("Patient/b")));
  }
  for (auto const& id : {first, second}) {
    EXPECT_EQ(erasure(id).state, Erasure::State::kComplete);
    EXPECT_EQ(erasure(id).rewritten, 2U);
    EXPECT_EQ(erasure(id).resources, (std::map<std::string, std::uint64_t>{{"Patient", 1}}));
  }
  EXPECT_FALSE(has_keys("a"));
  EXPECT_FALSE(has_keys("b"));
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Eraser, AHoldOnAnotherOfARecordStandsAgainstIt_G08) {
  put(group("g", {"a", "b"}));
  auto const others = others_of("a");
  EXPECT_EQ(others, Erasures::Others{"b"});
  auto const held = hold("b");
  auto const refused = try_order("a", others);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kConflict);
  EXPECT_THAT(std::string(refused.error().message()), HasSubstr("art17-3-e"));
  lift(held);
  EXPECT_TRUE(try_order("a", others).has_value());
}

TEST_F(Eraser, OfAHoldOnAnotherAndAnErasureAtOnceOneIsRefused_G08) {
  put(group("g", {"a", "b"}));
  Erasure wanted;
  wanted.id = "0b7e0c1e-5f5c-4a7e-9d1e-0d8a36a5a111";
  wanted.patient = "a";
  wanted.reason = "by letter";
  auto change = erasures.order(wanted, others_of("a")).value();
  hold("b");
  auto const late = commit(std::move(change.set), audit::EventKind::kErasureOrdered);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error().kind(), ErrorKind::kConflict);
}

TEST_F(Eraser, AHoldThatIsSetMeanwhileKeepsWhatTheOtherHas_G08) {
  put(group("g", {"a", "b"}));
  put(observation("own", "a"));
  auto const id = order("a");
  auto const held = hold("b");
  EXPECT_FALSE(worker.step({}).value());
  EXPECT_EQ(erasure(id).state, Erasure::State::kErasing);
  EXPECT_EQ(erasure(id).waiting, 1U);
  EXPECT_TRUE(has_keys("a"));
  EXPECT_TRUE(version("Group", "g", 1).has_value());
  EXPECT_THAT(get("Group", "g"), HasSubstr("Patient/b")) << "it is not closed to whom it is kept for";
  EXPECT_FALSE(is_there("Observation", "own"));
  EXPECT_FALSE(worker.step({}).value());
  EXPECT_EQ(events(audit::EventKind::kRecordsErased).size(), 1U) << "it is said once";
  lift(held);
  ASSERT_TRUE(finish());
  EXPECT_THAT(get("Group", "g"), HasSubstr("Patient/b"));
  EXPECT_FALSE(version("Group", "g", 1).has_value());
  EXPECT_EQ(erasure(id).waiting, 0U);
}

TEST_F(Eraser, WhatAnotherWouldLoseKeepsTheKeysUntilSomebodyHasDecided_G07) {
  // It was written between the look and the order.
  put(observation("of-b", "b", {"a"}, kContained));
  EXPECT_EQ(lost("a"), std::vector<std::string>{"Observation/of-b"});
  auto const id = order("a");
  EXPECT_FALSE(worker.step({}).value());
  EXPECT_EQ(erasure(id).state, Erasure::State::kErasing);
  EXPECT_EQ(erasure(id).waiting, 1U);
  EXPECT_TRUE(has_keys("a"));
  EXPECT_THAT(get("Observation", "of-b"), HasSubstr("contained"));
  EXPECT_FALSE(server.update(who(), observation("of-b", "b", {"a"})).has_value()) << "nobody writes of him";
  put(observation("of-b", "b", {}, kContained));
  ASSERT_TRUE(finish());
  EXPECT_EQ(erasure(id).waiting, 0U);
  EXPECT_FALSE(has_keys("a"));
  EXPECT_THAT(get("Observation", "of-b"), HasSubstr("contained"));
  EXPECT_FALSE(version("Observation", "of-b", 1).has_value());
  EXPECT_TRUE(version("Observation", "of-b", 2).has_value());
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Eraser, ADeletedRecordOfAnotherIsNotTakenOutUnseen_G07) {
  put(observation("of-b", "b"));
  put(observation("of-b", "b", {"a"}));
  ASSERT_TRUE(server.remove(who(), "Observation", "of-b").has_value());
  EXPECT_EQ(lost("a"), std::vector<std::string>{"Observation/of-b"});
  EXPECT_EQ(others_of("a"), Erasures::Others{"b"});
  auto const id = order("a");
  EXPECT_FALSE(worker.step({}).value());
  EXPECT_EQ(erasure(id).waiting, 1U);
  EXPECT_TRUE(version("Observation", "of-b", 1).has_value());
  // Somebody brings it back without him.
  put(observation("of-b", "b"));
  ASSERT_TRUE(finish());
  EXPECT_TRUE(version("Observation", "of-b", 1).has_value());
  EXPECT_FALSE(version("Observation", "of-b", 2).has_value());
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Eraser, WhatWasAnothersOnceIsNamedWhenItGoes_G07_G08) {
  put(observation("moved", "b"));
  put(observation("moved", "a"));
  EXPECT_EQ(others_of("a"), Erasures::Others{"b"});
  EXPECT_TRUE(lost("a").empty());
  auto const held = hold("b");
  EXPECT_FALSE(try_order("a", others_of("a")).has_value());
  lift(held);
  order("a");
  ASSERT_TRUE(finish());
  EXPECT_FALSE(version("Observation", "moved", 1).has_value());
  std::vector<std::string> of_b;
  for (auto const& event : events(audit::EventKind::kRecordsErased)) {
    if (event.resource_id == "moved") of_b = event.patients;
  }
  EXPECT_EQ(of_b, std::vector<std::string>{"b"}) << "what the log says of b tells of it";
}

TEST_F(Eraser, ATaskOfAnotherStaysWithoutTheRecordThatGoes_G07) {
  put(observation("of-a", "a", {"b"}));
  put(R"({"resourceType":"Task","id":"t","status":"requested","intent":"order","for":)" + named("b") +
      R"(,"focus":{"reference":"Observation/of-a"}})");
  put(R"({"resourceType":"Task","id":"his","status":"requested","intent":"order","for":)" + named("a") +
      R"(,"requester":)" + named("b") + "}");
  EXPECT_TRUE(lost("a").empty());
  order("a");
  ASSERT_TRUE(finish());
  EXPECT_FALSE(is_there("Observation", "of-a"));
  EXPECT_FALSE(is_there("Task", "his"));
  auto const left = get("Task", "t");
  EXPECT_THAT(left, HasSubstr("Patient/b"));
  EXPECT_THAT(left, Not(HasSubstr("focus")));
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Eraser, TheIdOfAnErasedResourceIsNotGivenAgain_G07) {
  put(observation("o", "a"));
  order("a");
  ASSERT_TRUE(finish());
  auto const again = server.update(who(), observation("o", "b"));
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().kind(), ErrorKind::kGone);
  EXPECT_TRUE(server.damage().empty());
}

TEST_F(Eraser, NothingIsCertifiedWhileTheIndexMayHaveRowsOfHis_K10) {
  records::Indexer indexer(server.store());
  auto const commit_index = [this](vault::WriteSet set) {
    return commit(std::move(set), audit::EventKind::kIndexChanged);
  };
  ASSERT_TRUE(indexer.open(commit_index).has_value());
  ASSERT_TRUE(indexer.renew(commit_index).has_value());
  auto const id = order("a");
  // Longer than it waits for readers of a state of before.
  for (int i = 0; i < 20; ++i) {
    EXPECT_FALSE(worker.step({}).value());
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(erasure(id).state, Erasure::State::kDestroyed);
  while (indexer.step(server.gate().system_permit(Action::kVerify), commit_index).value()) {
  }
  ASSERT_TRUE(finish());
  EXPECT_EQ(erasure(id).state, Erasure::State::kComplete);
}

TEST_F(Eraser, ADamagedRowOfAnotherKeepsNobodysKeys_G07) {
  put(observation("of-b", "b"));
  damage(current_row("Observation", "of-b"), kFormatByte);
  EXPECT_EQ(owned("a").unreadable, 1U);
  auto const id = order("a");
  for (int i = 0; i < 100 && erasure(id).blocked == 0; ++i) {
    EXPECT_FALSE(worker.step({}).value_or(true));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(erasure(id).state, Erasure::State::kDestroyed);
  EXPECT_EQ(erasure(id).blocked, 1U);
  EXPECT_FALSE(has_keys("a"));
  damage(current_row("Observation", "of-b"), kFormatByte);
  ASSERT_TRUE(finish());
  EXPECT_EQ(erasure(id).state, Erasure::State::kComplete);
}

TEST_F(Eraser, ADamagedRecordOfHisKeepsNeitherHisKeysNorAnotherErasure_G07) {
  put(observation("of-a", "a"));
  put(observation("of-b", "b"));
  damage(current_row("Observation", "of-a"), kInTheBody);
  auto const first = order("a");
  auto const second = order("b");
  for (int i = 0; i < 100 && (erasure(first).blocked == 0 || erasure(second).is_under_way()); ++i) {
    EXPECT_FALSE(worker.step({}).value_or(false));
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(erasure(first).state, Erasure::State::kDestroyed);
  EXPECT_EQ(erasure(first).blocked, 1U);
  EXPECT_FALSE(has_keys("a"));
  EXPECT_EQ(erasure(second).state, Erasure::State::kComplete);
}

TEST_F(Eraser, OneThatCannotBeReadOpensNobodysRecordAndKeepsNoOther_G07) {
  auto const first = order("a");
  auto const second = order("b");
  damage("e" + first, kInTheBody, vault::Keeper::kPrivacy);
  // As after a start.
  server.assignments().close_records({});
  ASSERT_TRUE(worker.open().has_value());
  EXPECT_FALSE(is_there("Patient", "a"));
  EXPECT_FALSE(is_there("Patient", "b"));
  EXPECT_TRUE(is_there("Patient", "c"));
  for (int i = 0; i < 100 && erasure(second).is_under_way(); ++i) {
    EXPECT_FALSE(worker.step({}).has_value()) << "it is said";
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
  }
  EXPECT_EQ(erasure(second).state, Erasure::State::kComplete);
  EXPECT_FALSE(is_there("Patient", "a"));
}

}  // namespace
}  // namespace tacenda::privacy
