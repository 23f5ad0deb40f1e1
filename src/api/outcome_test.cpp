#include "api/outcome.hpp"

#include <concepts>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "api/response.hpp"
#include "codec/json.hpp"

namespace tacenda::api {
namespace {

TEST(Outcome, GivesEachKindItsStatusAndCode) {
  struct Expected {
    ErrorKind kind;
    std::uint16_t status;
    std::string_view code;
  };
  // CODE_STYLE section 4, by hand.
  Expected const table[] = {
      {ErrorKind::kInvalid, 400, "invalid"},       {ErrorKind::kUnauthenticated, 401, "login"},
      {ErrorKind::kForbidden, 403, "forbidden"},   {ErrorKind::kNotFound, 404, "not-found"},
      {ErrorKind::kGone, 410, "deleted"},          {ErrorKind::kConflict, 409, "conflict"},
      {ErrorKind::kPrecondition, 412, "conflict"}, {ErrorKind::kTooLarge, 413, "too-long"},
      {ErrorKind::kThrottled, 429, "throttled"},   {ErrorKind::kUnavailable, 503, "transient"},
      {ErrorKind::kNoSpace, 507, "no-store"},      {ErrorKind::kCorrupt, 500, "exception"},
      {ErrorKind::kBug, 500, "exception"},         {ErrorKind::kUnprocessable, 422, "business-rule"},
  };
  for (auto const& row : table) {
    Error const error(row.kind, "a text");
    EXPECT_EQ(status_of(error), row.status);
    EXPECT_EQ(issue_code_of(error), row.code);
    auto const json = codec::parse_json(outcome_json(error));
    ASSERT_TRUE(json.has_value());
    EXPECT_EQ(json->find("issue")->items().front().text_of("code"), row.code);
  }
}

// W-07: what is wrong inside is not told outside.
TEST(Outcome, TellsNothingOfDamage) {
  EXPECT_EQ(outcome_json(Error(ErrorKind::kCorrupt, "a page of the key vault is missing")).find("vault"),
            std::string::npos);
}

TEST(Released, TellsWithoutReceiptInTheFormatThatWasAskedFor) {
  auto const response = Released(Unrecorded::kCounted, 401, fhir::Format::kXml).take();
  EXPECT_EQ(response.status, 401);
  EXPECT_TRUE(response.body.contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\">"));
}

TEST(Released, CarriesTheSafetyHeadersAlways) {
  auto const response = Released(Unrecorded::kSealed).take();
  EXPECT_EQ(response.status, 503);
  std::set<std::string> names;
  for (auto const& header : response.headers) names.insert(header.name);
  for (auto const* name : {"cache-control", "strict-transport-security", "x-content-type-options",
                           "content-security-policy", "referrer-policy", "retry-after"}) {
    EXPECT_TRUE(names.contains(name)) << name;
  }
}

// LAYOUT, wall 4: no response without a receipt, and nobody but the log makes one.
static_assert(!std::constructible_from<Released, net::Response>);
static_assert(!std::constructible_from<audit::Receipt, std::uint64_t, Time, std::string>);
static_assert(!std::copyable<audit::Receipt>);

TEST(Outcome, OfAFullDiskSaysSoAndNotThatTheServerIsBusy) {
  auto const json = codec::parse_json(outcome_json(507));
  ASSERT_TRUE(json.has_value());
  auto const& issue = json->find("issue")->items().front();
  EXPECT_EQ(issue.text_of("code"), "no-store");
  EXPECT_NE(issue.text_of("diagnostics").find("disk is full"), std::string_view::npos);
}

}  // namespace
}  // namespace tacenda::api
