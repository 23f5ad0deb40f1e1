// `tacenda audit`.
#include <iomanip>
#include <iostream>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

void add(std::string& query, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  query.append(query.empty() ? "?" : "&").append(name).append("=").append(codec::percent_encode(value));
}

void show(Json const& entry) {
  std::string what(entry.text_of("type"));
  if (!entry.text_of("id").empty()) what.append("/").append(entry.text_of("id"));
  if (what.empty()) what = entry.text_of("target");
  auto const* outcome = entry.find("outcome");
  bool const failed = outcome != nullptr && outcome->is_number() && outcome->number_text() != "0";
  std::cout << std::setw(8) << std::right << entry.find("sequence")->number_text() << "  "
            << entry.text_of("recorded") << "  " << std::left << std::setw(22) << entry.text_of("event")
            << (failed ? "DENIED  " : "ok      ") << std::setw(18) << entry.text_of("user") << std::setw(16)
            << entry.text_of("network") << what;
  if (!entry.text_of("reason").empty()) std::cout << "  (" << entry.text_of("reason") << ")";
  std::cout << "\n";
}

int get(std::string_view command, AuditOptions const& options, std::string const& path) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report(command, connection.error());
  auto const answer = connection->get(path);
  if (!answer.has_value()) return report(command, answer.error());
  if (answer->status != 200) return report(command, answer->status, answer->body);
  auto const text = answer->body.text_of("checkpoint");
  if (!options.json && !text.empty()) {
    std::cout << text << "\nverifier key: " << answer->body.text_of("verifier_key") << "\n";
  } else {
    std::cout << codec::write_json(answer->body) << "\n";
  }
  return kOk;
}

}  // namespace

int audit_list(AuditOptions const& options) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report("audit list", connection.error());
  std::string after;
  bool first = true;
  if (options.json) std::cout << "[";
  while (true) {
    std::string query;
    add(query, "patient", options.patient);
    add(query, "user", options.user);
    add(query, "since", options.since);
    add(query, "until", options.until);
    add(query, "after", after);
    add(query, "limit", options.all ? "1000" : std::to_string(options.limit));
    if (options.fhir) add(query, "format", "fhir");
    auto const answer = connection->get("/admin/audit" + query);
    if (!answer.has_value()) return report("audit list", answer.error());
    if (answer->status != 200) return report("audit list", answer->status, answer->body);
    auto const* entries = answer->body.find("entries");
    if (entries == nullptr || !entries->is_array()) return kFailed;
    for (auto const& entry : entries->items()) {
      if (options.json) {
        std::cout << (first ? "\n" : ",\n") << codec::write_json(entry);
      } else if (options.fhir) {
        std::cout << codec::write_json(entry) << "\n";
      } else {
        show(entry);
      }
      first = false;
    }
    if (!options.all || options.fhir || entries->items().size() < 1000) break;
    after = entries->items().back().find("sequence")->number_text();
  }
  if (options.json) std::cout << "\n]\n";
  return kOk;
}

int audit_checkpoint(AuditOptions const& options) {
  return get("audit checkpoint", options, "/admin/audit/checkpoint");
}

int audit_proof(AuditOptions const& options) {
  return get("audit proof", options, "/admin/audit/proof?sequence=" + std::to_string(options.sequence));
}

}  // namespace tacenda::cli
