#include "codec/fold.hpp"

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

TEST(Fold, LosesCaseAndMarks) {
  EXPECT_EQ(fold("MULLER"), "muller");
  EXPECT_EQ(fold("Müller"), "muller");
  EXPECT_EQ(fold("Mu\xCC\x88ller"), "muller");  // decomposed already
  EXPECT_EQ(fold("Straße"), "strasse");
  EXPECT_EQ(fold("Ångström"), "angstrom");
  EXPECT_EQ(fold("ΣΊΣΥΦΟΣ"), fold("σίσυφος"));
}

TEST(Fold, KeepsEveryScript) {
  EXPECT_EQ(fold("東京 12"), "東京 12");
  EXPECT_EQ(fold("Иван"), "иван");
  EXPECT_EQ(fold(""), "");
}

TEST(Fold, IsDoneWhenDoneOnce) {
  for (auto const* text : {"ŒUVRE", "İstanbul", "ﬁnal", "Đorđe", "ẞ"}) {
    EXPECT_EQ(fold(fold(text)), fold(text)) << text;
  }
}

TEST(Fold, LosesPunctuationAndRepeatedBlanks) {
  EXPECT_EQ(fold("O'Brien-Smith, Jr."), "obriensmith jr");
  EXPECT_EQ(fold("  a \t b\n"), "a b");
  EXPECT_EQ(fold("Fällt – „auf“"), "fallt auf");
  EXPECT_EQ(fold("5 < 6 + 7"), "5 < 6 + 7");
}

TEST(Fold, LeavesWhatIsNotUtf8AsItIs) {
  EXPECT_EQ(fold("\xFF\xFE A"), "\xFF\xFE A");
}

}  // namespace
}  // namespace tacenda::codec
