#include "vault/internal/share_text.hpp"

#include <string>

#include <gtest/gtest.h>

namespace tacenda::vault {
namespace {

ShareText some_share() {
  ShareText share;
  share.store = {std::byte{0xde}, std::byte{0xad}, std::byte{0xbe}, std::byte{0xef}};
  share.slot = 0x1234;
  share.threshold = 3;
  share.share.index = 5;
  share.share.bytes = SecretBuffer(kShareBytes);
  for (std::size_t i = 0; i < kShareBytes; ++i)
    share.share.bytes.reveal_mutable()[i] = static_cast<std::byte>(i * 37);
  return share;
}

std::string text_of(ShareText const& share) {
  return std::string(as_text(encode_share(share).reveal()));
}

TEST(ShareTexts, K09AreReadAsTheyWereWritten) {
  auto const text = text_of(some_share());
  EXPECT_EQ(text.size(), kShareTextBytes);
  EXPECT_TRUE(text.starts_with("TCS1-")) << text;
  auto const read = decode_share(as_bytes(text));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->store, some_share().store);
  EXPECT_EQ(read->slot, 0x1234);
  EXPECT_EQ(read->threshold, 3);
  EXPECT_EQ(read->share.index, 5);
  EXPECT_TRUE(read->share.bytes == some_share().share.bytes);
}

TEST(ShareTexts, K09AreReadHoweverTheyAreTyped) {
  auto const text = text_of(some_share());
  std::string typed;
  for (char const c : text) {
    if (c == '-') {
      typed += typed.size() % 2 == 0 ? "  " : "";
    } else if (c == '0') {
      typed += 'o';
    } else if (c == '1' && typed.size() > 4) {
      typed += typed.size() % 2 == 0 ? 'l' : 'I';
    } else {
      typed += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
    }
  }
  typed += '\r';
  auto const read = decode_share(as_bytes(typed));
  ASSERT_TRUE(read.has_value()) << typed;
  EXPECT_EQ(text_of(*read), text);
}

TEST(ShareTexts, K09ASlipOfThePenIsFound) {
  auto const text = text_of(some_share());
  constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZU";
  for (std::size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '-') continue;
    for (char const other : kDigits) {  // another character
      if (other == text[at]) continue;
      auto changed = text;
      changed[at] = other;
      EXPECT_FALSE(decode_share(as_bytes(changed)).has_value()) << changed;
    }
    auto cut = text;  // a character left out, and one twice
    cut.erase(at, 1);
    EXPECT_FALSE(decode_share(as_bytes(cut)).has_value());
    auto twice = text;
    twice.insert(at, 1, text[at]);
    EXPECT_FALSE(decode_share(as_bytes(twice)).has_value());
  }
  for (std::size_t at = 5; at + 6 < text.size(); ++at) {  // two exchanged
    auto swapped = text;
    std::swap(swapped[at], swapped[at + 1]);
    if (swapped[at] == '-' || swapped[at + 1] == '-' || swapped == text) continue;
    EXPECT_FALSE(decode_share(as_bytes(swapped)).has_value()) << swapped;
  }
}

TEST(ShareTexts, AnErrorSaysNothingOfWhatWasTyped) {
  for (auto const* text : {"", "TCS1", "TCS1-", "TCS2-0000", "correct horse battery staple"}) {
    auto const read = decode_share(as_bytes(text));
    ASSERT_FALSE(read.has_value()) << text;
    EXPECT_EQ(read.error().kind(), ErrorKind::kInvalid);
  }
}

TEST(ShareTexts, AreNotTakenForPassphrasesNorPassphrasesForThem) {
  EXPECT_TRUE(begins_like_share(as_bytes(text_of(some_share()))));
  EXPECT_TRUE(begins_like_share(as_bytes(" tcs1 0000")));
  EXPECT_TRUE(begins_like_share(as_bytes("TCS2-of a later version")));
  EXPECT_FALSE(begins_like_share(as_bytes("tcs")));
  EXPECT_FALSE(begins_like_share(as_bytes("")));
  EXPECT_FALSE(begins_like_share(as_bytes("correct horse battery staple")));
}

}  // namespace
}  // namespace tacenda::vault
