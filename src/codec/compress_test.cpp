#include "codec/compress.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tacenda::codec {
namespace {

std::string const kText =
    R"({"resourceType":"Observation","status":"final","valueQuantity":{"value":405.70}})";

TEST(Compressor, GivesBackWhatItTook) {
  Compressor const compressor(fhir_dictionary_v1());
  Bytes frame;
  ASSERT_TRUE(compressor.compress(as_bytes(kText), frame).has_value());
  Bytes out;
  ASSERT_TRUE(compressor.decompress(frame, 1000, out).has_value());
  EXPECT_EQ(as_text(out), kText);
  Bytes plain;
  ASSERT_TRUE(Compressor({}).compress(as_bytes(kText), plain).has_value());
  EXPECT_LT(frame.size(), plain.size());
}

TEST(Compressor, RefusesMoreThanItMayGive) {
  Compressor const compressor(fhir_dictionary_v1());
  Bytes frame;
  ASSERT_TRUE(compressor.compress(as_bytes(std::string(100'000, 'x')), frame).has_value());
  Bytes out;
  EXPECT_EQ(compressor.decompress(frame, 99'999, out).error().kind(), ErrorKind::kCorrupt);
}

TEST(Compressor, RefusesAFrameWithSomethingAfterIt) {
  Compressor const compressor(fhir_dictionary_v1());
  Bytes frame;
  ASSERT_TRUE(compressor.compress(as_bytes(kText), frame).has_value());
  Bytes out;
  Bytes twice = frame;
  append(twice, ByteView(frame));
  EXPECT_EQ(compressor.decompress(twice, 1000, out).error().kind(), ErrorKind::kCorrupt);
  frame.push_back(std::byte{0});
  EXPECT_EQ(compressor.decompress(frame, 1000, out).error().kind(), ErrorKind::kCorrupt);
}

TEST(Compressor, RefusesAFrameMadeWithTheDictionaryWhenItHasNone) {
  Bytes frame;
  ASSERT_TRUE(Compressor(fhir_dictionary_v1()).compress(as_bytes(kText), frame).has_value());
  Bytes out;
  EXPECT_EQ(Compressor({}).decompress(frame, 1000, out).error().kind(), ErrorKind::kCorrupt);
}

TEST(Compressor, GivesBackWhatItTookFromManyThreads) {
  Compressor const compressor(fhir_dictionary_v1(), 3);
  std::atomic<int> right = 0;
  std::vector<std::jthread> threads;
  for (int thread = 0; thread < 4; ++thread) {
    threads.emplace_back([&compressor, &right, thread] {
      for (int i = 0; i < 500; ++i) {
        std::string const text = kText + std::to_string(thread * 1000 + i);
        Bytes frame;
        Bytes out;
        if (compressor.compress(as_bytes(text), frame).has_value() &&
            compressor.decompress(frame, text.size(), out).has_value() && as_text(out) == text) {
          ++right;
        }
      }
    });
  }
  threads.clear();
  EXPECT_EQ(right, 2000);
}

TEST(Compressor, TakesTheEmptyText) {
  Compressor const compressor(fhir_dictionary_v1());
  Bytes frame;
  ASSERT_TRUE(compressor.compress({}, frame).has_value());
  Bytes out = to_bytes("old");
  ASSERT_TRUE(compressor.decompress(frame, 0, out).has_value());
  EXPECT_TRUE(out.empty());
}

// The records of every store name dictionary 1; RFC 8878 section 5 has the layout.
TEST(Dictionary, IsDictionaryNumberOne) {
  auto const dictionary = fhir_dictionary_v1();
  ASSERT_EQ(dictionary.size(), 65'536U);
  EXPECT_EQ(to_bytes(dictionary.first(8)),
            (Bytes{std::byte{0x37}, std::byte{0xA4}, std::byte{0x30}, std::byte{0xEC}, std::byte{1},
                   std::byte{0}, std::byte{0}, std::byte{0}}));
}

TEST(Compressor, RefusesEveryCutOffFrame) {
  Compressor const compressor(fhir_dictionary_v1());
  Bytes frame;
  ASSERT_TRUE(compressor.compress(as_bytes(kText), frame).has_value());
  for (std::size_t size = 0; size < frame.size(); ++size) {
    Bytes out;
    EXPECT_FALSE(compressor.decompress(ByteView(frame).first(size), 1000, out).has_value()) << size;
  }
}

}  // namespace
}  // namespace tacenda::codec
