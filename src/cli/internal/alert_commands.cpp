#include "cli/internal/alert_commands.hpp"

namespace tacenda::cli {

void add_alert_commands(CLI::App& app, AlertOptions& options, AddCommand const& command) {
  auto* parent = app.add_subcommand("alerts", "What the audit log was found to tell, and who looks after it");
  parent->require_subcommand(1);
  auto const common = [&options](CLI::App* sub) {
    sub->add_option("--data", options.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", options.json, "Print JSON");
  };
  auto* list = command(*parent, "list", "List alerts", "tacenda alerts list --open --data /srv/tacenda",
                       [&options] { return alerts_list(options); });
  common(list);
  list->add_flag("--open", options.open, "Those that nobody has answered");
  list->add_option("--patient", options.patient, "Logical id of a Patient");
  auto* follow =
      command(*parent, "follow", "Print alerts as they come, until the session needs a new second factor",
              "tacenda alerts follow --data /srv/tacenda", [&options] { return alerts_follow(options); });
  common(follow);
  for (bool const closes : {false, true}) {
    auto* sub =
        command(*parent, closes ? "close" : "ack",
                closes ? "Say that nothing is left to do" : "Say that somebody looks after it",
                closes ? "tacenda alerts close 1234-emergency --note 'was needed' --data /srv/tacenda"
                       : "tacenda alerts ack 1234-emergency --note 'asked the ward' --data /srv/tacenda",
                [&options, closes] { return alerts_answer(options, closes ? "closed" : "acknowledged"); });
    common(sub);
    sub->add_option("id", options.id, "Id of the alert")->required();
    sub->add_option("--note", options.note, "What was found, or is being done")->required();
  }
}

}  // namespace tacenda::cli
