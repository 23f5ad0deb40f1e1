#include "merkle/checkpoint.hpp"

#include <gtest/gtest.h>

#include "merkle/internal/base64.hpp"

namespace tacenda::merkle {
namespace {

// The example of C2SP tlog-checkpoint; its key is not published.
constexpr std::string_view kNote =
    "example.com/behind-the-sofa\n"
    "20852163\n"
    "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
    "\n"
    "\u2014 example.com/behind-the-sofa "
    "Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n";

NoteSigner signer(std::string_view name = "log.example", unsigned char seed = 1) {
  crypto::Ed25519Seed key;
  std::ranges::fill(key.reveal_mutable(), std::byte{seed});
  return {KeyName::parse(name).value(), crypto::Ed25519Signer::create(key).value()};
}

Checkpoint checkpoint(std::vector<std::string> extensions = {}) {
  return {"log.example", {5, leaf_hash(as_bytes("root"))}, std::move(extensions)};
}

TEST(Checkpoint, OfTheSpecificationIsReadAndWrittenTheSame) {
  std::string const text = parse_note(kNote).value().text;
  Checkpoint const parsed = parse_checkpoint(text).value();
  EXPECT_EQ(parsed.origin, "example.com/behind-the-sofa");
  EXPECT_EQ(parsed.head.size, 20'852'163U);
  EXPECT_EQ(internal::base64_encode(parsed.head.root), "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=");
  EXPECT_TRUE(parsed.extensions.empty());
  EXPECT_EQ(format_checkpoint(parsed).value(), text);
}

TEST(Checkpoint, RoundTripsWithExtensions) {
  NoteSigner const log = signer();
  for (auto const& extensions :
       std::vector<std::vector<std::string>>{{}, {"state 0123"}, {"a", "b c", "d"}}) {
    std::string const note = sign_checkpoint(checkpoint(extensions), log).value();
    EXPECT_EQ(open_checkpoint(note, log.verifier()).value(), checkpoint(extensions));
  }
}

TEST(Checkpoint, OfAnotherKeyIsRefused) {
  std::string const note = sign_checkpoint(checkpoint(), signer("log.example", 1)).value();
  EXPECT_EQ(open_checkpoint(note, signer("log.example", 2).verifier()).error().kind(), ErrorKind::kCorrupt);
}

TEST(Checkpoint, OfAnotherOriginIsNeitherSignedNorOpened) {
  NoteSigner const other = signer("other.example");
  EXPECT_EQ(sign_checkpoint(checkpoint(), other).error().kind(), ErrorKind::kInvalid);
  std::string const note = other.sign(format_checkpoint(checkpoint()).value()).value();
  EXPECT_EQ(open_checkpoint(note, other.verifier()).error().kind(), ErrorKind::kCorrupt);
}

TEST(Checkpoint, SignedTextThatIsNoneIsRefused) {
  NoteSigner const log = signer();
  std::string const note = log.sign("log.example\nnot a size\n").value();
  EXPECT_EQ(open_checkpoint(note, log.verifier()).error().kind(), ErrorKind::kInvalid);
}

TEST(Checkpoint, RefusesMalformedText) {
  std::string const root = "CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=";
  EXPECT_TRUE(parse_checkpoint("o\n0\n" + root + "\n").has_value());
  EXPECT_TRUE(parse_checkpoint("o\n18446744073709551615\n" + root + "\n").has_value());
  for (std::string const& text :
       std::vector<std::string>{std::string(),
                                std::string("o\n"),
                                std::string("o\n1\n"),
                                "o\n1\n" + root,
                                "\n1\n" + root + "\n",
                                "o\n\n" + root + "\n",
                                "o\n01\n" + root + "\n",
                                "o\n+1\n" + root + "\n",
                                "o\n-1\n" + root + "\n",
                                "o\n1 \n" + root + "\n",
                                "o\n 1\n" + root + "\n",
                                "o\n0x1\n" + root + "\n",
                                "o\n18446744073709551616\n" + root + "\n",
                                "o\n1\n" + root + "=\n",
                                "o\n1\n" + root + " \n",
                                "o\n1\n" + root.substr(4) + "\n",
                                "o\n1\n" + root.substr(0, 43) + "\n",
                                "o\n1\nCsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2J=\n",  // unused bits set
                                "o\n1\n" + root + "\n\n",
                                "o\n1\n" + root + "\next\n\n",
                                "o\n1\n" + root + "\next"}) {
    auto const parsed = parse_checkpoint(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().kind(), ErrorKind::kInvalid) << text;
  }
}

TEST(Checkpoint, IsNotWrittenWithLinesThatWouldReadDifferently) {
  Checkpoint const base = checkpoint();
  EXPECT_EQ(format_checkpoint({"", base.head, {}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(format_checkpoint({"a\nb", base.head, {}}).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(format_checkpoint(checkpoint({""})).error().kind(), ErrorKind::kInvalid);
  EXPECT_EQ(format_checkpoint(checkpoint({"a\n"})).error().kind(), ErrorKind::kInvalid);
}

// RFC 4648 section 10.
TEST(Base64, GivesTheAnswersOfRfc4648) {
  for (auto const& [plain, encoded] :
       std::initializer_list<std::pair<std::string_view, std::string_view>>{{"", ""},
                                                                            {"f", "Zg=="},
                                                                            {"fo", "Zm8="},
                                                                            {"foo", "Zm9v"},
                                                                            {"foob", "Zm9vYg=="},
                                                                            {"fooba", "Zm9vYmE="},
                                                                            {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(internal::base64_encode(as_bytes(plain)), encoded);
    EXPECT_EQ(internal::base64_decode(encoded).value(), to_bytes(plain));
  }
}

TEST(Base64, HasOneSpellingOnly) {
  for (std::string_view const text :
       {"Zg", "Zg=", "Zh==", "Zm9=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-_", "Zm 8"}) {
    EXPECT_EQ(internal::base64_decode(text).error().kind(), ErrorKind::kInvalid) << text;
  }
}

}  // namespace
}  // namespace tacenda::merkle
