// C-11 by reading: matches, counts, orders, chains, _has, includes, pages and histories.
#include <iostream>
#include <set>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "codec/text.hpp"
#include "core/limits.hpp"
#include "interactions/decisions_world.hpp"
#include "operations/search.hpp"

namespace tacenda::operations {
namespace {

using test::TestServer;
using test::Who;

/// What the second store cannot answer: it has no views and no emergencies, which do not open histories of
/// types.
bool is_asked(Who const& who, std::string const& query) {
  // Who sees Patients in part is refused what would tell of the rest.
  bool const is_of_whole = query.find("birthdate") != std::string::npos || query.starts_with("$everything");
  if (who.role == "viewer" && is_of_whole) return false;
  bool const is_of_type = query.starts_with("history ") && query.find('/') == std::string::npos;
  return !who.breaks_glass || !is_of_type;
}

/// Everything an answer tells, as text.
class Asking {
 public:
  Asking(TestServer& server, identity::Principal const& who) : server_(server), who_(who) {}

  std::string ask(std::string const& query) {
    if (query.starts_with("history ")) return history(query.substr(8));
    if (query.starts_with("read ")) return read(query.substr(5));
    if (query.starts_with("$everything ")) {
      auto request = everything(ResourceId::parse(query.substr(12)).value(), {});
      return search(std::move(*request));
    }
    auto const mark = query.find('?');
    SearchRequest request;
    auto const place = std::string_view(query).substr(0, mark);
    if (place.starts_with("Patient/")) {
      auto const slash = place.rfind('/');
      request.compartment = "Patient";
      request.compartment_id = place.substr(8, slash - 8);
      auto const inner = place.substr(slash + 1);
      if (inner != "*") request.type = inner;
    } else {
      request.type = place;
    }
    request.raw = query.substr(mark + 1);
    request.parameters = codec::parse_query(request.raw).value();
    return search(std::move(request));
  }

 private:
  std::string search(SearchRequest request) {
    std::string told;
    for (std::size_t page = 0; page < 100; ++page) {
      auto const outcome =
          server_.run(who_, [&](Context const& context) { return operations::search(context, request); });
      if (!outcome.has_value()) return told + std::string(outcome.error().message());
      auto const& answer = std::get<SearchAnswer>(outcome->result);
      told += answer.total ? fmt::format("total {} ", *answer.total) : "";
      for (auto const& each : answer.matches) told += each.type + "/" + each.id + " ";
      std::set<std::string> included;
      for (auto const& each : answer.included) included.insert(each.type + "/" + each.id);
      told += fmt::format("with {} | ", fmt::join(included, " "));
      if (!answer.next) return told;
      request.position = *answer.next;
    }
    return told + "without end";
  }

  std::string history(std::string const& place) {
    std::string told;
    auto const slash = place.find('/');
    std::string const type = place.substr(0, slash);
    Action const action = slash == std::string::npos ? Action::kHistoryType : Action::kHistoryInstance;
    auto const outcome = server_.run(who_, [&](Context const& context) -> Result<Outcome> {
      auto const permit = TACENDA_TRY(server_.gate().authorize(who_, action, type));
      if (slash == std::string::npos) return operations::history(context, permit, type, {}, 100);
      return operations::history_of(context, permit, type, TACENDA_TRY(ResourceId::parse(place.substr(slash + 1))), {},
                                    100);
    });
    if (!outcome.has_value()) return std::string(outcome.error().message());
    for (auto const& each : std::get<records::HistoryPage>(outcome->result).entries) told += each.id + " ";
    return told;
  }

  std::string read(std::string const& place) {
    auto const slash = place.find('/');
    auto const version = server_.read(who_, place.substr(0, slash), place.substr(slash + 1));
    return version.has_value() ? "there" : std::string(version.error().message());
  }

  TestServer& server_;
  identity::Principal who_;
};

TEST(Decisions, C11WhatIsHiddenIsAsIfItWereNotThere) {
  constexpr std::size_t kQuestions = 550;
  std::size_t asked = 0;
  for (std::uint32_t seed = 1; seed <= test::rounds(); ++seed) {
    SCOPED_TRACE(seed);
    std::cout << "seed " << seed << "\n";
    test::Maker maker(seed);
    auto const world = maker.world();
    auto const whole = test::store_of_all(world);
    for (auto const& who : test::everybody()) {
      SCOPED_TRACE(who.name);
      auto const seen = test::store_of_what_is_seen(who, world);
      Asking in_whole(*whole, test::sign_in(*whole, who, world));
      Asking in_seen(*seen, seen->sign_in("all"));
      for (std::size_t i = 0; i < kQuestions; ++i) {
        auto const query = maker.query(world);
        if (!is_asked(who, query)) continue;
        ASSERT_EQ(in_whole.ask(query), in_seen.ask(query)) << query;
        ++asked;
      }
    }
  }
  std::cout << asked << " questions\n";
}

}  // namespace
}  // namespace tacenda::operations
