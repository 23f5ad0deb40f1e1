// `tacenda keys`: which keys the store has, new ones, and the end of old ones.
#include <iomanip>
#include <iostream>

#include "cli/internal/connection.hpp"
#include "cli/internal/key_commands.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

void show_key(Json const& key) {
  std::cout << std::left << std::setw(18) << key.text_of("id") << std::setw(14) << key.text_of("algorithm")
            << std::setw(13) << key.text_of("state") << key.text_of("created");
  if (is_true(key, "overdue")) std::cout << "  OVERDUE: " << number_of(key, "age_days") << " days old";
  std::cout << "\n  " << key.text_of("uses");
  if (key.find("wrapped") != nullptr) std::cout << " (" << number_of(key, "wrapped") << " made)";
  std::cout << "\n";
  if (!key.text_of("derives").empty()) std::cout << "  derives for good: " << key.text_of("derives") << "\n";
  if (!key.text_of("undecided").empty())
    std::cout << "  or " << key.text_of("undecided") << ": a change failed, and the next start tells\n";
  if (auto const* slots = key.find("slots"); slots != nullptr && slots->is_array()) {
    for (auto const& slot : slots->items())
      std::cout << "  slot " << number_of(slot, "id") << ": " << slot.text_of("kind") << "\n";
  }
  if (auto const* job = key.find("job"); job != nullptr) {
    std::cout << (is_true(key, "can_be_destroyed") ? "  to be destroyed: " : "  stays: ")
              << job->text_of("state") << ", " << number_of(*job, "resealed") << " of "
              << number_of(*job, "looked_at") << " rows sealed anew";
    if (number_of(*job, "damaged") > 0) std::cout << ", " << number_of(*job, "damaged") << " DO NOT OPEN";
    std::cout << "\n";
  }
}

void show_secret(Json const& secret) {
  std::cout << "  " << std::left << std::setw(20) << secret.text_of("id") << std::setw(20)
            << secret.text_of("algorithm") << secret.text_of("uses") << "\n";
}

int list(KeyOptions const& options) {
  return ask("keys list", Asked{options.data, "/admin/keys", nullptr, options.json}, [](Json const& answer) {
    auto const* keys = answer.find("keys");
    if (keys == nullptr || !keys->is_array()) return;
    for (auto const& key : keys->items()) show_key(key);
    auto const* secrets = answer.find("secrets");
    if (secrets == nullptr || !secrets->is_array()) return;
    std::cout << "kept in the keyring, and not rotated by these commands (docs/operating/keys.md):\n";
    for (auto const& secret : secrets->items()) show_secret(secret);
  });
}

int rotate(KeyOptions const& options) {
  Json body = Json::object();
  Json purposes = Json::array();
  for (auto const& purpose : options.purposes) purposes.push(Json::string(purpose));
  body.set("purposes", std::move(purposes));
  body.set("all", Json::boolean(options.all));
  body.set("root", Json::boolean(options.root));
  body.set("drop_slots", Json::boolean(options.drop_slots));
  return ask("keys rotate", Asked{options.data, "/admin/keys/rotate", &body, options.json},
             [](Json const& answer) {
               auto const* rotated = answer.find("rotated");
               if (rotated == nullptr || !rotated->is_array()) return;
               for (auto const& one : rotated->items()) {
                 std::cout << one.text_of("purpose") << ": " << one.text_of("active") << " in the place of "
                           << one.text_of("before") << "\n";
                 if (!one.text_of("dropped").empty())
                   std::cout << "dropped: " << one.text_of("dropped") << "\n";
               }
             });
}

Json term_body(KeyOptions const& options) {
  Json body = Json::object();
  body.set("purpose", Json::string(options.purpose));
  body.set("term", Json::number(std::int64_t{options.term}));
  return body;
}

int retire(KeyOptions const& options) {
  auto const body = term_body(options);
  return ask("keys retire", Asked{options.data, "/admin/keys/retire", &body, options.json}, [](Json const&) {
    std::cout << "it will be destroyed when nothing is under it any more: tacenda keys list\n";
  });
}

int compromised(KeyOptions const& options) {
  auto body = term_body(options);
  body.set("reason", Json::string(options.reason));
  return ask("keys compromised", Asked{options.data, "/admin/keys/compromised", &body, options.json},
             [](Json const& answer) {
               std::cout << answer.text_of("active") << " is active; ";
               std::cout << (is_true(answer, "will_be_destroyed")
                                 ? "the other will be destroyed when nothing is under it any more: tacenda "
                                   "keys list\n"
                                 : "what the other sealed stays under it: docs/operating/keys.md\n");
             });
}

}  // namespace

void add_key_commands(CLI::App& app, KeyOptions& options, AddCommand const& command) {
  auto* parent =
      app.add_subcommand("keys", "The keys of the store: which there are, new ones, the end of old");
  parent->require_subcommand(1);
  auto const common = [&options](CLI::App* sub) {
    sub->add_option("--data", options.data, "Folder of the running server's store")->required();
    sub->add_flag("--json", options.json, "Print JSON");
  };
  auto const names = CLI::IsMember({"record", "file", "audit", "auth", "token", "state"});
  common(command(*parent, "list", "List every key but those of patients; none is shown itself",
                 "tacenda keys list --data /srv/tacenda", [&options] { return list(options); }));
  auto* rotated =
      command(*parent, "rotate", "Put a new key in the place of an active one, while the server serves",
              "tacenda keys rotate --purpose auth --data /srv/tacenda\n"
              "  tacenda keys rotate --all --data /srv/tacenda\n"
              "  tacenda keys rotate --root --data /srv/tacenda",
              [&options] { return rotate(options); });
  common(rotated);
  auto* what = rotated->add_option_group("which");
  what->add_option("--purpose", options.purposes, "Of this purpose; may be given several times")
      ->check(CLI::IsMember({"record", "file", "audit", "auth", "token", "state", "vault"}));
  what->add_flag("--all", options.all, "Of every purpose, and the vault root, but not the root key");
  what->add_flag("--root", options.root, "The root key, under the same key file");
  what->require_option(1);
  rotated->add_flag("--drop-slots", options.drop_slots,
                    "With --root: passphrases and shares open the store no more, until they are added again");
  auto const term = [&](CLI::App* sub) {
    common(sub);
    sub->add_option("--purpose", options.purpose, "Of this purpose")->required()->check(names);
    sub->add_option("--term", options.term, "Number of the term")->required()->check(CLI::PositiveNumber);
  };
  term(command(*parent, "retire",
               "Seal anew what lies under a term that seals no more, and then destroy it (not: file, audit)",
               "tacenda keys retire --purpose auth --term 1 --data /srv/tacenda",
               [&options] { return retire(options); }));
  auto* marked =
      command(*parent, "compromised",
              "Say that others know a term: replaces it, seals anew what lies under it where that "
              "can be (not: file, audit), and destroys it",
              "tacenda keys compromised --purpose auth --term 1 --reason 'a copy of the keyring was "
              "lost' --data /srv/tacenda",
              [&options] { return compromised(options); });
  term(marked);
  marked->add_option("--reason", options.reason, "What happened; it is recorded")->required();
}

}  // namespace tacenda::cli
