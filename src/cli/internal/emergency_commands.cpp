#include "cli/internal/emergency_commands.hpp"

namespace tacenda::cli {

void add_emergency(CLI::App& app, AccessOptions& options, AddCommand const& command) {
  auto* parent =
      app.add_subcommand("emergency", "Who broke the glass, and who looked at it afterwards; emergency mode");
  parent->require_subcommand(1);
  auto const add = [&](std::string const& name, std::string const& description, std::string const& example,
                       int (*action)(AccessOptions const&)) {
    auto* sub = command(*parent, name, description, "tacenda emergency " + example + " --data /srv/tacenda",
                        [&options, action] { return action(options); });
    sub->add_option("--data", options.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", options.json, "Print JSON");
    return sub;
  };
  auto* on = add("on", "Let emergency accounts in for a time; again: for longer",
                 "on --reason 'the identity provider is down'", emergency_on);
  on->add_option("--reason", options.reason, "Why; the log and each review have it")->required();
  on->add_option("--hours", options.hours, "How long from now, at most 72")
      ->check(CLI::Range(1, 72))
      ->capture_default_str();
  add("off", "End emergency mode, with all that emergency accounts have open", "off", emergency_off);
  auto* list = add("list", "List emergencies", "list --open", emergency_list);
  list->add_flag("--open", options.open, "Those that nobody has reviewed");
  list->add_option("--patient", options.patient, "Logical id of a Patient");
  auto* review = add("review", "Say what a look at an emergency found",
                     "review ID --finding 'patient was unconscious'", emergency_review);
  review->add_option("id", options.id, "Id of the emergency")->required();
  review->add_option("--finding", options.finding, "What was found")->required();
}

}  // namespace tacenda::cli
