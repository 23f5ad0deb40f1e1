// `tacenda approvals`: what waits for a second person.
#include "cli/internal/approvals.hpp"

#include <algorithm>
#include <iostream>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

Json body_of(ApprovalsOptions const& options) {
  Json body = Json::object();
  body.set("id", Json::string(options.id));
  return body;
}

int post(std::string_view command, ApprovalsOptions const& options, std::string const& path, Json const& body,
         Show const& show) {
  return ask(command, Asked{options.data, path, &body, options.json}, show);
}

/// What somebody else wrote must not move the cursor of who decides on it.
std::string printable(std::string_view text) {
  std::string shown(text);
  std::ranges::replace_if(
      shown, [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 0x7F; }, '?');
  return shown;
}

void show_request(Json const& request) {
  auto const text = [&](std::string_view name) { return printable(request.text_of(name)); };
  std::cout << text("id") << "  " << text("state") << "\n  " << text("act") << "  " << text("target") << "\n";
  for (std::string_view const name : {"old", "new"}) {
    if (request.find(name) != nullptr) std::cout << "  " << name << ": " << text(name) << "\n";
  }
  std::cout << "  asked by " << text("asked_by") << " at " << text("asked") << ", good until "
            << text("expires") << "\n";
  if (request.find("decided_by") != nullptr)
    std::cout << "  decided by " << text("decided_by") << " at " << text("decided") << "\n";
  if (request.find("reason") != nullptr) std::cout << "  reason: " << text("reason") << "\n";
}

int list(ApprovalsOptions const& options) {
  return ask("approvals list", Asked{options.data, "/admin/approvals", nullptr, options.json},
             [](Json const& answer) {
               auto const* requests = answer.find("approvals");
               if (requests == nullptr || !requests->is_array()) return;
               for (auto const& request : requests->items()) show_request(request);
             });
}

int show(ApprovalsOptions const& options) {
  return ask(
      "approvals show",
      Asked{options.data, "/admin/approvals?id=" + codec::percent_encode(options.id), nullptr, options.json},
      [](Json const& request) {
        show_request(request);
        if (auto const* body = request.find("body"); body != nullptr)
          std::cout << "  asked for: " << codec::write_json(*body) << "\n";
      });
}

int approve(ApprovalsOptions const& options) {
  return post("approvals approve", options, "/admin/approvals/approve", body_of(options),
              [](Json const& answer) {
                std::cout << answer.text_of("act") << "  " << answer.text_of("target") << ": ";
                if (answer.text_of("state") == "done") {
                  std::cout << "approved and done\n";
                } else {
                  std::cout << "approved; " << answer.text_of("asked_by") << " collects it until "
                            << answer.text_of("expires") << ": tacenda approvals collect "
                            << answer.text_of("id") << "\n";
                }
              });
}

int refuse(ApprovalsOptions const& options) {
  auto body = body_of(options);
  body.set("reason", Json::string(options.reason));
  return post("approvals refuse", options, "/admin/approvals/refuse", body,
              [](Json const&) { std::cout << "refused\n"; });
}

int withdraw(ApprovalsOptions const& options) {
  return post("approvals withdraw", options, "/admin/approvals/withdraw", body_of(options),
              [](Json const&) { std::cout << "withdrawn\n"; });
}

int collect(ApprovalsOptions const& options) {
  return post("approvals collect", options, "/admin/approvals/collect", body_of(options),
              [](Json const& answer) {
                if (answer.find("access_token") != nullptr) {
                  show_token(answer);
                } else if (answer.find("passphrase") != nullptr) {
                  show_credential(answer);
                } else {
                  show_enrolment(answer);
                }
              });
}

}  // namespace

void add_approvals(CLI::App& app, ApprovalsOptions& options, AddCommand const& command) {
  auto* parent =
      app.add_subcommand("approvals", "What gives rights or a way in, and waits for a second person");
  parent->require_subcommand(1);
  auto const common = [&options](CLI::App* sub) {
    sub->add_option("--data", options.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", options.json, "Print JSON");
  };
  auto const one = [&](std::string const& name, std::string const& description,
                       int (*act)(ApprovalsOptions const&), std::string const& more = {}) {
    auto* sub = command(*parent, name, description,
                        "tacenda approvals " + name + " ID" + more + " --data /srv/tacenda",
                        [&options, act] { return act(options); });
    common(sub);
    sub->add_option("id", options.id, "Id of the request")->required();
    return sub;
  };
  common(command(*parent, "list", "List requests of the last days, oldest first",
                 "tacenda approvals list --data /srv/tacenda", [&options] { return list(options); }));
  one("show", "Show all of a request: old and new value, and what was asked word for word", show);
  one("approve", "Agree: it is done, or handed to who asked", approve);
  auto* refusal = one("refuse", "Do not agree", refuse, " --reason 'nobody knows this person'");
  refusal->add_option("--reason", options.reason, "Why; who asked reads it")->required();
  one("withdraw", "Take back what you asked for yourself", withdraw);
  one("collect", "Get the link or token that was approved for you, once", collect);
}

}  // namespace tacenda::cli
