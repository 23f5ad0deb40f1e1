// `tacenda erase` and `tacenda hold`: a patient's record, for good, and what stands against it.
#include <iostream>

#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/erasure_commands.hpp"
#include "codec/text.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

void show_counts(std::string_view what, Json const& answer, std::string_view name) {
  auto const* counts = answer.find(name);
  if (counts == nullptr) return;
  for (auto const& [type, count] : counts->members())
    std::cout << "  " << what << "  " << type << "  " << count.number_text() << "\n";
}

void show_hold(Json const& hold) {
  std::cout << hold.text_of("id") << "  " << (is_true(hold, "stands") ? "stands" : "over") << "  Patient/"
            << hold.text_of("patient") << "  " << hold.text_of("ground");
  if (!hold.text_of("until").empty()) std::cout << "  until " << hold.text_of("until");
  std::cout << "\n  set by " << hold.text_of("set_by") << " at " << hold.text_of("set") << ": "
            << hold.text_of("reason") << "\n";
  if (hold.find("lifted") != nullptr)
    std::cout << "  lifted by " << hold.text_of("lifted_by") << " at " << hold.text_of("lifted") << ": "
              << hold.text_of("lift_reason") << "\n";
}

void show_erasure(Json const& erasure) {
  std::cout << erasure.text_of("id") << "  " << erasure.text_of("state");
  if (!erasure.text_of("step").empty()) std::cout << " (" << erasure.text_of("step") << ")";
  std::cout << "  Patient/" << erasure.text_of("patient") << "\n  ordered by " << erasure.text_of("asked_by")
            << " at " << erasure.text_of("ordered") << ": " << erasure.text_of("reason") << "\n";
  if (!erasure.text_of("hold").empty()) std::cout << "  legal hold: " << erasure.text_of("hold") << "\n";
  if (!erasure.text_of("keys_destroyed").empty())
    std::cout << "  keys destroyed " << erasure.text_of("keys_destroyed") << "\n";
  if (!erasure.text_of("completed").empty())
    std::cout << "  completed " << erasure.text_of("completed") << "\n";
  show_counts("erased", erasure, "resources");
  if (number_of(erasure, "damaged") > 0)
    std::cout << "  " << number_of(erasure, "damaged")
              << " damaged records are left, which may be his: tacenda verify names them\n";
  if (number_of(erasure, "waits_for") > 0)
    std::cout << "  waits for " << number_of(erasure, "waits_for")
              << " records that others would lose, or must keep: a dry run names what stands in its way\n";
}

int examine(ErasureOptions const& options) {
  Json body = Json::object();
  body.set("patient", Json::string(options.patient));
  return ask("erase", Asked{options.data, "/admin/erasures/examine", &body, options.json},
             [](Json const& answer) {
               std::cout << "Patient/" << answer.text_of("patient") << ": nothing is changed\n";
               show_counts("would be erased", answer, "resources");
               show_counts("of several patients, would be without this one, or go", answer, "shared");
               std::cout << "  versions in all  " << number_of(answer, "versions") << "\n";
               if (auto const* lost = answer.find("lost_to_others"); lost != nullptr) {
                 std::cout << "  other patients would lose these, which stand against it: change or delete "
                              "them first\n";
                 for (auto const& record : lost->items()) std::cout << "    " << record.as_string() << "\n";
               }
               if (number_of(answer, "damaged") > 0)
                 std::cout << "  damaged records, of which nobody can tell whose they are  "
                           << number_of(answer, "damaged") << "\n";
               if (auto const* others = answer.find("holds_of_others"); others != nullptr) {
                 std::cout << "  legal holds on others who have records of his stand against it:\n";
                 for (auto const& hold : others->items()) show_hold(hold);
               }
               if (auto const* hold = answer.find("hold"); hold != nullptr) {
                 std::cout << "  a legal hold stands against it:\n";
                 show_hold(*hold);
               }
             });
}

int order(ErasureOptions const& options) {
  if (options.patient.empty() || options.data.empty()) {
    std::cerr << "tacenda: erase: --patient and --data are required\n";
    return kUsage;
  }
  if (options.dry_run) return examine(options);
  if (options.reason.empty()) {
    std::cerr << "tacenda: erase: --reason is required\n";
    return kUsage;
  }
  Json body = Json::object();
  body.set("patient", Json::string(options.patient));
  body.set("reason", Json::string(options.reason));
  Json grounds = Json::array();
  for (auto const& ground : options.grounds) grounds.push(Json::string(ground));
  body.set("grounds", std::move(grounds));
  return ask("erase", Asked{options.data, "/admin/erasures", &body, options.json}, [](Json const& answer) {
    std::cout << "erasure " << answer.text_of("id") << " is under way: tacenda erase status "
              << answer.text_of("id") << "\n";
  });
}

int status(ErasureOptions const& options) {
  std::string path = "/admin/erasures";
  if (!options.id.empty()) path += "?id=" + codec::percent_encode(options.id);
  return ask("erase status", Asked{options.data, path, nullptr, options.json}, [](Json const& answer) {
    auto const* all = answer.find("erasures");
    if (all == nullptr) return show_erasure(answer);
    for (auto const& erasure : all->items()) show_erasure(erasure);
  });
}

/// Always JSON: it is handed on, and checked by others.
int certificate(ErasureOptions const& options) {
  std::string const path = "/admin/erasures/certificate?id=" + codec::percent_encode(options.id);
  return ask("erase certificate", Asked{options.data, path, nullptr, true}, [](Json const&) {});
}

int hold_set(ErasureOptions const& options) {
  Json body = Json::object();
  body.set("patient", Json::string(options.patient));
  body.set("ground", Json::string(options.ground));
  body.set("reason", Json::string(options.reason));
  if (!options.until.empty()) {
    bool const is_date = options.until.size() == 10;
    body.set("until", Json::string(is_date ? options.until + "T00:00:00Z" : options.until));
  }
  return ask("hold set", Asked{options.data, "/admin/holds", &body, options.json}, show_hold);
}

int hold_lift(ErasureOptions const& options) {
  Json body = Json::object();
  body.set("id", Json::string(options.id));
  body.set("reason", Json::string(options.reason));
  return ask("hold lift", Asked{options.data, "/admin/holds/lift", &body, options.json}, show_hold);
}

int hold_list(ErasureOptions const& options) {
  std::string path = "/admin/holds";
  if (!options.patient.empty()) path += "?patient=" + codec::percent_encode(options.patient);
  return ask("hold list", Asked{options.data, path, nullptr, options.json}, [](Json const& answer) {
    auto const* holds = answer.find("holds");
    if (holds == nullptr) return;
    for (auto const& hold : holds->items()) show_hold(hold);
  });
}

/// The parser hands on to the outer command last, whichever was typed.
int erase_or_show(ErasureOptions const& options, CLI::App const& typed) {
  if (typed.got_subcommand("status")) return status(options);
  if (typed.got_subcommand("certificate")) return certificate(options);
  return order(options);
}

void add_common(CLI::App* sub, ErasureOptions& options) {
  sub->add_option("--data", options.data, "Folder of the running server's store")->required();
  sub->add_flag("--json", options.json, "Print JSON");
}

void add_erase(CLI::App& app, ErasureOptions& options, AddCommand const& command) {
  auto* erase = command(app, "erase", "Erase a patient's whole record, for good",
                        "tacenda erase --patient 4711 --dry-run --data /srv/tacenda\n"
                        "  tacenda erase --patient 4711 --reason 'letter of 3 March' --ground art17-1-b "
                        "--data /srv/tacenda\n"
                        "  tacenda erase status --data /srv/tacenda",
                        [&options, &app] { return erase_or_show(options, *app.get_subcommand("erase")); });
  erase->add_option("--patient", options.patient, "Logical id of the Patient");
  erase->add_option("--reason", options.reason,
                    "Why. It is kept for good: no name, and nothing of the record");
  erase->add_option("--ground", options.grounds, "art17-1-a to art17-1-f (GDPR); may be repeated");
  erase->add_flag("--dry-run", options.dry_run, "Tell what would be erased, and change nothing");
  erase->add_option("--data", options.data, "Folder of the running server's store");
  erase->add_flag("--json", options.json, "Print JSON");
  auto* show = command(*erase, "status", "Show erasures, or one of them",
                       "tacenda erase status 0b7e0c1e-5f5c-4a7e-9d1e-0d8a36a5a111 --data /srv/tacenda",
                       [&options] { return status(options); });
  add_common(show, options);
  show->add_option("id", options.id, "Id of the erasure; without it, all");
  auto* certify =
      command(*erase, "certificate", "Print the certificate of an erasure, as JSON",
              "tacenda erase certificate 0b7e0c1e-5f5c-4a7e-9d1e-0d8a36a5a111 --data /srv/tacenda",
              [&options] { return certificate(options); });
  add_common(certify, options);
  certify->add_option("id", options.id, "Id of the erasure")->required();
}

}  // namespace

void add_erasure(CLI::App& app, ErasureOptions& options, AddCommand const& command) {
  add_erase(app, options, command);
  auto* parent =
      app.add_subcommand("hold", "Legal holds: what must be kept although its patient wants it erased");
  parent->require_subcommand(1);
  auto* set = command(*parent, "set", "Set one: from now on the record cannot be erased",
                      "tacenda hold set --patient 4711 --ground art17-3-e --reason 'case 12/26' "
                      "--until 2030-01-01 --data /srv/tacenda",
                      [&options] { return hold_set(options); });
  add_common(set, options);
  set->add_option("--patient", options.patient, "Logical id of the Patient")->required();
  set->add_option("--ground", options.ground,
                  "art17-3-b (legal obligation), art17-3-c (public health), art17-3-d (archiving, research), "
                  "art17-3-e (legal claims) or retention")
      ->required();
  set->add_option("--reason", options.reason, "Why")->required();
  set->add_option("--until", options.until, "When it ends by itself, 2030-01-01 or an instant");
  auto* lift = command(*parent, "lift", "Lift one",
                       "tacenda hold lift 0b7e0c1e-5f5c-4a7e-9d1e-0d8a36a5a111 --reason 'case closed' "
                       "--data /srv/tacenda",
                       [&options] { return hold_lift(options); });
  add_common(lift, options);
  lift->add_option("id", options.id, "Id of the hold")->required();
  lift->add_option("--reason", options.reason, "Why")->required();
  auto* list = command(*parent, "list", "List them, oldest first",
                       "tacenda hold list --patient 4711 --data /srv/tacenda",
                       [&options] { return hold_list(options); });
  add_common(list, options);
  list->add_option("--patient", options.patient, "Of this patient alone");
}

}  // namespace tacenda::cli
