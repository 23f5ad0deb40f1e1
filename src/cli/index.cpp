// `tacenda reindex` and `tacenda explain`: the search index of a running server.
#include <iostream>
#include <thread>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/terminal.hpp"
#include "cli/progress.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

constexpr std::chrono::milliseconds kPause{200};

/// What the server tells of a search in the place of matches: the remarks of one severity.
std::vector<std::string> remarks_of(Json const& bundle, std::string_view severity) {
  std::vector<std::string> remarks;
  auto const* entries = bundle.find("entry");
  if (entries == nullptr || !entries->is_array()) return remarks;
  for (auto const& entry : entries->items()) {
    auto const* resource = entry.find("resource");
    if (resource == nullptr || resource->text_of("resourceType") != "OperationOutcome") continue;
    auto const* issues = resource->find("issue");
    if (issues == nullptr || !issues->is_array()) continue;
    for (auto const& issue : issues->items()) {
      if (issue.text_of("severity") == severity) remarks.emplace_back(issue.text_of("diagnostics"));
    }
  }
  return remarks;
}

int print_plan(Json const& bundle, bool json) {
  auto const steps = remarks_of(bundle, "information");
  if (steps.empty()) {
    return report("explain", Error(ErrorKind::kForbidden,
                                   "your role may not see how a search is made (it needs read-status)"));
  }
  auto const warnings = remarks_of(bundle, "warning");
  if (json) {
    Json plan = Json::object();
    Json list = Json::array();
    for (auto const& step : steps) list.push(Json::string(step));
    plan.set("steps", std::move(list));
    Json left_out = Json::array();
    for (auto const& warning : warnings) left_out.push(Json::string(warning));
    plan.set("warnings", std::move(left_out));
    std::cout << codec::write_json(plan) << "\n";
    return kOk;
  }
  for (auto const& step : steps) std::cout << step << "\n";
  for (auto const& warning : warnings) std::cout << "left out: " << warning << "\n";
  return kOk;
}

}  // namespace

int reindex(std::filesystem::path const& data, bool json) {
  auto connection = AdminConnection::open(data);
  if (!connection.has_value()) return report("reindex", connection.error());
  auto const asked = connection->post("/admin/reindex", Json::object());
  if (!asked.has_value()) return report("reindex", asked.error());
  if (asked->status != 200) return report("reindex", asked->status, asked->body);
  Progress progress(!json);
  for (;;) {
    auto const answer = connection->get("/admin/status");
    if (!answer.has_value()) return report("reindex", answer.error());
    if (answer->status != 200) return report("reindex", answer->status, answer->body);
    auto const* index = answer->body.find("index");
    if (index == nullptr) return report("reindex", Error(ErrorKind::kUnsupported, "the server is older"));
    auto const done = number_of(*index, "done");
    if (index->text_of("state") != "at work") {
      progress.done();
      if (json) {
        std::cout << codec::write_json(*index) << "\n";
      } else {
        std::cout << "the search index is complete: " << done << " resources\n";
      }
      return kOk;
    }
    progress.show("reindexing", done, number_of(*index, "total"));
    std::this_thread::sleep_for(kPause);
  }
}

int explain(ExplainOptions const& options) {
  auto token = read_file(options.token_file, 4096);
  if (!token.has_value())
    return report("explain", Error(ErrorKind::kNotFound, "the token file cannot be read"));
  token->erase(token->find_last_not_of(" \r\n\t") + 1);
  net::Client::Options client_options;
  client_options.ca_file = options.ca;
  auto client = net::Client::create(client_options);
  if (!client.has_value()) return report("explain", client.error());
  std::string const query = options.query + (options.query.contains('?') ? "&" : "?") + "explain=true";
  auto const response =
      (*client)->send("GET", options.url + "/" + query,
                      {{"authorization", "Bearer " + *token}, {"accept", "application/fhir+json"}}, "");
  if (!response.has_value()) return report("explain", response.error());
  auto const body = codec::parse_json(response->body);
  if (!body.has_value())
    return report("explain", Error(ErrorKind::kUnsupported, "the server's answer cannot be read"));
  if (response->status != 200) return report("explain", response->status, *body);
  return print_plan(*body, options.json);
}

}  // namespace tacenda::cli
