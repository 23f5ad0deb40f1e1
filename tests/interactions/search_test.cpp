#include "operations/search.hpp"

#include <algorithm>
#include <chrono>
#include <functional>
#include <map>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/text.hpp"
#include "interactions/test_server.hpp"

namespace tacenda::operations {
namespace {

using test::parse;
using test::TestServer;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

/// A store with two patients and what was observed of them.
class SearchOf : public ::testing::Test {
 protected:
  SearchOf() : doctor(server.sign_in("doctor")) {
    for (auto const* family : {"Grimes", "Abbott"}) {
      auto const id = server
                          .create(doctor, R"({"resourceType":"Patient","name":[{"family":")" +
                                              std::string(family) + "\"}]}")
                          .value()
                          .id;
      for (auto const* date : {"2020-01-02", "2020-01-01"}) observation(id, date);
    }
  }

  void observation(std::string const& patient, std::string const& date) {
    ASSERT_TRUE(
        server
            .create(doctor, R"({"resourceType":"Observation","status":"final","code":{"text":"weight"},)"
                            R"("subject":{"reference":"Patient/)" +
                                patient + R"("},"effectiveDateTime":")" + date + "\"}")
            .has_value());
  }

  Result<SearchAnswer> ask(std::string const& type, std::string const& query,
                           records::SearchPosition const& position = {}) {
    return server.search(doctor, type, query, position);
  }

  TestServer server;
  identity::Principal doctor;
};

TEST_F(SearchOf, WhatIsStoredAnswersWithinItsTime) {
  ManualClock clock(Time{});
  Deadline const deadline(clock, std::chrono::seconds(1));
  server.set_deadline(deadline);
  EXPECT_EQ(ask("Observation", "status=final").value().matches.size(), 4U);
}

TEST_F(SearchOf, EveryKindEndsWhenTheTimeOfTheRequestIsOver) {
  ManualClock clock(Time{});
  Deadline const deadline(clock, std::chrono::seconds(1));
  server.set_deadline(deadline);
  clock.advance(std::chrono::seconds(1));
  for (auto const* query : {"", "status=final", "subject.family=grimes", "_sort=date", "_summary=count",
                            "_include=Observation:subject", "_total=accurate&date=2020",
                            "subject:Patient._has:Observation:subject:status=final"}) {
    auto const answer = ask("Observation", query);
    ASSERT_FALSE(answer.has_value()) << query;
    EXPECT_EQ(answer.error().kind(), ErrorKind::kTooCostly) << query;
  }
}

TEST_F(SearchOf, CriteriaOfAConditionalCreateEndWhenTheTimeOfTheRequestIsOver) {
  ManualClock clock(Time{});
  Deadline const deadline(clock, std::chrono::seconds(1));
  server.set_deadline(deadline);
  auto const fresh = R"({"resourceType":"Patient","name":[{"family":"Zeta"}]})";
  ASSERT_TRUE(server.create(doctor, fresh, "family=zeta").has_value());
  clock.advance(std::chrono::seconds(1));
  auto const refused = server.create(doctor, fresh, "family=zeta");
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().kind(), ErrorKind::kTooCostly);
}

TEST_F(SearchOf, EverythingOfAPatientEndsWhenTheTimeOfTheRequestIsOver) {
  ManualClock clock(Time{});
  Deadline const deadline(clock, std::chrono::seconds(1));
  server.set_deadline(deadline);
  clock.advance(std::chrono::seconds(1));
  auto const outcome = server.run(doctor, [&](Context const& context) -> Result<Outcome> {
    auto const request = TACENDA_TRY(everything(TACENDA_TRY(ResourceId::parse("a")), {}));
    return search(context, request);
  });
  ASSERT_FALSE(outcome.has_value());
  EXPECT_EQ(outcome.error().kind(), ErrorKind::kTooCostly);
}

/// A store with what a search finds by ids that say what it is.
class Pages : public ::testing::Test {
 protected:
  Pages() : admin(server.sign_in("administrator")) {}

  void put(std::string const& json) {
    auto const written = server.update(admin, json);
    ASSERT_TRUE(written.has_value()) << written.error().message();
  }

  static std::string observation(std::string const& id, std::string const& date) {
    return R"({"resourceType":"Observation","id":")" + id +
           R"(","status":"final","code":{"text":"weight"},"effectiveDateTime":")" + date + "\"}";
  }

  /// Observations o100, o101 and so on, of few different days, in one transaction.
  void observations(int count) {
    std::string bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
    for (int i = 0; i < count; ++i) {
      std::string const id = "o" + std::to_string(100 + i);
      std::string const day = std::to_string(10 + (i * 7) % 18);
      dates_[id] = "2020-01-" + day;
      if (i > 0) bundle += ",";
      bundle += R"({"resource":)" + observation(id, dates_[id]) +
                R"(,"request":{"method":"PUT","url":"Observation/)" + id + "\"}}";
    }
    auto const done = server.bundle(admin, bundle + "]}");
    ASSERT_TRUE(done.has_value()) << done.error().message();
  }

  Result<SearchAnswer> ask(std::string const& type, std::string const& query,
                           records::SearchPosition const& position = {}) {
    return server.search(admin, type, query, position);
  }

  static std::vector<std::string> ids_of(SearchAnswer const& answer) {
    std::vector<std::string> ids;
    for (auto const& match : answer.matches) ids.push_back(match.id);
    return ids;
  }
  std::vector<std::string> found(std::string const& type, std::string const& query) {
    auto const answer = ask(type, query);
    EXPECT_TRUE(answer.has_value()) << query;
    return answer.has_value() ? ids_of(*answer) : std::vector<std::string>();
  }

  /// All pages; `between` is called behind each of them with what was shown so far.
  std::vector<std::string> all_pages(
      std::string const& query, std::function<void(std::vector<std::string> const&)> const& between = {}) {
    std::vector<std::string> shown;
    records::SearchPosition position;
    for (;;) {
      auto const answer = ask("Observation", query, position);
      EXPECT_TRUE(answer.has_value()) << query << ": " << answer.error().message();
      if (!answer.has_value()) return shown;
      walked_ = walked_ ||
                std::ranges::any_of(answer->steps, [](auto const& step) { return step.kind == "order"; });
      std::ranges::copy(ids_of(*answer), std::back_inserter(shown));
      if (!answer->next) return shown;
      position = *answer->next;
      if (between) between(shown);
    }
  }

  /// Ids by date, then by their creation.
  std::vector<std::string> by_date(bool descending) {
    auto ids = found("Observation", "_count=1000");
    std::map<std::string, std::size_t> created;
    for (std::size_t i = 0; i < ids.size(); ++i) created.emplace(ids[i], i);
    std::ranges::sort(ids, [&](std::string const& a, std::string const& b) {
      if (dates_[a] == dates_[b]) return created[a] < created[b];
      return descending ? dates_[a] > dates_[b] : dates_[a] < dates_[b];
    });
    return ids;
  }

  TestServer server;
  identity::Principal admin;
  std::map<std::string, std::string> dates_;
  bool walked_ = false;
};

TEST_F(Pages, AlongTheIndexAreInTheOrderThatSortingGives) {
  observations(400);
  for (bool const descending : {false, true}) {
    std::string const sign = descending ? "-" : "";
    auto const expected = by_date(descending);
    ASSERT_EQ(expected.size(), 400U);
    walked_ = false;
    EXPECT_EQ(all_pages("_count=30&_sort=" + sign + "date"), expected);
    EXPECT_TRUE(walked_);
    // A token as the second key is not in the index by document: all are sorted.
    walked_ = false;
    EXPECT_EQ(all_pages("_count=30&_sort=" + sign + "date,status"), expected);
    EXPECT_FALSE(walked_);
    auto ids = expected;
    descending ? std::ranges::sort(ids, std::greater()) : std::ranges::sort(ids);
    EXPECT_EQ(all_pages("_count=30&_sort=" + sign + "_id"), ids);
  }
}

TEST_F(Pages, ByTheirLastUpdateGoBothWays) {
  auto const put_later = [&](std::string const& id) {
    std::this_thread::sleep_for(std::chrono::milliseconds(2));  // instants are of milliseconds
    put(R"({"resourceType":"Observation","id":")" + id + R"(","status":"final","code":{"text":"weight"}})");
  };
  std::vector<std::string> expected;
  for (auto const* id : {"c", "a", "d", "b"}) {
    put_later(id);
    expected.emplace_back(id);
  }
  put_later("c");  // an update counts
  std::ranges::rotate(expected, expected.begin() + 1);
  EXPECT_EQ(all_pages("_count=3&_sort=_lastUpdated"), expected);
  std::ranges::reverse(expected);
  EXPECT_EQ(all_pages("_count=3&_sort=-_lastUpdated"), expected);
}

TEST_F(Pages, AlongTheIndexReadAPageAndNotTheStore) {
  observations(1'500);
  auto const walked = ask("Observation", "_sort=-date&_count=5").value();
  auto const sorted = ask("Observation", "_sort=-date,status&_count=5").value();
  EXPECT_EQ(ids_of(walked), ids_of(sorted));
  EXPECT_LT(walked.rows_read, sorted.rows_read);
  EXPECT_EQ(walked.total, std::nullopt);
  EXPECT_EQ(ask("Observation", "_sort=-date&_count=5&_total=accurate").value().total, 1'500U);
}

TEST_F(Pages, OfSeveralValuesCountTheLeastOrTheGreatest) {
  std::string bundle = R"({"resourceType":"Bundle","type":"transaction","entry":[)";
  for (int i = 0; i < 300; ++i) {
    auto const name = [&](int step) { return "n" + std::to_string(100 + (i * step) % 97); };
    bundle += std::string(i > 0 ? "," : "") + R"({"resource":{"resourceType":"Patient","name":[{"given":[")" +
              name(7) + R"(",")" + name(11) + R"("]}]},"request":{"method":"POST","url":"Patient"}})";
  }
  ASSERT_TRUE(server.bundle(admin, bundle + "]}").has_value());
  for (std::string const sort : {"given", "-given"}) {
    auto const walked = ask("Patient", "_count=50&_sort=" + sort).value();
    EXPECT_EQ(walked.steps.front().kind, "order");
    EXPECT_EQ(ids_of(walked), ids_of(ask("Patient", "_count=50&_sort=" + sort + ",gender").value()));
  }
}

TEST_F(Pages, WithoutAValueComeLast) {
  observations(300);
  for (auto const* id : {"none1", "none2"}) {
    put(R"({"resourceType":"Observation","id":")" + std::string(id) +
        R"(","status":"final","code":{"text":"weight"}})");
  }
  put(R"({"resourceType":"Observation","id":"long","status":"final","code":{"text":"weight"},)"
      R"("effectivePeriod":{"start":"2019","end":"2021"}})");
  for (auto const* sort : {"date", "-date"}) {
    walked_ = false;
    auto const walked = all_pages(std::string("_count=40&_sort=") + sort);
    EXPECT_TRUE(walked_) << sort;
    EXPECT_EQ(walked, all_pages(std::string("_count=40&_sort=") + sort + ",status"));
    EXPECT_THAT(std::vector(walked.end() - 2, walked.end()), ElementsAre("none1", "none2"));
  }
  EXPECT_EQ(all_pages("_count=40&_sort=date").front(), "long");
}

// Also after a restart, and along the index as well as in an order that was kept.
TEST_F(Pages, NeitherRepeatNorDropWhileOthersWrite) {
  observations(400);
  int round = 0;
  for (bool const restarts : {false, true}) {
    for (auto const* sort :
         {"date", "-date", "date,status", "-date,status", "_lastUpdated", "-_lastUpdated"}) {
      std::string const query = std::string("status=final&_count=45&_sort=") + sort;
      auto expected = all_pages(query);
      ASSERT_GE(expected.size(), 390U);
      std::size_t pages = 0;
      auto const shown = all_pages(query, [&](std::vector<std::string> const& so_far) {
        if (++pages > 4) return;
        auto const mark = std::to_string(++round);
        // To the ends of the order, where it was shown before or would be shown once more.
        put(observation(so_far.back(), "2031-01-01"));
        put(observation(so_far.front(), "1991-01-01"));
        put(observation(expected[so_far.size() + 3], "1990-01-01"));
        put(observation(expected[so_far.size() + 5], "2030-01-01"));
        put(observation("new" + mark, "2020-01-15"));
        auto const gone = expected[so_far.size() + 7];
        ASSERT_TRUE(server.remove(admin, "Observation", gone).has_value());
        std::erase(expected, gone);
        if (restarts) server.reopen_store();
      });
      EXPECT_EQ(shown, expected) << query << (restarts ? ", restarted" : "");
      for (auto const& id : found("Observation", "_count=1000")) {
        if (!id.starts_with("new")) continue;
        ASSERT_TRUE(server.remove(admin, "Observation", id).has_value());
      }
      observations(400);
    }
  }
}

TEST_F(Pages, WhosePlaceIsTooLongToKeepExpireWithTheOrder) {
  for (auto const* id : {"a", "b", "c"}) {
    put(R"({"resourceType":"Patient","id":")" + std::string(id) + R"(","name":[{"family":")" +
        std::string(2'000, 'x') + id + "\"}]}");
  }
  auto const first = ask("Patient", "_sort=family&_count=1").value();
  EXPECT_THAT(ids_of(first), ElementsAre("a"));
  EXPECT_THAT(ids_of(ask("Patient", "_sort=family&_count=1", *first.next).value()), ElementsAre("b"));
  server.reopen_store();
  auto const expired = ask("Patient", "_sort=family&_count=1", *first.next);
  ASSERT_FALSE(expired.has_value());
  EXPECT_EQ(expired.error().kind(), ErrorKind::kGone);
}

TEST_F(Pages, OfWhatHasAValueOrNoneTestWhatTheyShow) {
  observations(600);  // more than are opened one by one
  put(R"({"resourceType":"Observation","id":"none","status":"final","code":{"text":"weight"}})");
  put(R"({"resourceType":"Observation","id":"known","status":"final","code":{"text":"weight"},)"
      R"("identifier":[{"value":"1"}]})");
  EXPECT_EQ(found("Observation", "date:missing=false&_count=1000").size(), 600U);
  EXPECT_THAT(found("Observation", "date:missing=true"), ElementsAre("none", "known"));
  EXPECT_THAT(found("Observation", "identifier:missing=false"), ElementsAre("known"));
  EXPECT_EQ(found("Observation", "identifier:missing=true&_count=1000").size(), 601U);
  EXPECT_EQ(found("Observation", "status:missing=false&_count=1000").size(), 602U);
}

TEST_F(Pages, OfAListAreItsMembers) {
  observations(3);
  put(R"({"resourceType":"Patient","id":"p"})");
  put(R"({"resourceType":"List","id":"l","status":"current","mode":"working","entry":[)"
      R"({"item":{"reference":"Observation/o102"}},{"item":{"reference":"Observation/o100"}},)"
      R"({"item":{"reference":"Patient/p"}},{"item":{"reference":"Observation/gone"}}]})");
  EXPECT_THAT(found("Observation", "_list=l"), ElementsAre("o100", "o102"));
  EXPECT_THAT(found("Patient", "_list=l"), ElementsAre("p"));
  EXPECT_THAT(found("Observation", "_list=none"), IsEmpty());
  EXPECT_THAT(found("Observation", "_list=l&date:missing=true"), IsEmpty());
}

TEST_F(Pages, OfWhatLiesBelowOrAboveAPlace) {
  auto const organization = [&](std::string const& id, std::string const& whole) {
    put(R"({"resourceType":"Organization","id":")" + id +
        R"(","name":"x","partOf":{"reference":"Organization/)" + whole + "\"}}");
    put(R"({"resourceType":"Patient","id":"of-)" + id +
        R"(","managingOrganization":{"reference":"Organization/)" + id + "\"}}");
  };
  organization("top", "elsewhere");
  organization("middle", "top");
  organization("low", "middle");
  organization("beside", "top");
  EXPECT_THAT(found("Patient", "organization:below=Organization/top"),
              UnorderedElementsAre("of-top", "of-middle", "of-low", "of-beside"));
  EXPECT_THAT(found("Patient", "organization:below=middle"), UnorderedElementsAre("of-middle", "of-low"));
  EXPECT_THAT(found("Patient", "organization:above=Organization/low"),
              UnorderedElementsAre("of-low", "of-middle", "of-top"));
  EXPECT_THAT(found("Patient", "organization:below=none"), IsEmpty());
  EXPECT_THAT(found("Organization", "_has:Patient:organization:organization:above=middle"),
              UnorderedElementsAre("middle", "top"));
  // A circle ends.
  organization("top", "low");
  EXPECT_THAT(found("Patient", "organization:above=low"),
              UnorderedElementsAre("of-low", "of-middle", "of-top"));
}

TEST_F(Pages, OfCanonicalsBelowAVersion) {
  for (auto const* version : {"1.2", "1.20", "1.2.3", "2"}) {
    put(R"({"resourceType":"QuestionnaireResponse","id":"v)" + std::string(version) +
        R"(","status":"completed","questionnaire":"http://example.org/q|)" + version + "\"}");
  }
  auto const below = [&](std::string const& version) {
    return found("QuestionnaireResponse", "questionnaire:below=http://example.org/q%7C" + version);
  };
  EXPECT_THAT(below("1"), UnorderedElementsAre("v1.2", "v1.20", "v1.2.3"));
  EXPECT_THAT(below("1.2"), UnorderedElementsAre("v1.2", "v1.2.3"));
  EXPECT_THAT(below("3"), IsEmpty());
  EXPECT_THAT(found("QuestionnaireResponse", "questionnaire=http://example.org/q%7C1"), IsEmpty());
}

}  // namespace
}  // namespace tacenda::operations
