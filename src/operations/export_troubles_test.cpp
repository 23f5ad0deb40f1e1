// An export that cannot go on does not hold up the others, and not for ever itself.
#include "operations/internal/export_troubles.hpp"

#include <gtest/gtest.h>

namespace tacenda::operations {
namespace {

using std::chrono::seconds;

TEST(ExportTroubles, AnotherExportIsTriedWhileOneWaits) {
  ExportTroubles troubles;
  ExportTroubles::Instant const now{};
  EXPECT_TRUE(troubles.may_try("a", now));
  EXPECT_TRUE(troubles.note("a", now));
  EXPECT_FALSE(troubles.may_try("a", now + seconds(4)));
  EXPECT_TRUE(troubles.may_try("b", now + seconds(4)));
  EXPECT_TRUE(troubles.may_try("a", now + seconds(5)));
}

TEST(ExportTroubles, EachWaitIsLongerUpToABound) {
  ExportTroubles troubles;
  ExportTroubles::Instant now{};
  for (int const wait : {5, 10, 20, 40, 80, 160, 320, 600, 600}) {
    ASSERT_TRUE(troubles.note("a", now));
    EXPECT_FALSE(troubles.may_try("a", now + seconds(wait) - std::chrono::milliseconds(1))) << wait;
    now += seconds(wait);
    EXPECT_TRUE(troubles.may_try("a", now)) << wait;
  }
}

TEST(ExportTroubles, ItEndsAfterSoManyTries) {
  ExportTroubles troubles;
  ExportTroubles::Instant const now{};
  for (int i = 1; i < ExportTroubles::kTries; ++i) ASSERT_TRUE(troubles.note("a", now)) << i;
  EXPECT_FALSE(troubles.note("a", now));
}

TEST(ExportTroubles, WhatWentOnOrIsNoMoreIsForgotten) {
  ExportTroubles troubles;
  ExportTroubles::Instant const now{};
  for (auto const* id : {"a", "b", "c"}) troubles.note(id, now);
  troubles.forget("a");
  troubles.keep([](std::string_view id) { return id == "c"; });
  EXPECT_TRUE(troubles.may_try("a", now));
  EXPECT_TRUE(troubles.may_try("b", now));
  EXPECT_FALSE(troubles.may_try("c", now));
}

}  // namespace
}  // namespace tacenda::operations
