#include "api/outcome.hpp"

#include <array>

namespace tacenda::api {
namespace {

struct Row {
  ErrorKind kind;
  std::uint16_t status;
  std::string_view code;
};

constexpr auto kRows = std::to_array<Row>({
    {ErrorKind::kInvalid, 400, "invalid"},
    {ErrorKind::kUnauthenticated, 401, "login"},
    {ErrorKind::kForbidden, 403, "forbidden"},
    {ErrorKind::kNotFound, 404, "not-found"},
    {ErrorKind::kGone, 410, "deleted"},
    {ErrorKind::kConflict, 409, "conflict"},
    {ErrorKind::kPrecondition, 412, "conflict"},
    {ErrorKind::kUnprocessable, 422, "business-rule"},
    {ErrorKind::kUnsupported, 404, "not-supported"},
    {ErrorKind::kNotSupported, 400, "not-supported"},
    {ErrorKind::kTooCostly, 400, "too-costly"},
    {ErrorKind::kTooLarge, 413, "too-long"},
    {ErrorKind::kThrottled, 429, "throttled"},
    {ErrorKind::kUnavailable, 503, "transient"},
    {ErrorKind::kNoSpace, 507, "no-store"},
    {ErrorKind::kCorrupt, 500, "exception"},
    {ErrorKind::kBug, 500, "exception"},
});

Row const& row_of(ErrorKind kind) {
  for (auto const& row : kRows) {
    if (row.kind == kind) return row;
  }
  return kRows.back();
}

// Codes and messages are literals of this program without quotes, backslashes or control characters.
std::string outcome(std::string_view code, std::string_view text) {
  std::string json = R"({"resourceType":"OperationOutcome","issue":[{"severity":"error","code":")";
  json.append(code).append(R"(","diagnostics":")");
  for (char const c : text) {
    if (c == '"' || c == '\\') json.push_back('\\');
    json.push_back(c);
  }
  json.append("\"}]}");
  return json;
}

}  // namespace

std::uint16_t status_of(Error const& error) {
  return row_of(error.kind()).status;
}

std::string_view issue_code_of(Error const& error) {
  return row_of(error.kind()).code;
}

std::string outcome_json(Error const& error) {
  bool const internal = error.kind() == ErrorKind::kBug || error.kind() == ErrorKind::kCorrupt;
  // What is wrong inside is for the operator's log and `tacenda verify`, not for a client (W-07).
  return outcome(
      issue_code_of(error),
      internal ? std::string_view("the server could not read or write this safely") : error.message());
}

std::string outcome_json(Error const& error, Literal advice, int score) {
  std::string json = outcome_json(error);
  json.resize(json.size() - 2);  // open again
  json.append(R"(,{"severity":"information","code":"informational","details":{"coding":[{"system":)")
      .append(R"("urn:tacenda:password-score","code":")")
      .append(std::to_string(score))
      .append(R"("}]},"diagnostics":")")
      .append(advice.view())
      .append("\"}]}");
  return json;
}

std::string outcome_json(std::uint16_t status) {
  switch (status) {
    case 401:
      return outcome("login", "sign in first: an access token is needed");
    case 404:
      return outcome("not-found", "there is nothing at this address");
    case 405:
      return outcome("not-supported", "this method is not available here");
    case 406:
      return outcome("not-supported", "only application/fhir+json and application/fhir+xml can be sent");
    case 408:
      return outcome("timeout", "the request did not arrive in time");
    case 413:
      return outcome("too-long", "the body is too large");
    case 414:
      return outcome("too-long", "the URL is too long");
    case 415:
      return outcome("not-supported",
                     "the body must be application/fhir+json or application/fhir+xml in UTF-8");
    case 429:
      return outcome("throttled", "too many failures: try again later");
    case 431:
      return outcome("too-long", "the header fields are too large");
    case 503:
      return outcome("transient", "the server is busy or sealed: try again later");
    case 507:
      return outcome("no-store", "the disk is full: nothing is answered that cannot be recorded");
    case 505:
      return outcome("not-supported", "only HTTP/1.1 and HTTP/2 are spoken here");
    default:
      return outcome("structure", "the request is not well-formed HTTP");
  }
}

std::string done_json() {
  return R"({"resourceType":"OperationOutcome","issue":[{"severity":"information","code":"informational",)"
         R"("diagnostics":"done: the resource is stored"}]})";
}

audit::Outcome audit_outcome_of(std::uint16_t status) {
  if (status < 400) return audit::Outcome::kSuccess;
  if (status < 500) return audit::Outcome::kMinorFailure;
  return audit::Outcome::kSeriousFailure;
}

}  // namespace tacenda::api
