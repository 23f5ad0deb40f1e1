#include "api/internal/exchange.hpp"

#include <gtest/gtest.h>

namespace tacenda::api {
namespace {

net::Request with(std::vector<std::string> const& fields) {
  net::Request request;
  for (auto const& field : fields) request.headers.push_back({"prefer", field});
  return request;
}

TEST(Preferences, AreFoundInEachFieldAndEachPlaceOfAList) {
  EXPECT_EQ(prefer_of(with({"return=minimal"})), Prefer::kMinimal);
  EXPECT_EQ(prefer_of(with({"respond-async", "return=representation"})), Prefer::kRepresentation);
  EXPECT_EQ(prefer_of(with({"handling=strict, wait=10 ,return=OperationOutcome"})), Prefer::kOutcome);
  EXPECT_EQ(handling_of(with({"return=minimal", "handling=strict"})), fhir::Handling::kStrict);
  EXPECT_EQ(handling_of(with({"return=minimal,handling=strict"})), fhir::Handling::kStrict);
  EXPECT_TRUE(says_lenient(with({"respond-async", "handling=lenient"})));
  EXPECT_TRUE(prefers_async(with({"handling=lenient , respond-async"})));
}

TEST(Preferences, MayBeWrittenInEveryFormOfTheRfc) {
  EXPECT_EQ(prefer_of(with({"Return = \"minimal\" ; of=this"})), Prefer::kMinimal);
  EXPECT_EQ(handling_of(with({"wait=\"a,\\\"b,handling=lenient\", HANDLING=strict"})),
            fhir::Handling::kStrict);
  EXPECT_EQ(prefer_of(with({"", " ,, ", "return=minimal"})), Prefer::kMinimal);
}

TEST(Preferences, OfTwoTheFirstCounts) {
  EXPECT_EQ(prefer_of(with({"return=minimal", "return=representation"})), Prefer::kMinimal);
  EXPECT_EQ(prefer_of(with({"return=representation,return=minimal"})), Prefer::kRepresentation);
  EXPECT_EQ(handling_of(with({"handling=lenient", "handling=strict"})), fhir::Handling::kLenient);
}

TEST(Preferences, AreNotFoundInWhatOnlyLooksLikeThem) {
  for (auto const* field : {"", "return", "no-return=minimal", "x;return=minimal", "wait=\"return=minimal\"",
                            "return=minimally", "return=\"minimal", "\"", "\\", "\"\\"}) {
    EXPECT_EQ(prefer_of(with({field})), Prefer::kDefault) << field;
    EXPECT_EQ(handling_of(with({field})), fhir::Handling::kLenient) << field;
  }
  EXPECT_FALSE(prefers_async(with({"wait=respond-async, x=\"respond-async\""})));
  EXPECT_FALSE(says_lenient(with({"handling=strict"})));
  EXPECT_EQ(prefer_of(net::Request{}), Prefer::kDefault);
}

}  // namespace
}  // namespace tacenda::api
