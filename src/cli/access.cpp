// `tacenda policy`, `tacenda emergency`, `tacenda access-list`: who may see what, and why.
#include <fstream>
#include <iostream>
#include <iterator>
#include <thread>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/progress.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

constexpr std::size_t kPolicyBytesMax = 60'000;
constexpr std::chrono::milliseconds kPause{200};

int ask(std::string_view command, AccessOptions const& options, std::string const& path, Json const* body,
        Show const& show) {
  return ask(command, Asked{options.data, path, body, options.json}, show);
}

Json object_of(std::initializer_list<std::pair<std::string_view, std::string_view>> members) {
  Json object = Json::object();
  for (auto const& [name, value] : members) object.set(name, Json::string(value));
  return object;
}

}  // namespace

int policy_show(AccessOptions const& options) {
  std::string path = "/admin/policy";
  if (options.version > 0) path += "?version=" + std::to_string(options.version);
  return ask("policy show", options, path, nullptr,
             [](Json const& answer) { std::cout << answer.text_of("toml"); });
}

int policy_history(AccessOptions const& options) {
  return ask("policy history", options, "/admin/policy/history", nullptr, [](Json const& answer) {
    for (auto const& each : answer.find("versions")->items()) {
      bool const is_marked = each.find("time") != nullptr;
      std::cout << each.find("version")->number_text() << "  "
                << (is_marked ? each.text_of("time") : std::string_view("(see the audit log)")) << "  "
                << each.text_of("by") << (is_marked ? "  " : "") << "sha256 " << each.text_of("sha256")
                << (each.find("holds")->as_boolean() ? "  holds" : "") << "\n";
    }
  });
}

int policy_set(AccessOptions const& options) {
  std::ifstream file(options.file, std::ios::binary);
  if (!file || std::filesystem::is_directory(options.file)) {
    std::cerr << "tacenda: policy set: " << options.file.string() << " cannot be read\n";
    return kUsage;
  }
  std::string const text{std::istreambuf_iterator<char>(file), {}};
  if (text.size() > kPolicyBytesMax) {
    std::cerr << "tacenda: policy set: a policy has 60,000 bytes at most\n";
    return kUsage;
  }
  auto const body = object_of({{"toml", text}});
  return ask("policy set", options, "/admin/policy", &body, [](Json const& answer) {
    std::cout << "version " << answer.find("version")->number_text() << " of the policy holds from now on\n";
  });
}

int policy_explain(AccessOptions const& options) {
  auto const body = object_of({{"user", options.user},
                               {"action", options.action},
                               {"resource", options.resource},
                               {"purpose", options.purpose},
                               {"address", options.address},
                               {"scope", options.scope},
                               {"patient", options.patient}});
  return ask("policy explain", options, "/admin/policy/explain", &body, [&](Json const& answer) {
    auto const* permitted = answer.find("permitted");
    bool const yes = permitted != nullptr && permitted->is_boolean() && permitted->as_boolean();
    std::cout << options.user << " (" << answer.text_of("role") << ") " << (yes ? "may " : "may not ")
              << options.action << " " << options.resource << "\n"
              << "decided by " << answer.text_of("decided_by") << ", policy " << answer.text_of("policy")
              << "\n";
    for (auto const* list : {answer.find("because"), answer.find("demands")}) {
      if (list == nullptr) continue;
      for (auto const& each : list->items()) std::cout << "  " << each.as_string() << "\n";
    }
  });
}

int policy_relabel(AccessOptions const& options) {
  constexpr std::string_view kCommand = "policy relabel";
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report(kCommand, connection.error());
  auto answer = connection->post("/admin/policy/relabel", Json::object());
  Progress progress(!options.json);
  for (;;) {
    if (!answer.has_value()) return report(kCommand, answer.error());
    if (answer->status != 200) return report(kCommand, answer->status, answer->body);
    answer = connection->get("/admin/status");
    if (!answer.has_value() || answer->status != 200) continue;
    auto const* labels = answer->body.find("labels");
    if (labels == nullptr) return report(kCommand, Error(ErrorKind::kUnsupported, "the server is older"));
    if (labels->text_of("state") == "at work") {
      progress.show("labelling", number_of(*labels, "looked_at"), 0);
      std::this_thread::sleep_for(kPause);
      continue;
    }
    progress.done();
    if (options.json) {
      std::cout << codec::write_json(*labels) << "\n";
    } else {
      std::cout << number_of(*labels, "looked_at") << " resources looked at, "
                << number_of(*labels, "labelled") << " labelled, " << number_of(*labels, "failed")
                << " failed\n";
    }
    return number_of(*labels, "failed") == 0 ? kOk : kFailed;
  }
}

int emergency_list(AccessOptions const& options) {
  std::string path = "/admin/emergencies";
  if (options.open) path += "?open";
  if (!options.patient.empty())
    path += (options.open ? "&patient=" : "?patient=") + codec::percent_encode(options.patient);
  return ask("emergency list", options, path, nullptr, [](Json const& answer) {
    for (auto const& each : answer.find("emergencies")->items()) {
      std::cout << each.text_of("id") << "  " << each.text_of("begun") << "  " << each.text_of("user") << "  "
                << (each.find("patient") == nullptr ? std::string("every patient (emergency account)")
                                                    : "Patient/" + std::string(each.text_of("patient")))
                << "\n  why: " << each.text_of("reason") << "\n";
      if (auto const* disclosure = each.find("disclosure"); disclosure != nullptr)
        std::cout << "  42 CFR 2.51: to " << disclosure->text_of("recipient") << " ("
                  << disclosure->text_of("affiliation") << "), by " << disclosure->text_of("discloser")
                  << ", " << disclosure->text_of("time") << ", " << disclosure->text_of("nature") << "\n";
      if (each.find("reviewed") == nullptr) {
        std::cout << "  not reviewed yet\n";
      } else {
        std::cout << "  reviewed " << each.text_of("reviewed") << " by " << each.text_of("reviewer") << ": "
                  << each.text_of("finding") << "\n";
      }
    }
  });
}

int emergency_review(AccessOptions const& options) {
  auto const body = object_of({{"id", options.id}, {"finding", options.finding}});
  return ask("emergency review", options, "/admin/emergencies/review", &body,
             [](Json const&) { std::cout << "reviewed\n"; });
}

int emergency_on(AccessOptions const& options) {
  auto body = object_of({{"reason", options.reason}});
  body.set("hours", Json::number(options.hours));
  return ask("emergency on", options, "/admin/emergency/on", &body, [](Json const& answer) {
    std::cout << "emergency accounts can be signed in to until " << answer.text_of("until") << "\n";
  });
}

int emergency_off(AccessOptions const& options) {
  auto const body = Json::object();
  return ask("emergency off", options, "/admin/emergency/off", &body, [](Json const&) {
    std::cout << "emergency mode is off; all that emergency accounts had open has ended\n"
              << "seal those that were used anew: tacenda user reseal NAME\n";
  });
}

int access_list(AccessOptions const& options) {
  return ask("access-list show", options, "/admin/access-lists", nullptr, [](Json const& answer) {
    for (auto const& each : answer.find("lists")->items())
      std::cout << "Patient/" << each.text_of("patient") << "  " << each.text_of("user") << "\n";
  });
}

int access_list_change(AccessOptions const& options, bool listed) {
  auto body = object_of({{"user", options.user}, {"patient", options.patient}});
  body.set("listed", Json::boolean(listed));
  return ask(listed ? "access-list add" : "access-list remove", options, "/admin/access-lists", &body,
             [&](Json const&) {
               std::cout << options.user << (listed ? " is on" : " is not on") << " the list of Patient/"
                         << options.patient << "\n";
             });
}

int user_practitioner(AccessOptions const& options) {
  auto const body = object_of({{"name", options.user}, {"practitioner", options.id}});
  return ask("user practitioner", options, "/admin/users/practitioner", &body, [&](Json const&) {
    if (options.id.empty()) {
      std::cout << options.user << " is no Practitioner any more\n";
    } else {
      std::cout << options.user << " is Practitioner/" << options.id << "\n";
    }
  });
}

}  // namespace tacenda::cli
