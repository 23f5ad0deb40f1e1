#include "merkle/note.hpp"

#include <algorithm>

#include <gtest/gtest.h>

namespace tacenda::merkle {
namespace {

// The example of C2SP signed-note.
constexpr std::string_view kVkey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
constexpr std::string_view kNote =
    "This is an example message.\n"
    "\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

// Go's golang.org/x/mod/sumdb/note, the origin of the format.
constexpr std::string_view kGoVkey = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW";
constexpr std::string_view kGoNote =
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "\u2014 PeterNeumann "
    "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n";

NoteVerifier verifier(std::string_view vkey = kVkey) {
  return NoteVerifier::parse(vkey).value();
}

NoteSigner signer(std::string_view name, unsigned char seed = 1) {
  crypto::Ed25519Seed key;
  std::ranges::fill(key.reveal_mutable(), std::byte{seed});
  return {KeyName::parse(name).value(), crypto::Ed25519Signer::create(key).value()};
}

std::string replaced(std::string_view text, std::string_view from, std::string_view to) {
  std::string result(text);
  result.replace(result.find(from), from.size(), to);
  return result;
}

TEST(Note, OfTheSpecificationOpens) {
  EXPECT_EQ(open_note(kNote, verifier()).value(), "This is an example message.\n");
  EXPECT_TRUE(open_note(kGoNote, verifier(kGoVkey)).has_value());
}

TEST(Note, IsRefusedWhenATextByteChanged) {
  for (std::size_t i = 0; i < 27; ++i) {
    std::string changed(kNote);
    changed[i] = changed[i] == 'x' ? 'y' : 'x';
    EXPECT_EQ(open_note(changed, verifier()).error().kind(), ErrorKind::kCorrupt) << i;
  }
}

TEST(Note, IsRefusedWhenAnySignatureByteChanged) {
  std::size_t const begin = kNote.find("Uw2Q");
  for (std::size_t i = begin; i < kNote.size(); ++i) {
    std::string changed(kNote);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    EXPECT_FALSE(open_note(changed, verifier()).has_value()) << i;
  }
}

TEST(Note, SignedByOthersOnlyIsRefused) {
  EXPECT_EQ(open_note(kNote, signer("example.com/foo").verifier()).error().kind(), ErrorKind::kCorrupt);
  EXPECT_EQ(open_note(kNote, NoteVerifier(KeyName::parse("example.com/bar").value(), verifier().key()))
                .error()
                .kind(),
            ErrorKind::kCorrupt);
}

TEST(Note, RoundTripsThroughSignerAndVerifier) {
  NoteSigner const log = signer("log.example");
  std::string const note = log.sign("a\n\nb\n").value();
  EXPECT_EQ(open_note(note, log.verifier()).value(), "a\n\nb\n");
  EXPECT_EQ(open_note(note, NoteVerifier::parse(log.verifier().vkey()).value()).value(), "a\n\nb\n");
}

TEST(Note, MayHaveSignaturesOfSeveralKeys) {
  NoteSigner const one = signer("one.example", 1);
  NoteSigner const two = signer("two.example", 2);
  std::string const note = two.cosign(one.sign("text\n").value()).value();
  EXPECT_EQ(open_note(note, one.verifier()).value(), "text\n");
  EXPECT_EQ(open_note(note, two.verifier()).value(), "text\n");
  EXPECT_EQ(parse_note(note).value().signatures.size(), 2U);
}

TEST(Note, IsRefusedWhenASecondSignatureOfItsKeyIsWrong) {
  NoteSigner const log = signer("log.example");
  std::string const good = log.sign("text\n").value();
  std::string const other = log.sign("other\n").value();
  EXPECT_EQ(open_note(good + other.substr(other.find("\u2014")), log.verifier()).error().kind(),
            ErrorKind::kCorrupt);
}

TEST(Note, RefusesMalformedInput) {
  std::string const line(kNote.substr(kNote.find("\u2014")));
  for (std::string const& malformed :
       std::vector<std::string>{std::string(),
                                std::string("\n"),
                                std::string("\n\n"),
                                std::string("text\n"),
                                std::string("text\n\n"),
                                "text\n" + line,                                 // no empty line
                                std::string(kNote.substr(0, kNote.size() - 1)),  // no newline at the end
                                std::string(kNote) + "\n",
                                std::string(kNote) + "x\n",
                                replaced(kNote, "\u2014 ", "- "),
                                replaced(kNote, "\u2014 ", "\u2014"),
                                replaced(kNote, "foo ", "foo"),
                                replaced(kNote, "foo ", "foo  "),
                                replaced(kNote, "foo ", "f+o "),
                                replaced(kNote, "example.com/foo ", " "),
                                replaced(kNote, "foo ", "f\u00a0o "),
                                replaced(kNote, "This", "Th\tis"),
                                replaced(kNote, "This", "Th\ris"),
                                replaced(kNote, "This", "Th\xffis"),
                                replaced(kNote, "This", "Th\xc0\xafis"),
                                replaced(kNote, "This", "Th\xed\xa0\x80is"),
                                replaced(kNote, "aQM=", "aQM"),
                                replaced(kNote, "aQM=", "aQN="),
                                replaced(kNote, "aQM=", "a\xc3\xa9M="),
                                "text\n\n\u2014 name Uw2QOg==\n",
                                "text\n\n\u2014 name \n"}) {
    auto const note = parse_note(malformed);
    ASSERT_FALSE(note.has_value()) << malformed;
    EXPECT_EQ(note.error().kind(), ErrorKind::kInvalid) << malformed;
  }
}

TEST(Note, HasLimits) {
  NoteSigner const log = signer("log.example");
  std::string note = log.sign("text\n").value();
  std::string const line = note.substr(note.find("\u2014"));
  for (std::size_t i = 1; i < kNoteSignatures; ++i) note += line;
  EXPECT_TRUE(open_note(note, log.verifier()).has_value());
  EXPECT_EQ(parse_note(note + line).error().kind(), ErrorKind::kTooLarge);
  EXPECT_EQ(parse_note(std::string(kNoteBytes + 1, 'a')).error().kind(), ErrorKind::kTooLarge);
  EXPECT_EQ(log.sign(std::string(kNoteBytes, 'a') + "\n").error().kind(), ErrorKind::kTooLarge);
}

TEST(NoteSigner, RefusesATextThatIsNone) {
  NoteSigner const log = signer("log.example");
  for (std::string_view const text : {"", "no newline", "tab\t\n", "\xff\n"}) {
    EXPECT_EQ(log.sign(text).error().kind(), ErrorKind::kInvalid) << text;
  }
}

TEST(NoteVerifier, ReadsAndWritesTheKeyOfTheSpecification) {
  EXPECT_EQ(verifier().vkey(), kVkey);
  EXPECT_EQ(verifier().name().text(), "example.com/foo");
  EXPECT_EQ(verifier().key_id(), 0x530d903aU);
  EXPECT_EQ(verifier(kGoVkey).vkey(), kGoVkey);
}

TEST(NoteVerifier, RefusesMalformedKeys) {
  for (std::string const& vkey : std::vector<std::string>{
           std::string(), std::string("a"), std::string("a+b"), replaced(kVkey, "530d903a", "530d903b"),
           replaced(kVkey, "530d903a", "530D903A"), replaced(kVkey, "530d903a", "0530d903a"),
           replaced(kVkey, "foo", "bar"), replaced(kVkey, "foo", "f o"), std::string(kVkey) + "+",
           replaced(kVkey, "U2k", "U2"), std::string("a+00000000+"), std::string("a+00000000+AQ==")}) {
    EXPECT_EQ(NoteVerifier::parse(vkey).error().kind(), ErrorKind::kInvalid) << vkey;
  }
  EXPECT_EQ(NoteVerifier::parse(replaced(kVkey, "+Aek", "+Bek")).error().kind(), ErrorKind::kUnsupported);
}

TEST(KeyName, HasNoSpacesPlusOrControlCharacters) {
  EXPECT_TRUE(KeyName::parse("example.com/log42").has_value());
  EXPECT_TRUE(KeyName::parse("Universit\u00e4t").has_value());
  for (std::string_view const name :
       {"", " ", "a b", "a+b", "a\nb", "a\tb", "a\u2003b", "a\u3000b", "a\u0085b", "\xff"}) {
    EXPECT_EQ(KeyName::parse(name).error().kind(), ErrorKind::kInvalid) << name;
  }
}

}  // namespace
}  // namespace tacenda::merkle
