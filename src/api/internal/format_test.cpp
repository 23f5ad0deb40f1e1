#include "api/internal/format.hpp"

#include <gtest/gtest.h>

#include "api/capability.hpp"
#include "core/limits.hpp"

namespace tacenda::api {
namespace {

using fhir::Format;

net::Request asking(std::string accept, std::string query = {}) {
  net::Request request;
  request.query = std::move(query);
  if (!accept.empty()) request.headers.push_back({"accept", std::move(accept)});
  return request;
}

net::Request sending(std::string content_type) {
  net::Request request;
  request.headers.push_back({"content-type", std::move(content_type)});
  return request;
}

TEST(AnswerFormat, IsJsonForWhoHasNoPreference) {
  for (auto const* accept : {"", "*/*", "application/*", "text/*", "*/*;q=0.1", "text/html, */*;q=0.8"}) {
    EXPECT_EQ(answer_format_of(asking(accept)), Format::kJson) << accept;
  }
}

// R4 http.html#mime-type: the types of FHIR and the generic ones.
TEST(AnswerFormat, IsTheOneThatAcceptNames) {
  for (auto const* accept :
       {"application/fhir+json", "application/json", "text/json", "Application/FHIR+JSON",
        "application/fhir+json; fhirVersion=4.0", "text/html, application/json"}) {
    EXPECT_EQ(answer_format_of(asking(accept)), Format::kJson) << accept;
  }
  for (auto const* accept : {"application/fhir+xml", "application/xml", "text/xml", "APPLICATION/XML",
                             "application/fhir+xml ;charset=utf-8", "image/png,text/xml"}) {
    EXPECT_EQ(answer_format_of(asking(accept)), Format::kXml) << accept;
  }
}

// RFC 9110 section 12.5.1: the quality decides, and the most specific range gives it.
TEST(AnswerFormat, FollowsTheQualityValues) {
  EXPECT_EQ(answer_format_of(asking("application/fhir+json;q=0.5, application/fhir+xml;q=0.9")),
            Format::kXml);
  EXPECT_EQ(answer_format_of(asking("application/fhir+json;q=0.91, application/fhir+xml;q=0.9")),
            Format::kJson);
  EXPECT_EQ(answer_format_of(asking("application/fhir+json;q=0.001, application/fhir+xml;q=0")),
            Format::kJson);
  EXPECT_EQ(answer_format_of(asking("application/fhir+json;q=0, */*")), Format::kXml);
  EXPECT_EQ(answer_format_of(asking("application/*;q=0.1, application/fhir+json;q=0.05")), Format::kXml);
  EXPECT_EQ(answer_format_of(asking("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")),
            Format::kXml);
  // Alike: what is named comes before a wildcard, and what is named first before the second.
  EXPECT_EQ(answer_format_of(asking("*/*, application/fhir+xml")), Format::kXml);
  EXPECT_EQ(answer_format_of(asking("application/fhir+xml, application/fhir+json")), Format::kXml);
  EXPECT_EQ(answer_format_of(asking("application/fhir+json, application/fhir+xml")), Format::kJson);
}

TEST(AnswerFormat, JoinsSeveralAcceptFields) {
  auto request = asking("application/fhir+json;q=0.1");
  request.headers.push_back({"accept", "application/fhir+xml"});
  EXPECT_EQ(answer_format_of(request), Format::kXml);
}

TEST(AnswerFormat, IsNoneWhenTheClientTakesNeither) {
  for (auto const* accept :
       {"text/html", "application/fhir+turtle", "application/fhir+json;q=0", "*/*;q=0", "x;q",
        "application/fhir+xml;q=2.0.0", "application/fhir+xml;q=x", "application/fhir+xml;q=0.0001"}) {
    EXPECT_EQ(answer_format_of(asking(accept)), std::nullopt) << accept;
  }
}

// R4 http.html#parameters: _format overrides Accept.
TEST(AnswerFormat, IsTheOneOfTheParameterBeforeAnyOther) {
  for (auto const* value : {"xml", "text/xml", "application/xml", "application/fhir%2Bxml",
                            "application/fhir+xml", "XML", "application%2Fxml%3Bq%3D1"}) {
    EXPECT_EQ(answer_format_of(asking("application/fhir+json", std::string("_count=5&_format=") + value)),
              Format::kXml)
        << value;
  }
  for (auto const* value : {"json", "application/json", "application/fhir%2Bjson", "application/fhir+json"}) {
    EXPECT_EQ(answer_format_of(asking("application/fhir+xml", std::string("_format=") + value)),
              Format::kJson)
        << value;
  }
  EXPECT_EQ(answer_format_of(asking("text/html", "_format=xml")), Format::kXml);
  for (auto const* value : {"ttl", "html", "", "xmlx"}) {
    EXPECT_EQ(answer_format_of(asking("application/fhir+json", std::string("_format=") + value)),
              std::nullopt)
        << value;
  }
  EXPECT_EQ(answer_format_of(asking("application/fhir+xml", "x_format=json&y=_format")), Format::kXml);
}

TEST(AnswerFormat, IsTheOneOfASearchsForm) {
  auto request = asking("application/fhir+json");
  request.method = "POST";
  request.body = "name=x&_format=xml";
  EXPECT_EQ(answer_format_of(request), Format::kJson);  // whatever the body is, it is no form
  request.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  EXPECT_EQ(answer_format_of(request), Format::kXml);
  EXPECT_EQ(format_parameter_of(request), "&_format=xml");
  request.query = "_format=json";
  EXPECT_EQ(answer_format_of(request), Format::kJson);
}

TEST(BodyFormat, IsTheOneOfTheContentType) {
  for (auto const* type :
       {"application/fhir+json", "application/json; charset=UTF-8", "application/json;charset=\"utf-8\""}) {
    EXPECT_EQ(body_format_of(sending(type)), Format::kJson) << type;
  }
  for (auto const* type :
       {"application/fhir+xml", "application/xml", "text/xml; charset=utf-8", "Text/XML"}) {
    EXPECT_EQ(body_format_of(sending(type)), Format::kXml) << type;
  }
  for (auto const* type :
       {"", "xml", "text/plain", "application/fhir+turtle", "application/xml; charset=utf-16",
        "application/json; a=b; charset=latin1", "multipart/form-data"}) {
    EXPECT_EQ(body_format_of(sending(type)), std::nullopt) << type;
  }
  EXPECT_EQ(body_format_of(net::Request()), std::nullopt);
}

TEST(FormatParameter, GoesOnToTheNextPage) {
  EXPECT_EQ(format_parameter_of(asking("", "_count=1")), "");
  EXPECT_EQ(format_parameter_of(asking("application/fhir+xml", "")), "");
  EXPECT_EQ(format_parameter_of(asking("", "_format=text/xml")), "&_format=xml");
  EXPECT_EQ(format_parameter_of(asking("", "_format=application/json")), "&_format=json");
}

net::Response saying(std::string body, std::string type = "application/fhir+json; charset=utf-8") {
  net::Response response;
  response.status = 200;
  response.body = std::move(body);
  response.headers.push_back({"content-type", std::move(type)});
  return response;
}

TEST(PutInto, TurnsAResourceIntoXml) {
  auto response = saying(R"({"resourceType":"Patient","active":true})");
  put_into(Format::kJson, response);
  EXPECT_EQ(response.body, R"({"resourceType":"Patient","active":true})");
  put_into(Format::kXml, response);
  EXPECT_EQ(response.body,
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?><Patient xmlns=\"http://hl7.org/fhir\">"
            "<active value=\"true\"/></Patient>");
  EXPECT_EQ(response.headers.front().value, "application/fhir+xml; charset=utf-8");
}

TEST(PutInto, TurnsTheCapabilityStatementIntoXml) {
  auto response = saying(capability_statement({"https://host/fhir", "https://host"}, "", "2026-11-23"));
  put_into(Format::kXml, response);
  EXPECT_TRUE(response.body.contains("<CapabilityStatement xmlns=\"http://hl7.org/fhir\">"));
  EXPECT_TRUE(response.body.contains("<format value=\"application/fhir+xml\"/>"));
}

TEST(PutInto, LeavesWhatIsNotOfFhir) {
  auto response = saying(R"({"user":"alice"})", "application/json");
  put_into(Format::kXml, response);
  EXPECT_EQ(response.body, R"({"user":"alice"})");
  EXPECT_EQ(response.headers.front().value, "application/json");
  net::Response empty;
  put_into(Format::kXml, empty);
  EXPECT_TRUE(empty.body.empty());
}

TEST(PutInto, NeverAnswersInAnotherFormat) {
  std::string large = R"({"resourceType":"Bundle","type":"searchset","entry":[)";
  std::string const text(std::size_t{1} << 20U, 'x');
  while (large.size() <= limits::kBundleBodyBytes) {
    large.append(R"({"resource":{"resourceType":"Basic","language":")").append(text).append("\"}},");
  }
  large.back() = ']';
  struct Case {
    net::Response response;
    std::uint16_t status;
    std::string_view code;
  };
  Case cases[] = {Case{saying(R"({"user":"alice"})"), 500, "exception"},
                  Case{saying("<p>"), 500, "exception"},
                  Case{saying(R"({"resourceType":"Patient","unknown":true})"), 500, "exception"},
                  Case{saying(large + "}"), 406, "too-long"}};
  for (auto& [answer, status, code] : cases) {
    answer.headers.push_back({"etag", "W/\"1\""});
    put_into(Format::kXml, answer);
    EXPECT_EQ(answer.status, status);
    ASSERT_EQ(answer.headers.size(), 1U);
    EXPECT_EQ(answer.headers.front().value, "application/fhir+xml; charset=utf-8");
    EXPECT_TRUE(answer.body.contains("<OperationOutcome xmlns=\"http://hl7.org/fhir\">"));
    EXPECT_TRUE(answer.body.contains("<code value=\"" + std::string(code) + "\"/>"));
    EXPECT_FALSE(answer.body.contains("alice"));
  }
}

TEST(PutInto, TakesTheDeepestResourceInsideABundle) {
  std::string deep = R"("valueBoolean":true)";
  for (std::size_t i = 0; i < (limits::kJsonDepth - 1) / 2; ++i)
    deep.insert(0, R"("extension":[{"url":"u",)").append("}]");
  auto response =
      saying(R"({"resourceType":"Bundle","type":"history","entry":[{"resource":{"resourceType":"Basic",)" +
             deep + "}}]}");
  put_into(Format::kXml, response);
  EXPECT_TRUE(response.body.starts_with("<?xml"));
}

}  // namespace
}  // namespace tacenda::api
