// `tacenda status`, `verify` through a running server, `doctor`.
#include <sys/stat.h>

#include <iostream>

#include "cli/cli.hpp"
#include "cli/internal/commands.hpp"
#include "cli/internal/connection.hpp"
#include "cli/internal/slot_commands.hpp"

namespace tacenda::cli {
namespace {

using codec::Json;

/// One line of the doctor's findings.
class Findings {
 public:
  void good(std::string_view text) { std::cout << "ok       " << text << "\n"; }
  void warn(std::string_view text) {
    std::cout << "WARNING  " << text << "\n";
    ++warnings_;
  }
  void bad(std::string_view text) {
    std::cout << "BAD      " << text << "\n";
    ++bad_;
  }
  int code() const { return bad_ > 0 ? kFailed : kOk; }

 private:
  int warnings_ = 0;
  int bad_ = 0;
};

void examine_data_folder(DoctorOptions const& options, Findings& findings) {
  struct stat data{};
  if (::stat(options.data.c_str(), &data) != 0) return findings.bad("the data folder is not there");
  if ((data.st_mode & 077U) != 0)
    findings.bad("the data folder can be entered by others: chmod 700");
  else
    findings.good("the data folder is its owner's alone");
}

/// Ways to open the store, as far as they decide what else is unsafe.
struct Ways {
  bool key_file = false;  // there is a slot of it
  bool others = false;    // a passphrase or shares, which have opened the store
};

/// A lost key file is lost data, unless there is another way in, and one that is known to work.
Ways examine_slots(DoctorOptions const& options, Compositions const& compositions, Findings& findings) {
  Ways ways;
  auto const slots = compositions.slots_of(options.data, options.key_file);
  if (!slots.has_value()) {
    findings.bad(slots.error().message());
    return ways;
  }
  bool untried = false;
  for (auto const& slot : *slots) {
    bool const is_file = slot.kind == vault::SlotKind::kKeyFile;
    ways.key_file = ways.key_file || is_file;
    ways.others = ways.others || (!is_file && slot.opened.has_value());
    untried = untried || (!is_file && !slot.opened.has_value());
  }
  if (ways.others)
    findings.good("a passphrase or shares have opened the store, too");
  else if (untried)
    findings.bad("no passphrase and no shares have opened the store yet: try them once (tacenda unseal)");
  else
    findings.bad("the key file alone opens the store: a lost key is lost data (tacenda slot add)");
  return ways;
}

void examine_key_file(DoctorOptions const& options, Ways const& ways, Findings& findings) {
  struct stat key{};
  if (::stat(options.key_file.c_str(), &key) == 0) {
    if ((key.st_mode & 077U) != 0)
      findings.bad("the key file can be read by others: chmod 600");
    else
      findings.good("the key file is its owner's alone");
  } else if (!ways.key_file) {
    findings.good("no key file opens the store");
  } else if (ways.others) {
    findings.warn("the key file is not there: a passphrase or shares alone open the store");
  } else {
    findings.bad("the key file is not there");
  }
}

/// What belongs to the store and lies beside the key file, also when that is kept elsewhere.
void examine_vault_root(DoctorOptions const& options, Findings& findings) {
  auto const path = options.key_file.string() + ".root";
  struct stat root{};
  struct stat data{};
  if (::stat(path.c_str(), &root) != 0)
    return findings.bad("the vault root " + path +
                        " is not there: every slot needs it, and without it neither key file nor passphrase "
                        "nor shares open the store");
  findings.good("the vault root is there");
  if (::stat(options.data.c_str(), &data) != 0) return;
  if (root.st_dev == data.st_dev)
    findings.warn("the key file lies on the data's filesystem: who takes one takes both");
  else
    findings.good("key file and data lie on different filesystems");
}

void examine_users(Json const& users, Findings& findings) {
  auto const* list = users.find("users");
  if (list == nullptr || !list->is_array()) return findings.bad("the server does not list its users");
  std::size_t administrators = 0;
  for (auto const& user : list->items()) {
    auto const is = [&](std::string_view name) {
      auto const* value = user.find(name);
      return value != nullptr && value->is_boolean() && value->as_boolean();
    };
    if (!is("enabled")) continue;
    std::string line(user.text_of("name"));
    line.append(" (").append(user.text_of("role")).append(")");
    if (is("service")) {
      line.append(": service account, live tokens ").append(user.find("live_tokens")->number_text());
      findings.good(line);
    }
    if (user.text_of("role") == "administrator" && is("enrolled")) ++administrators;
  }
  if (administrators < 2)
    findings.warn("fewer than two administrators are enrolled: one lost factor locks everyone out");
}

void print_member(std::string_view name, Json const& value) {
  if (value.is_object()) {
    for (auto const& member : value.members())
      print_member(std::string(name) + " " + std::string(member.name), member.value);
    return;
  }
  std::cout << name << "  ";
  if (value.is_boolean()) {
    std::cout << (value.as_boolean() ? "yes" : "no") << "\n";
  } else {
    std::cout << (value.is_string() ? value.as_string() : value.number_text()) << "\n";
  }
}

}  // namespace

int status(std::filesystem::path const& data, bool json) {
  auto connection = AdminConnection::open(data);
  auto const answer =
      connection.has_value() ? connection->get("/admin/status") : std::unexpected(connection.error());
  Json body = Json::object();
  int code = kOk;
  if (!answer.has_value()) {
    body.set("state", Json::string("stopped"));
    code = kFailed;
  } else if (answer->status == 503) {
    body.set("state", Json::string("sealed"));
    if (auto const waits = connection->get("/admin/unseal");
        waits.has_value() && number_of(waits->body, "have") > 0)
      body.set("shares", Json::string(shares_given(waits->body)));
    code = kIsSealed;
  } else if (answer->status != 200) {
    return report("status", answer->status, answer->body);
  } else {
    body = answer->body;
  }
  if (json) {
    std::cout << codec::write_json(body) << "\n";
    return code;
  }
  for (auto const& member : body.members()) print_member(member.name, member.value);
  return code;
}

bool status_quietly(std::filesystem::path const& data) {
  auto connection = AdminConnection::open(data);
  return connection.has_value() && connection->get("/admin/status").has_value();
}

int verify_online(VerifyOptions const& options) {
  auto connection = AdminConnection::open(options.data);
  if (!connection.has_value()) return report("verify", connection.error());
  std::cerr << "verifying through the running server\n";
  auto const answer = connection->post("/admin/verify", Json::object());
  if (!answer.has_value()) return report("verify", answer.error());
  if (answer->status != 200) return report("verify", answer->status, answer->body);
  auto const* ok = answer->body.find("ok");
  bool const well = ok != nullptr && ok->is_boolean() && ok->as_boolean();
  if (options.json) {
    std::cout << codec::write_json(answer->body) << "\n";
    return well ? kOk : kDamage;
  }
  if (auto const* damage = answer->body.find("damage"); damage != nullptr && damage->is_array()) {
    for (auto const& finding : damage->items()) {
      std::cout << "DAMAGED  " << finding.text_of("object") << ": " << finding.text_of("problem") << "\n";
    }
  }
  auto const number = [&](std::string_view name) {
    auto const* value = answer->body.find(name);
    return value != nullptr && value->is_number() ? value->number_text() : std::string_view("?");
  };
  std::cout << number("resources") << " resources, " << number("versions") << " versions, "
            << number("audit_entries") << " audit entries: " << (well ? "all well" : "damage found") << "\n";
  return well ? kOk : kDamage;
}

int doctor(DoctorOptions const& options, Compositions const& compositions) {
  Findings findings;
  examine_data_folder(options, findings);
  auto const ways = examine_slots(options, compositions, findings);
  if (!options.key_file.empty()) {
    examine_key_file(options, ways, findings);
    examine_vault_root(options, findings);
  }
  auto connection = AdminConnection::open(options.data);
  auto const status_answer =
      connection.has_value() ? connection->get("/admin/status") : std::unexpected(connection.error());
  if (!status_answer.has_value()) {
    findings.warn("no server has this data folder open");
    return findings.code();
  }
  if (status_answer->status == 503) {
    findings.warn("the store is sealed");
    return findings.code();
  }
  findings.good("the server answers and is unsealed");
  auto const users = connection->get("/admin/users");
  if (users.has_value() && users->status == 200) {
    examine_users(users->body, findings);
  } else {
    findings.warn("accounts and tokens were not examined: tacenda login --admin first");
  }
  return findings.code();
}

}  // namespace tacenda::cli
