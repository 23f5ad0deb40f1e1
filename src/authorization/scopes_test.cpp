#include "authorization/scopes.hpp"

#include <algorithm>
#include <array>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "core/application_limits.hpp"

namespace tacenda::authorization {
namespace {

using codec::Scope;
using codec::ScopeLevel;

std::string common(std::string_view a, std::string_view b) {
  return codec::write_scopes(common_scopes(codec::parse_scopes(a).value(), codec::parse_scopes(b).value()));
}

// F-06: what is granted is at most what was asked for and at most what was registered.
TEST(CommonScopes, AreWhatBothAllow) {
  EXPECT_EQ(common("system/*.read", "system/*.cruds"), "system/*.rs");
  EXPECT_EQ(common("system/*.rs", "system/Patient.r system/Observation.rs"),
            "system/Observation.rs system/Patient.r");
  EXPECT_EQ(common("system/Patient.cruds", "system/*.rs"), "system/Patient.rs");
  EXPECT_EQ(common("system/Patient.c", "system/*.rs"), "");
  EXPECT_EQ(common("system/Patient.rs", "user/Patient.rs"), "");
  EXPECT_EQ(common("patient/Patient.rs openid", "patient/*.rs"), "patient/Patient.rs");
  EXPECT_EQ(common("openid launch", "openid fhirUser"), "openid");
  EXPECT_EQ(common("user/Observation.rs", "user/Observation.rs?category=a"),
            "user/Observation.rs?category=a");
  EXPECT_EQ(common("user/*.rs", "user/Observation.rs?category=a"), "user/Observation.rs?category=a");
  EXPECT_EQ(common("user/Observation.rs?category=b", "user/Observation.rs?category=a"),
            "user/Observation.rs?category=b&category=a");
}

// Granular scopes of one type: as many are granted as are asked for, each as it was written.
TEST(CommonScopes, GrantWhatOneRegisteredScopeCoversAsItIs) {
  std::string asked;
  for (char category = 'a'; category <= 't'; ++category)
    asked += std::string(asked.empty() ? "" : " ") + "patient/Observation.rs?category=" + category;
  EXPECT_EQ(common(asked, asked), asked);
  EXPECT_EQ(common(asked, "patient/Observation.rs"), asked);
  EXPECT_EQ(common("patient/*.cruds", asked), asked);
  EXPECT_EQ(common("user/Observation.rs?category=b&code=c", "user/Observation.rs?category=b"),
            "user/Observation.rs?category=b&code=c");
}

TEST(CommonScopes, LeaveOutWhatAnotherOneCovers) {
  EXPECT_EQ(common("user/*.rs user/Patient.r", "user/*.rs"), "user/*.rs");
  EXPECT_EQ(common("user/Observation.rs user/Observation.rs?category=a", "user/*.cruds"),
            "user/Observation.rs");
  // Of less verbs: what each shares with the others is less than what it shares with itself.
  EXPECT_EQ(common("user/Observation.rs?category=a user/Observation.rs?category=b",
                   "user/Observation.r?category=a user/Observation.r?category=b"),
            "user/Observation.r?category=a user/Observation.r?category=b");
  EXPECT_EQ(common("user/Observation.r user/Observation.s user/Observation.rs?category=a", "user/*.rs"),
            "user/Observation.rs");
}

TEST(CommonScopes, AreBounded) {
  std::vector<Scope> asked;
  std::vector<Scope> registered;
  for (int i = 0; i < 100; ++i) {
    asked.push_back({"", ScopeLevel::kUser, "Observation", 2, "category=" + std::to_string(i)});
    registered.push_back({"", ScopeLevel::kUser, "Observation", 2, "code=" + std::to_string(i)});
  }
  EXPECT_EQ(common_scopes(asked, registered).size(), limits::kGrantedScopes);
  registered.push_back({"", ScopeLevel::kUser, "*", 2, ""});
  EXPECT_EQ(common_scopes(asked, registered), codec::normal_scopes(asked));
}

/// One question that scopes decide: may an interaction meet this record?
struct Question {
  ScopeLevel level;
  std::string type;
  unsigned verb;
  std::set<std::string, std::less<>> met;  // conditions that the record meets
};

/// Read literally: does one of them reach it?
bool is_reached(std::vector<Scope> const& scopes, Question const& question) {
  return std::ranges::any_of(scopes, [&](Scope const& scope) {
    if (scope.level != question.level || (scope.verbs >> question.verb & 1U) == 0) return false;
    if (scope.type != "*" && scope.type != question.type) return false;
    for (std::string rest = scope.constraints; !rest.empty();) {
      auto const end = std::min(rest.find('&'), rest.size());
      if (!question.met.contains(rest.substr(0, end))) return false;
      rest.erase(0, end + 1);
    }
    return true;
  });
}

constexpr std::array<std::string_view, 3> kConditions{"a=1", "a=2", "b=1"};

std::vector<Scope> some_scopes(std::mt19937& random) {
  auto const pick = [&](unsigned below) { return static_cast<unsigned>(random() % below); };
  std::vector<Scope> scopes;
  for (unsigned count = pick(5); count > 0; --count) {
    Scope scope;
    scope.level = pick(3) == 0 ? ScopeLevel::kUser : ScopeLevel::kPatient;
    scope.type = std::array{"*", "Observation", "Condition"}[pick(3)];
    scope.verbs = static_cast<std::uint8_t>(1 + pick(31));
    for (unsigned more = pick(3); more > 0; --more)
      scope.constraints.append(scope.constraints.empty() ? "" : "&").append(kConditions[pick(3)]);
    scopes.push_back(std::move(scope));
  }
  return codec::normal_scopes(std::move(scopes));
}

void expect_exact(std::vector<Scope> const& a, std::vector<Scope> const& b) {
  auto const both = common_scopes(a, b);
  for (auto const level : {ScopeLevel::kPatient, ScopeLevel::kUser}) {
    for (std::string const type : {"Observation", "Condition", "Patient"}) {
      for (unsigned bits = 0; bits < 5 * 8; ++bits) {
        Question question{level, type, bits / 8, {}};
        for (unsigned i = 0; i < kConditions.size(); ++i)
          if ((bits >> i & 1U) != 0) question.met.emplace(kConditions.at(i));
        ASSERT_EQ(is_reached(both, question), is_reached(a, question) && is_reached(b, question))
            << codec::write_scopes(a) << " | " << codec::write_scopes(b) << " | "
            << codec::write_scopes(both);
      }
    }
  }
}

// F-06: a record is reached by what is granted when it is by what was asked for and by what was registered.
TEST(CommonScopes, ReachWhatBothReachAndNothingElse) {
  std::mt19937 random(20'260'401);
  for (int i = 0; i < 2'000 && !testing::Test::HasFatalFailure(); ++i) {
    auto const a = some_scopes(random);
    expect_exact(a, some_scopes(random));
  }
}

}  // namespace
}  // namespace tacenda::authorization
