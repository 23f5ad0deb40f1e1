#include "cli/internal/slot_commands.hpp"

#include <iostream>

#include "cli/internal/connection.hpp"
#include "cli/internal/terminal.hpp"
#include "cli/internal/unlock.hpp"
#include "cli/passphrase.hpp"

namespace tacenda::cli {
namespace {

int add_passphrase(SlotOptions const& options, Compositions const& compositions) {
  auto const unlock = read_unlock(options.data, options.key_file, compositions);
  if (!unlock.has_value()) return report("slot add", unlock.error());
  auto const first = read_secret("new passphrase: ");
  auto const second = read_secret("once more: ");
  if (!first.has_value() || !second.has_value() || !(*first == *second)) {
    std::cerr << "tacenda: slot add: the two passphrases are not the same\n";
    return kUsage;
  }
  auto const passphrase = new_passphrase(*first);
  if (!passphrase.has_value()) {
    std::cerr << "tacenda: slot add: " << passphrase.error().message() << "\n";
    return kUsage;
  }
  return compositions.add_passphrase(options, *unlock, *passphrase);
}

int add_shares(SlotOptions options, Compositions const& compositions) {
  if (options.threshold == 0) options.threshold = options.shares / 2 + 1;
  if (options.threshold > options.shares) {
    std::cerr << "tacenda: slot add: of " << options.shares << " shares " << options.threshold
              << " cannot be needed\n";
    return kUsage;
  }
  auto const unlock = read_unlock(options.data, options.key_file, compositions);
  if (!unlock.has_value()) return report("slot add", unlock.error());
  return compositions.add_shares(options, *unlock, show_shares);
}

int add_key_file(SlotOptions const& options, Compositions const& compositions) {
  auto const unlock = read_unlock(options.data, options.key_file, compositions);
  if (!unlock.has_value()) return report("slot add", unlock.error());
  return compositions.add_key_file(options, *unlock);
}

int add_any(SlotOptions const& options, Compositions const& compositions) {
  if (options.new_key_file) return add_key_file(options, compositions);
  return options.shares == 0 ? add_passphrase(options, compositions) : add_shares(options, compositions);
}

int remove(SlotOptions const& options, Compositions const& compositions) {
  auto const unlock = read_unlock(options.data, options.key_file, compositions);
  if (!unlock.has_value()) return report("slot remove", unlock.error());
  return compositions.remove_slot(options, *unlock);
}

int say_state(AdminConnection::Answer const& answer) {
  if (answer.status != 200) return report("unseal", answer.status, answer.body);
  if (answer.body.text_of("state") == "unsealed") {
    std::cout << "unsealed\n";
    return kOk;
  }
  std::cout << (number_of(answer.body, "need") == 0 ? "no share is kept any more"
                                                    : shares_given(answer.body) + " shares")
            << "\n";
  return number_of(answer.body, "need") == 0 ? kOk : kWaits;
}

int unseal(UnsealOptions const& options) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report("unseal", connection.error());
  if (options.reset) {
    auto const answer = connection->post("/admin/unseal/reset", codec::Json::object());
    return answer.has_value() ? say_state(*answer) : report("unseal", answer.error());
  }
  auto const typed = options.share_file.empty() ? read_secret("passphrase, or a share: ")
                                                : read_share_file(options.share_file);
  if (!typed.has_value()) return report("unseal", typed.error());
  auto const answer =
      connection->post_secret(vault::is_share(*typed) ? "/admin/unseal/share" : "/admin/unseal", *typed);
  return answer.has_value() ? say_state(*answer) : report("unseal", answer.error());
}

}  // namespace

std::string shares_given(codec::Json const& answer) {
  return std::to_string(number_of(answer, "have")) + " of " + std::to_string(number_of(answer, "need"));
}

int verify_stopped(VerifyOptions const& options, Compositions const& compositions) {
  auto const unlock = read_unlock(options.data, options.key_file, compositions);
  return unlock.has_value() ? compositions.verify(options, *unlock) : report("verify", unlock.error());
}

void add_slot_commands(CLI::App& app, SlotOptions& slot, UnsealOptions& options,
                       Compositions const& compositions, AddCommand const& command) {
  auto* parent = app.add_subcommand("slot", "Ways to open the store: key file, passphrases, shares");
  parent->require_subcommand(1);
  auto const places = [&slot](CLI::App* sub, char const* key_file) {
    sub->add_option("--data", slot.data, "Folder of the store")->required();
    return sub->add_option("--key-file", slot.key_file, key_file);
  };
  constexpr char kKeyFile[] =
      "Key file that opens it now, or where it would lie: without it a passphrase or shares are asked for";
  auto* add = command(
      *parent, "add",
      "Add a passphrase (asked for twice), shares of which so many open the store, or a new key file; the "
      "server must be stopped",
      "tacenda slot add --data /srv/tacenda --key-file /etc/tacenda/key\n"
      "  tacenda slot add --shares 5 --threshold 3 --data /srv/tacenda --key-file /etc/tacenda/key\n"
      "  tacenda slot add --shares 5 --out /run/user/0/shares --data /srv/tacenda --key-file "
      "/etc/tacenda/key",
      [&slot, &compositions] { return add_any(slot, compositions); });
  places(add, kKeyFile)->required();
  auto* shares =
      add->add_option("--shares", slot.shares, "Make so many shares (2 to 16), each for one holder")
          ->check(CLI::Range(2, int{vault::kSharesMax}));
  add->add_option("--threshold", slot.threshold,
                  "So many of them open the store (default: more than half, 3 of 5)")
      ->check(CLI::Range(2, int{vault::kSharesMax}))
      ->needs(shares);
  add->add_option("--out", slot.out,
                  "Write each into a file of its own in this folder; without it they are shown one by one")
      ->needs(shares);
  add->add_flag("--new-key-file", slot.new_key_file, "Make a new key file at --key-file, where none lies")
      ->excludes(shares);
  auto* list = command(*parent, "list", "List the ways to open the store, without opening it",
                       "tacenda slot list --data /srv/tacenda",
                       [&slot, &compositions] { return compositions.list_slots(slot); });
  places(list, "Key file: the second copy of the list lies beside it");
  list->add_flag("--json", slot.json, "Print [{id, kind, threshold, shares, created, opened}]");
  auto* gone = command(*parent, "remove",
                       "Take a way to open the store away; never the last one that is known to work",
                       "tacenda slot remove 2 --data /srv/tacenda --key-file /etc/tacenda/key",
                       [&slot, &compositions] { return remove(slot, compositions); });
  places(gone, kKeyFile)->required();
  gone->add_option("id", slot.id, "Its number, as `slot list` shows it")->required();

  auto* open =
      command(app, "unseal", "Give a sealed server a passphrase, or one share (exit code 6: more are needed)",
              "tacenda unseal --data /srv/tacenda\n"
              "  tacenda unseal --share-file /media/usb/share-2-of-5.txt --data /srv/tacenda\n"
              "  tacenda unseal --reset --data /srv/tacenda",
              [&options] { return unseal(options); });
  open->add_option("--data", options.data, "Folder of the store")->required();
  auto* file =
      open->add_option("--share-file", options.share_file, "File with a share, in place of what is typed");
  open->add_flag("--reset", options.reset, "Forget the shares that were given so far")->excludes(file);
}

}  // namespace tacenda::cli
