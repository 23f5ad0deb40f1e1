#include "codec/compress.hpp"

#include <gtest/gtest.h>

#include <string>

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
