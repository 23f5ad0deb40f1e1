// `tacenda alerts`: what the audit log was found to tell, and who looks after it.
#include <algorithm>
#include <iomanip>
#include <iostream>
#include <thread>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

constexpr std::chrono::seconds kPause{2};
constexpr std::size_t kPage = 200;

void show(Json const& alert) {
  std::cout << std::left << std::setw(9) << alert.text_of("severity") << alert.text_of("last") << "  "
            << alert.text_of("id") << "  " << alert.text_of("state");
  if (!alert.text_of("user").empty()) std::cout << "  " << alert.text_of("user");
  if (!alert.text_of("patient").empty()) std::cout << "  Patient/" << alert.text_of("patient");
  if (is_true(alert, "patient_erased")) std::cout << "  (patient erased)";
  if (number_of(alert, "count") > 1) std::cout << "  " << number_of(alert, "count") << " times";
  std::cout << "\n  " << alert.text_of("text") << "\n";
  if (!alert.text_of("note").empty())
    std::cout << "  " << alert.text_of("answered_by") << ": " << alert.text_of("note") << "\n";
}

void print(AlertOptions const& options, Json const& alert) {
  if (options.json) {
    std::cout << codec::write_json(alert) << "\n";
  } else {
    show(alert);
  }
}

/// Calls `take` for each alert behind `after`, which then names the last; gives the exit code.
int each_alert(std::string_view command, AdminConnection& connection, AlertOptions const& options,
               std::string& after, std::function<void(Json const&)> const& take) {
  for (;;) {
    std::string path = "/admin/alerts?limit=" + std::to_string(kPage);
    if (options.open) path += "&open";
    if (!options.patient.empty()) path += "&patient=" + codec::percent_encode(options.patient);
    if (!after.empty()) path += "&after=" + codec::percent_encode(after);
    auto const answer = connection.get(path);
    if (!answer.has_value()) return report(command, answer.error());
    if (answer->status != 200) return report(command, answer->status, answer->body);
    auto const* alerts = answer->body.find("alerts");
    if (alerts == nullptr) return report(command, Error(ErrorKind::kUnsupported, "the server is older"));
    for (auto const& alert : alerts->items()) {
      take(alert);
      after = alert.text_of("id");
    }
    if (alerts->items().size() < kPage) return kOk;
  }
}

}  // namespace

int alerts_list(AlertOptions const& options) {
  constexpr std::string_view kCommand = "alerts list";
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report(kCommand, connection.error());
  Json list = Json::array();
  std::string after;
  int const code = each_alert(kCommand, *connection, options, after, [&](Json const& alert) {
    if (options.json) {
      list.push(alert);
    } else {
      show(alert);
    }
  });
  if (code == kOk && options.json) std::cout << codec::write_json(list) << "\n";
  return code;
}

int alerts_follow(AlertOptions const& options) {
  constexpr std::string_view kCommand = "alerts follow";
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report(kCommand, connection.error());
  std::string after;
  // Those that are open are where it begins.
  AlertOptions asked = options;
  asked.open = true;
  for (;;) {
    int const code =
        each_alert(kCommand, *connection, asked, after, [&](Json const& alert) { print(options, alert); });
    if (code != kOk) return code;
    std::cout << std::flush;
    std::this_thread::sleep_for(kPause);
  }
}

int alerts_answer(AlertOptions const& options, std::string_view state) {
  Json body = Json::object();
  body.set("id", Json::string(options.id));
  body.set("note", Json::string(options.note));
  body.set("state", Json::string(state));
  std::string const path = "/admin/alerts/answer";
  return ask(state == "closed" ? "alerts close" : "alerts ack",
             Asked{options.data, path, &body, options.json},
             [&](Json const&) { std::cout << options.id << " is " << state << "\n"; });
}

}  // namespace tacenda::cli
